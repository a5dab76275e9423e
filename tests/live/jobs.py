"""What a worker process of the live tests runs."""

from streams import settings
from streams.engine.fold import EngineFold
from streams.runtime.worker import Job, run
from tests.runtime.toy import ToyFold


def toy() -> None:
    run(settings.load(), Job(ToyFold))


def engine() -> None:
    run(settings.load(), Job(EngineFold))
