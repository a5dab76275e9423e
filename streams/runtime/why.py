"""`GET /why?user=…&journey=…`: why a journey reaches a person or does not, from a worker's memory.

The folds run in the same event loop, so they stand between two records whenever this is asked:
nothing is locked and nothing changes. Bound where the metrics are, to localhost unless it is said
otherwise.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec

from streams.contract.partitioning import partition_of
from streams.contract.why import Why
from streams.engine.why import UnknownJourneyError
from streams.runtime.decide import DecidePipeline, State


@runtime_checkable
class Explains(Protocol):
    """A fold that can be asked."""

    def why(self, user_id: str, journey: str | None = None, now_ms: int = 0) -> list[Why]: ...


class Refusal(msgspec.Struct, omit_defaults=True):
    """Why there is no answer; `partition`: where it would be found."""

    problem: str
    partition: int | None = None


class Reply(NamedTuple):
    """200 with a list of Why; 400, 404 or 503 with a Refusal."""

    status: int
    body: bytes


class Desk:
    """`pipeline_of` gives the pipeline of a partition, None where another worker has it."""

    def __init__(
        self,
        partitions: int,
        pipeline_of: Callable[[int], DecidePipeline | None],
        now_ms: Callable[[], int],
    ) -> None:
        self._partitions = partitions
        self._pipeline_of = pipeline_of
        self._now_ms = now_ms

    def ask(self, user_id: str, journey: str | None) -> Reply:
        if not user_id:
            return _refused(400, "say whom: /why?user=<user id>")
        partition = partition_of(user_id, self._partitions)
        pipeline = self._pipeline_of(partition)
        if pipeline is None:
            return _refused(404, f"partition {partition} is another worker's", partition)
        if pipeline.state is not State.RUNNING:
            return _refused(503, f"partition {partition} is {pipeline.state.value}", partition)
        fold = pipeline.fold
        if not isinstance(fold, Explains):
            return _refused(404, "this worker's job cannot be asked", partition)
        try:
            answers = fold.why(user_id, journey, self._now_ms())
        except UnknownJourneyError as error:
            return _refused(400, str(error), partition)
        return Reply(200, msgspec.json.encode(answers))


def _refused(status: int, problem: str, partition: int | None = None) -> Reply:
    return Reply(status, msgspec.json.encode(Refusal(problem, partition)))
