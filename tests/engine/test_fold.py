"""The fold's interface: genesis first, rows of known versions only, time and timers."""

import pytest
from msgspec.structs import replace

from streams.contract.codec import encode
from streams.contract.partitioning import partition_of
from streams.contract.records import Tick
from streams.engine.fold import EngineFold
from streams.intake import partition_of as intake_partition_of
from tests.engine.world import DAY_MS, HOUR_MS, NOON_MS, OPEN, World, altered, genesis


def test_a_log_begins_with_its_genesis_record() -> None:
    with pytest.raises(ValueError, match="genesis"):
        EngineFold(0).handle(encode(Tick(at_ms=NOON_MS)))


def test_a_log_has_one_genesis_record() -> None:
    fold = EngineFold(0)
    fold.handle_record(genesis(OPEN, 0))
    with pytest.raises(ValueError, match="second, different genesis"):
        fold.handle_record(genesis(altered(OPEN, seed="another"), 0))


def test_two_who_begin_a_log_at_once_do_no_harm() -> None:
    fold = EngineFold(0)
    fold.handle_record(genesis(OPEN, 0))
    assert fold.handle_record(genesis(OPEN, 0)) == ()


def test_the_log_of_another_partition_is_refused() -> None:
    with pytest.raises(ValueError, match="partition 1"):
        EngineFold(0).handle_record(genesis(altered(OPEN, partitions=2), 1))


def test_a_log_for_a_newer_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="engine version 99"):
        EngineFold(0).handle_record(replace(genesis(OPEN, 0), engine_version=99))


def test_rows_of_a_newer_version_are_refused() -> None:
    world = World()
    world.see("ann", "page.viewed")
    (rows,) = world.rows()
    for key in (b"u:ann", b"g:genesis", b"c:counts"):
        place = 8 if key[:2] == b"u:" else 0
        newer = rows[key][:place] + b"\xff" + rows[key][place + 1 :]
        fold = EngineFold(0)
        with pytest.raises(ValueError, match="version 255"):
            load_all(fold, {**rows, key: newer})


def load_all(fold: EngineFold, rows: dict[bytes, bytes]) -> None:
    for key, value in rows.items():
        fold.load_row(key, value)
    fold.counters()


def test_a_row_begins_with_the_time_the_person_is_due() -> None:
    world = World()
    world.see("ann", "page.viewed")
    (rows,) = world.rows()
    assert int.from_bytes(rows[b"u:ann"][:8], "big") == world.folds[0].next_due_ms()


def test_time_never_goes_back() -> None:
    fold = EngineFold(0)
    fold.handle_record(genesis(OPEN, 0))
    fold.handle_record(Tick(at_ms=NOON_MS + 5))
    fold.handle_record(Tick(at_ms=NOON_MS + 3))
    assert fold.now_ms == NOON_MS + 5


def test_one_record_fires_a_bounded_number_of_timers_and_reports_the_rest() -> None:
    world = World(altered(OPEN, timers_per_record=3))
    for number in range(10):
        world.see(f"p{number}", "user.followed")
        world.see(f"p{number}", "cart.added", {"item_id": "1"})
    world.now_ms += HOUR_MS
    fired = []
    while (due_ms := world.folds[0].next_due_ms()) is not None and due_ms <= world.now_ms:
        before = len(world.triggers)
        world.feed(0, Tick(at_ms=world.now_ms))
        fired.append(len(world.triggers) - before)
    assert fired[0] == 3
    assert max(fired) == 3
    assert sum(fired) == 10


def test_due_timers_fire_by_due_time_and_then_by_user_id() -> None:
    world = World()
    for alias in ("cyd", "ann", "bob"):
        world.see(alias, "user.followed")
    for alias in ("cyd", "ann", "bob"):
        world.see(alias, "cart.added", {"item_id": "1"})
    world.now_ms += 1
    world.see("abe", "user.followed")
    world.see("abe", "cart.added", {"item_id": "1"})
    world.now_ms += HOUR_MS
    world.feed(0, Tick(at_ms=world.now_ms))
    assert [trigger.user_id for trigger in world.triggers] == ["ann", "bob", "cyd", "abe"]


def test_the_timers_of_many_people_are_spread_over_the_day() -> None:
    world = World()
    hours = [0] * 24
    for number in range(480):
        world.see(f"p{number}", "page.viewed")
    for row in world.rows()[0].items():
        if row[0][:2] == b"u:":
            hours[int.from_bytes(row[1][:8], "big") // HOUR_MS % 24] += 1
    assert min(hours) >= 6
    assert max(hours) <= 40


def test_who_stays_away_for_long_costs_no_timer_any_more() -> None:
    world = World()
    world.see("ann", "page.viewed")
    world.wait(40 * DAY_MS)
    assert world.folds[0].engine.store.next_due_ms() is None
    world.see("ann", "page.viewed")
    assert world.folds[0].engine.store.next_due_ms() is not None


def test_the_engine_and_the_intake_agree_on_where_a_person_lives() -> None:
    for alias in ("ann", "bob", "ann.1", "x-Y_z"):
        assert partition_of(alias, 7) == intake_partition_of(alias, 7)
