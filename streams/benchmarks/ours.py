"""The small job under our runtime: the worker as in production, with another fold.

python -m streams.benchmarks.ours
"""

import os
from pathlib import Path

from pydantic import SecretStr

from streams import settings
from streams.benchmarks.small_job import SmallJob
from streams.benchmarks.work import PARTITIONS
from streams.runtime.worker import Job, run


def ours(bootstrap: str, run_id: str, state: Path) -> settings.Settings:
    """The worker's settings: those of production, on topics of its own."""
    return settings.load(
        kafka=bootstrap,
        topic_prefix=f"{run_id}.",
        app_id=run_id,
        partitions=PARTITIONS,
        alias_key=SecretStr("benchmark benchmark benchmark 32"),
        clock="event",
        metrics_port=0,
        log_level="warning",
        data_dir=state,
    )


def main() -> None:
    environment = os.environ
    chosen = ours(
        environment["BENCH_BROKER"], environment["BENCH_RUN"], Path(environment["BENCH_STATE"])
    )
    run(chosen, Job(new_fold=lambda partition: SmallJob(), intake=False))


if __name__ == "__main__":
    main()
