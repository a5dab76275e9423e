"""Journeys, pauses and a SIGKILL on a running deployment: every command in force everywhere within
seconds, each exactly once, and everything else as the replay has it.
"""

import asyncio
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path

import msgspec
import orjson
import pytest

from streams.cli import run
from streams.contract.codec import decode, encode
from streams.contract.control import Command, held, published
from streams.contract.decisions import Decision
from streams.contract.journeys import JourneySpec
from streams.contract.reports import Applied, Report
from streams.contract.topics import CONTROL, DEAD_LETTERS, DECISIONS, REPORTS
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.fold import Row
from streams.runtime.kafka import AioKafka
from streams.runtime.port import Append
from streams.runtime.publish import PublishError, publish, refusals
from streams.simulation.checkers import Replayed, conservation
from tests.live.harness import Live
from tests.runtime.toy import ToyFold

PARTITIONS = 4
IN_FORCE_SECONDS = 5.0
START_MS = 1_760_000_000_000
PEOPLE = 400
EVERY_SECONDS = 0.1
EVENTS_EACH = 60

JOURNEY = """
spec = "journey/1"
id = "looked"
version = {version}
title = "看过"
status = "live"
[entry]
on = "product.viewed"
reentry = {{ cooldown = "1h" }}
[exit]
after = "2d"
[[step]]
id = "show"
send = {{ channel = "auto", show = "entry" }}
"""


def looked(version: int) -> Command:
    spec = msgspec.convert(tomllib.loads(JOURNEY.format(version=version)), JourneySpec)
    body = msgspec.to_builtins(spec)
    body.pop("test", None)
    return published("journey", body, id=spec.id, version=spec.version)


def views() -> Iterator[bytes]:
    """A crowd that agrees to hear from us and then looks at things, for ever."""
    for n in count():
        agrees = n < PEOPLE
        data = {"purpose": "*", "channel": "*"} if agrees else {"item_id": f"item{n % 50}"}
        yield orjson.dumps(
            {
                "id": f"e{n}",
                "source": "wx:mp:wx1",
                "type": "consent.granted" if agrees else "product.viewed",
                "subject": f"person-{n * 7 % PEOPLE:016}",
                "time_ms": START_MS + n * 2_000,
                "data": data,
            }
        )


class Load:
    """Events that go on coming while commands are published."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._events = views()
        self._ended = asyncio.Event()
        self._sent = asyncio.Event()
        self._task = asyncio.ensure_future(self._go_on())

    async def _go_on(self) -> int:
        sent = 0
        while not self._ended.is_set():
            sent += await self._live.produce(islice(self._events, EVENTS_EACH))
            self._sent.set()
            await asyncio.sleep(EVERY_SECONDS)
        return sent

    async def goes_on(self, batches: int = 3) -> None:
        """Until so many more were sent."""
        for _ in range(batches):
            self._sent.clear()
            await self._sent.wait()

    async def end(self) -> int:
        """No more from here on; how many there were."""
        self._ended.set()
        return await self._task


async def in_force_seconds(live: Live, command: Command) -> float:
    started = time.monotonic()
    answers = await publish(live.settings, [command], timeout_seconds=60.0)
    assert len(answers) == PARTITIONS
    assert refusals(answers, PARTITIONS) == []
    return time.monotonic() - started


async def killed_in_the_middle(live: Live, command: Command) -> None:
    """The worker that may just hold the command dies and comes back."""
    publishing = asyncio.ensure_future(in_force_seconds(live, command))
    await asyncio.sleep(0.25)
    for name in sorted(live.workers):
        live.kill(name)
        live.start(name)
    await publishing


async def garbage(live: Live) -> None:
    """What somebody wrote to the control topic who should not have."""
    kafka = AioKafka(live.settings.kafka_options())
    appender = await kafka.open_appender()
    broken = msgspec.structs.replace(looked(9), sha256="0" * 64)
    rows = [Row(b"", raw) for raw in (b"pause *", encode(broken), b"")]
    await appender.append([Append(live.settings.topic(CONTROL), 0, rows)])
    await appender.close()


def applied(one: Replayed) -> list[tuple[str, str, int]]:
    told = [decode(output.value or b"", Report) for output in one.outputs.get(REPORTS, ())]
    return [(each.kind, each.id, each.version) for each in told if isinstance(each, Applied)]


def versions(replayed: Sequence[Replayed]) -> Counter[int]:
    """Decisions of the journey, by its version."""
    told = (decode(o.value or b"", Decision) for r in replayed for o in r.outputs[DECISIONS])
    return Counter(each.journey_version for each in told if each.journey == "looked")


def test_commands_are_in_force_everywhere_within_seconds_and_exactly_once(bootstrap: str) -> None:
    async def play() -> None:
        live = Live(bootstrap, "publish", job="engine", partitions=PARTITIONS)
        try:
            await live.create(Config())
            load = Load(live)
            live.start("w0")
            live.start("w1")
            first, second, third = looked(1), looked(2), looked(3)
            await in_force_seconds(live, held("resume", "*"))  # both have joined
            for command in (first, second, held("pause", "looked"), held("resume", "looked")):
                assert await in_force_seconds(live, command) < IN_FORCE_SECONDS, command
                await load.goes_on()
            await garbage(live)
            await killed_in_the_middle(live, third)
            await load.goes_on()
            total = await load.end()
            await live.until(lambda left: left == 0)
            live.stop()
            replayed = await live.check(EngineFold)
            for one in replayed:
                assert applied(one) == [
                    ("resume", "*", 0),
                    *(("journey", "looked", version) for version in (1, 2)),
                    *((kind, "looked", 0) for kind in ("pause", "resume")),
                    ("journey", "looked", 3),
                ]
            assert versions(replayed).keys() == {1, 2, 3}
            assert sum(len(one.outputs.get(DEAD_LETTERS, ())) for one in replayed) == 3
            assert not conservation([one.fold.counters() for one in replayed], total + 3)
        finally:
            await live.close()

    asyncio.run(play())


def test_without_a_worker_every_partition_is_named_and_nothing_is_lost(bootstrap: str) -> None:
    async def play() -> None:
        live = Live(bootstrap, "silent", job="toy", partitions=PARTITIONS)
        try:
            await live.create(Config())
            with pytest.raises(PublishError, match=r"no partition of 4 .* Is a worker running"):
                await publish(live.settings, [looked(1)], timeout_seconds=0.3)
            live.start("w0")
            await live.until(lambda left: left == 0)
            live.stop()
            assert [applied(one) for one in await live.check(ToyFold)] == [
                [("journey", "looked", 1)]
            ] * PARTITIONS
        finally:
            await live.close()

    asyncio.run(play())


def test_the_command_line_says_in_a_line_what_is_in_force_and_what_is_refused(
    bootstrap: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = [tmp_path / "looked.toml", tmp_path / "second.toml"]
    files[0].write_text(JOURNEY.format(version=1))
    files[1].write_text(JOURNEY.format(version=1).replace("looked", "second"))

    async def play() -> int:
        live = Live(bootstrap, "commanded", job="toy", partitions=PARTITIONS)
        for name, value in live.environment.items():
            monkeypatch.setenv(name, value)
        try:
            await live.create(Config())
            live.start("w0")
            return await asyncio.to_thread(run, ["journey", "publish", *map(str, files)])
        finally:
            await live.close()

    assert asyncio.run(play()) == 1
    said = capsys.readouterr()
    assert said.out.startswith("journey looked version 1: in force in all 4 partitions after ")
    assert said.err == (
        "streams: journey second version 1 is refused by partitions 1, 3 alone and in force in "
        "the other 2: odd partitions want none\n"
    )
