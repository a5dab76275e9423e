"""The offline replay: what comes out depends on the bytes that go in and on nothing else."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from streams import snapshot
from streams.contract.codec import encode
from streams.contract.policy import DAY_MS
from streams.contract.records import Genesis, Origin
from streams.engine.config import Config
from streams.event_file import Clock, read_lines
from streams.intake import Intake
from streams.journey_files.load import shipped, shipped_content, shipped_policy
from streams.log_file import LogFileError, write_line
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay, replay_file
from streams.replay_log import replay_log
from streams.simulation.run import START_MS, simulate
from streams.simulation.scenarios import SCENARIOS
from streams.summary import FATES, Summary
from tests.replay import golden

OUTPUTS = ("triggers.ndjson", "decisions.ndjson", "profiles.ndjson", "dead-letters.ndjson")
GOLDEN = Path(golden.__file__).parent
ROOT = Path(__file__).parents[1]
CONFIG = Config(policy=shipped_policy(), journeys=shipped(), content=shipped_content())
GOLDEN_CONFIG = SCENARIOS["ecommerce"].config


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 2 000 events of 60 users over ten days, a few of them late, double or broken."""
    folder = tmp_path_factory.mktemp("simulated")
    path = folder / "events.ndjson"
    simulate(60, 10, "replay", "ecommerce", path, folder / "truth.ndjson")
    return path


class Whole(NamedTuple):
    """All of them replayed at once."""

    out: Path
    summary: Summary
    rows: list[snapshot.StateRow]
    snapshot: Path


@pytest.fixture(scope="module")
def whole(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    out = tmp_path_factory.mktemp("whole")
    replay = Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(out), keep_rows=True)
    summary = replay_file(events, replay)
    replay.save(out / "snapshot")
    return Whole(out, summary, list(replay.state_rows()), out / "snapshot")


def written(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in OUTPUTS}


def event(number: int, time_ms: int, **more: object) -> bytes:
    fields = {
        "id": f"e{number}",
        "source": "wx:mp:wx0001",
        "type": "page.viewed",
        "subject": f"o{number % 5:027}",
        "time_ms": time_ms,
        "data": {"page": "home"},
    }
    return msgspec.json.encode(fields | more)


def fates(raws: list[bytes], out: Path) -> dict[str, int]:
    replay = Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(out))
    replay.feed(raws)
    replay.close()
    return {fate: n for fate in FATES if (n := int(replay.counters().get(f"fate.{fate}", 0)))}


@pytest.mark.parametrize(("batch", "hash_seed"), [(1, "0"), (7, "1"), (4_096, "7")])
def test_batch_size_and_hash_seed_change_no_byte(
    batch: int, hash_seed: str, events: Path, whole: Whole, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "streams", "replay", str(events), "--out", str(tmp_path)]
    subprocess.run(
        [*command, "--batch", str(batch), "--json"],
        check=True,
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
    )
    assert written(whole.out) == written(tmp_path)


def test_the_golden_replay_is_unchanged(tmp_path: Path) -> None:
    """`make golden` writes it anew; a change of behaviour shows as its difference."""
    replay = Replay(GOLDEN_CONFIG, key=TRIAL_KEY, outputs=Outputs(tmp_path))
    replay_file(GOLDEN / "events.ndjson", replay)
    for name in ("triggers.ndjson", "decisions.ndjson"):
        assert (GOLDEN / name).read_bytes() == (tmp_path / name).read_bytes()


def test_every_event_ends_in_exactly_one_fate(events: Path, whole: Whole) -> None:
    lines = events.read_bytes().count(b"\n")
    assert lines == whole.summary["events_in"] == sum(whole.summary[fate] for fate in FATES)


def test_each_dead_letter_counted_is_written(whole: Whole) -> None:
    letters = (whole.out / "dead-letters.ndjson").read_bytes().count(b"\n")
    reasons = whole.summary["dead_letter_reasons"]
    assert 0 < whole.summary["dead_lettered"] == letters == sum(reasons.values())


