"""The online models, in the order the engine asks them; tests/conformance tries each."""

from streams.engine.models.churn import ChurnModel
from streams.engine.models.interest import InterestModel

MODELS: tuple[type[InterestModel] | type[ChurnModel], ...] = (InterestModel, ChurnModel)
