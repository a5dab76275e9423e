"""The small job under our runtime: the worker as in production, with another fold.

python -m streams.benchmarks.ours
"""

import os
import socket
from pathlib import Path

from pydantic import SecretStr

from streams import settings
from streams.benchmarks.small_job import SmallJob
from streams.benchmarks.work import PARTITIONS
from streams.runtime.worker import Job, run


def deployment(bootstrap: str, run_id: str, folder: Path) -> settings.Settings:
    """Settings as in production, on topics of its own and in the events' time."""
    return settings.load(
        kafka=bootstrap,
        topic_prefix=f"{run_id}.",
        app_id=run_id,
        partitions=PARTITIONS,
        alias_key=SecretStr("benchmark benchmark benchmark 32"),
        clock="event",
        metrics_port=free_port(),
        log_level="warning",
        data_dir=folder,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main() -> None:
    environment = os.environ
    chosen = deployment(
        environment["BENCH_BROKER"], environment["BENCH_RUN"], Path(environment["BENCH_STATE"])
    )
    run(chosen, Job(new_fold=lambda partition: SmallJob(), intake=False))


if __name__ == "__main__":
    main()
