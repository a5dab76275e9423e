"""Commands that talk to Kafka: worker, topics, log dump. STREAMS_… variables say where it is."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from streams.commands.configuration import engine_config, settings
from streams.commands.terminal import print_json, print_lines
from streams.contract.topics import ONE_PARTITION
from streams.faults import UserFault

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="Policy and journeys as TOML, see `streams replay`.")
]
Scenario = Annotated[
    str | None, typer.Option(help="Take policy and journeys of this demo scenario.")
]


def worker(*, config: ConfigFile = None, scenario: Scenario = None) -> None:
    """Run a worker on Kafka until it is told to stop (SIGTERM or Ctrl-C)."""
    from streams.engine.fold import EngineFold
    from streams.runtime.worker import Job, run

    found = settings()
    engine = engine_config(
        config,
        partitions=found.partitions,
        tenant=found.tenant,
        brand=found.brand,
        scenario=scenario,
    )
    run(found, Job(new_fold=lambda partition: EngineFold(partition, engine)))


def topics(
    *,
    apply: Annotated[bool, typer.Option("--apply", help="Create what is missing.")] = False,
    config: ConfigFile = None,
    scenario: Scenario = None,
) -> None:
    """Check the topics; with --apply create what is missing and begin each log."""
    from streams.runtime import topics as kafka_topics

    found = settings()
    if apply:
        engine = engine_config(
            config,
            partitions=found.partitions,
            tenant=found.tenant,
            brand=found.brand,
            scenario=scenario,
        )
        for done in with_kafka(lambda: kafka_topics.apply(found, engine)):
            print_lines(done)
    else:
        with_kafka(lambda: kafka_topics.check(found))
    print_lines(f"topics {found.topic_prefix}*: all there, {found.partitions} partitions")


def dump(
    out: Annotated[Path, typer.Option("--out", help="NDJSON file to write.")],
    *,
    topic: Annotated[str, typer.Option(help="Short name of another topic of ours.")] = "log",
) -> None:
    """Write the committed records of every partition of the log, for `streams replay --log`."""
    found = settings()
    partitions = 1 if topic in ONE_PARTITION else found.partitions
    written = with_kafka(partial(_dump, found, found.topic(topic), partitions, out))
    print_lines(f"{out}: {written:,} records of {found.topic(topic)}")


def check(
    path: Annotated[Path, typer.Argument(metavar="DUMP", help="What `streams log dump` wrote.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Decode every record of a dumped log: order, genesis, kinds."""
    from streams import log_file

    found = log_file.check(path)
    if json:
        print_json(found)
    else:
        print_lines(f"{path}: correct; " + ", ".join(f"{n:,} {kind}" for kind, n in found.items()))


def run_live(*, scenario: str, users: int, seed: str, days: int) -> None:
    """`streams simulate --live`, until Ctrl-C."""
    from streams.commands.live_simulation import live

    found = settings()
    run = partial(live, found, scenario=scenario, users=users, seed=seed, days=days)
    with_kafka(run)


async def _dump(found: Any, topic: str, partitions: int, out: Path) -> int:
    from streams.log_file import write_line
    from streams.runtime.dump import records
    from streams.runtime.kafka import AioKafka

    kafka, written = AioKafka(found.kafka_options()), 0
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        with out.open("wb", buffering=1 << 20) as file:
            for partition in range(partitions):
                async for record in records(kafka, topic, partition):
                    if record.value is not None:
                        write_line(file, topic, partition, record.offset, record.value)
                        written += 1
    finally:
        await kafka.close()
    return written


def with_kafka(act: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run it; a Kafka that does not answer is the user's fault."""
    from aiokafka.errors import KafkaError

    from streams.runtime.port import IndefiniteError
    from streams.settings import SettingsError

    try:
        return asyncio.run(act())
    except SettingsError as error:
        raise UserFault(str(error)) from None
    except (KafkaError, IndefiniteError) as error:
        raise UserFault(
            f"Kafka did not answer ({error}); check STREAMS_KAFKA and that the broker runs"
        ) from None
