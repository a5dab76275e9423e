"""The online models, in the order the engine learns them; each passes tests/conformance/test_models.py."""

from streams.engine.models.churn import ChurnModel
from streams.engine.models.interest import InterestModel

MODELS: tuple[type[InterestModel] | type[ChurnModel], ...] = (InterestModel, ChurnModel)