def test_half_a_replay_and_the_rest_from_its_snapshot_equal_the_whole(
    events: Path, whole: Whole, tmp_path: Path
) -> None:
    raws = events.read_bytes().splitlines()
    first = Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(tmp_path / "1"), keep_rows=True)
    first.feed(raws[: len(raws) // 2])
    first.close()
    first.save(tmp_path / "snapshot")
    rest = Replay.resume(
        tmp_path / "snapshot", key=TRIAL_KEY, outputs=Outputs(tmp_path / "2"), keep_rows=True
    )
    rest.feed(raws[len(raws) // 2 :])
    rest.close()
    for name in ("triggers.ndjson", "decisions.ndjson", "dead-letters.ndjson"):
        halves = b"".join((tmp_path / part / name).read_bytes() for part in ("1", "2"))
        assert (whole.out / name).read_bytes() == halves
    assert whole.rows == list(rest.state_rows())


def test_a_damaged_snapshot_is_refused(whole: Whole, tmp_path: Path) -> None:
    raw = bytearray(whole.snapshot.read_bytes())
    raw[-1] ^= 1
    (tmp_path / "damaged").write_bytes(raw)
    with pytest.raises(snapshot.SnapshotError, match="damaged"):
        snapshot.verify(tmp_path / "damaged")


def test_a_newer_snapshot_is_refused_with_what_to_do(tmp_path: Path) -> None:
    header = snapshot.Header(
        engine_version=1, partitions=1, clock_ms=0, positions={}, config={}, version=99
    )
    snapshot.write(tmp_path / "snapshot", header, [])
    with pytest.raises(snapshot.SnapshotError, match="use the newer program"):
        snapshot.read_header(tmp_path / "snapshot")


def test_gzip_and_a_last_line_without_newline_change_nothing(
    events: Path, whole: Whole, tmp_path: Path
) -> None:
    packed = tmp_path / "events.ndjson.gz"
    packed.write_bytes(gzip.compress(events.read_bytes().rstrip(b"\n")))
    replay_file(packed, Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(tmp_path / "out")))
    assert written(whole.out) == written(tmp_path / "out")


def test_blank_lines_a_byte_order_mark_and_windows_newlines_are_no_events(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\r\n\n  \n{"b":2}\r\n')
    assert list(read_lines(path)) == [b'{"a":1}', b'{"b":2}']


def test_a_line_without_end_is_read_in_bounded_pieces(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"x" * 3_000_000 + b'\n{"b":2}\n')
    first, second = read_lines(path)
    assert len(first) < 300_000
    assert second == b'{"b":2}'


def test_one_clock_in_the_far_future_makes_nobody_late(tmp_path: Path) -> None:
    raws = [event(n, START_MS + n * 60_000) for n in range(40)]
    raws[20] = event(99, START_MS + 400 * DAY_MS)
    assert fates(raws, tmp_path) == {"applied": 39, "dead_lettered": 1}


def test_a_far_clock_in_the_first_event_makes_nobody_late(tmp_path: Path) -> None:
    raws = [event(n, START_MS + n * 60_000) for n in range(40)]
    raws[0] = event(99, START_MS + 400 * DAY_MS)
    assert fates(raws, tmp_path) == {"applied": 39, "dead_lettered": 1}


def test_a_month_without_events_is_believed_when_the_following_events_confirm_it(
    tmp_path: Path,
) -> None:
    raws = [event(n, START_MS + (n // 20) * 90 * DAY_MS + n * 60_000) for n in range(40)]
    assert fates(raws, tmp_path) == {"applied": 40}


def test_the_clock_never_goes_back() -> None:
    raws = [event(n, START_MS + (n * 7_919 % 97) * 60_000) for n in range(200)]
    stamps = [at_ms for at_ms, _ in Clock().stamped(raws)]
    assert sorted(stamps) == stamps
    assert max(stamps) == START_MS + 96 * 60_000


@pytest.mark.parametrize(
    "times",
    [
        {"time_ms": str(START_MS + 1_000)},
        {"time_ms": START_MS + 1_000.4},
        {"time": "2026-10-01T00:00:01+08:00"},
        {"time_ms": 3, "ingest_ms": START_MS + 1_000},
    ],
)
def test_a_time_in_any_form_the_intake_takes_moves_the_clock(times: dict[str, object]) -> None:
    raws = [event(1, START_MS), msgspec.json.encode({"id": "e2"} | times)]
    assert [at_ms for at_ms, _ in Clock().stamped(raws)] == [START_MS, START_MS + 1_000]


@pytest.mark.parametrize(
    "raw", [b"", b"null", b'{"time_ms":1e999}', b"[" * 5_000, b"\xff\xfe", b"{}"]
)
def test_what_tells_no_time_stays_at_the_clock(raw: bytes) -> None:
    stamps = [at_ms for at_ms, _ in Clock().stamped([event(1, START_MS), raw])]
    assert stamps == [START_MS, START_MS]


def test_timers_run_on_after_the_last_event_only_when_asked(
    events: Path, whole: Whole, tmp_path: Path
) -> None:
    replay = Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(tmp_path))
    drained = replay_file(events, replay, drain_ms=5 * DAY_MS)
    assert drained["decisions"] > whole.summary["decisions"]
    assert drained["events_in"] == whole.summary["events_in"]


def dumped_log(path: Path, events: Path) -> int:
    """What a worker's intake would have put on the log of two partitions; the number of lines."""
    config = msgspec.structs.replace(CONFIG, partitions=2)
    intake = Intake(key=TRIAL_KEY, tenant="default", partitions=2)
    offsets = [0, 0]
    with path.open("wb") as file:
        for partition in (0, 1):
            genesis = Genesis(
                at_ms=0,
                partition=partition,
                partitions=2,
                seed=config.seed,
                config=msgspec.to_builtins(config),
            )
            write_line(file, "wechat.log", partition, 0, encode(genesis))
        for number, (at_ms, raw) in enumerate(Clock().stamped(read_lines(events))):
            partition, record = intake.take(raw, Origin("events", 0, 0, number), at_ms)
            offsets[partition] += 2  # commit markers take offsets too
            write_line(file, "wechat.log", partition, offsets[partition], encode(record))
    return number + 3


def test_a_dumped_log_replays_to_outputs_and_state(events: Path, tmp_path: Path) -> None:
    dumped_log(tmp_path / "log.ndjson", events)
    summaries = [
        replay_log(tmp_path / "log.ndjson", Outputs(tmp_path / str(batch)), batch=batch)
        for batch in (1, 4_096)
    ]
    assert events.read_bytes().count(b"\n") == summaries[0]["events_in"]
    for name in (*OUTPUTS, "state.ndjson"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "4096" / name).read_bytes()
    assert (tmp_path / "1" / "state.ndjson").stat().st_size > 0


def test_a_dump_without_its_genesis_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    with path.open("wb") as file:
        write_line(file, "wechat.log", 0, 7, b'{"record":"tick","at_ms":5}')
    with pytest.raises(LogFileError, match="partition 0 begins at offset 7 without its genesis"):
        replay_log(path, Outputs(tmp_path / "out"))
