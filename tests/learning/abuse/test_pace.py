"""Windows, rhythm and claims in a few bytes."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.abuse import signs
from streams.learning.abuse.pace import (
    CLAIMS_BYTES,
    PACE_BYTES,
    WINDOWS_S,
    added,
    claimed,
    claims,
    is_idle,
    noted,
    pace,
    paced,
)

NOON_MS = 1_790_870_400_000
MINUTE_MS = 60_000
times = st.lists(st.integers(0, 3 * 86_400_000), max_size=60).map(sorted)


def after(gaps_ms: list[int]) -> bytes:
    packed, now_ms = b"", NOON_MS
    packed, _ = paced(packed, now_ms)
    for gap_ms in gaps_ms:
        now_ms += gap_ms
        packed, _ = paced(packed, now_ms)
    return packed


def test_nobody_has_a_pace_before_the_first_event() -> None:
    assert pace(b"", NOON_MS).counts == (0.0, 0.0, 0.0, 0.0)
    assert claims(b"", NOON_MS).total == 0.0
    assert is_idle(b"", NOON_MS)


def test_the_state_is_as_small_as_promised() -> None:
    assert PACE_BYTES == len(after([10, 20])) == 24
    assert CLAIMS_BYTES == len(claimed(b"", NOON_MS)) == 20


@given(offsets=times)
def test_a_window_holds_at_least_what_fell_into_it_surely_and_at_most_twice_its_length(
    offsets: list[int],
) -> None:
    packed = b""
    for offset in offsets:
        packed = claimed(packed, NOON_MS + offset)
    if not offsets:
        return
    now_ms = NOON_MS + offsets[-1]
    for window_s, count in zip(WINDOWS_S, claims(packed, now_ms).counts, strict=True):
        begun = now_ms // 1_000 // window_s * window_s * 1_000
        inside = sum(NOON_MS + offset >= begun for offset in offsets)
        around = sum(NOON_MS + offset >= begun - window_s * 1_000 for offset in offsets)
        assert inside <= count <= around


@given(offsets=times)
def test_pace_and_claims_count_alike(offsets: list[int]) -> None:
    beat, took = b"", b""
    for offset in offsets:
        beat, _ = paced(beat, NOON_MS + offset)
        took = claimed(took, NOON_MS + offset)
    now_ms = NOON_MS + (offsets[-1] if offsets else 0) + 40_000
    assert pace(beat, now_ms).counts == claims(took, now_ms).counts


@given(st.lists(st.integers(-(2**40), 2**41), max_size=300))
def test_no_time_breaks_the_state(steps: list[int]) -> None:
    packed, took, now_ms = b"", b"", NOON_MS
    for step in steps:
        now_ms = min(max(now_ms + step, 0), 4_102_444_800_000)
        packed, _ = paced(packed, now_ms)
        took = noted(claimed(took, now_ms), used=1, refunded=1, unusual=float("nan"))
    assert all(0.0 <= count <= 70_000 for count in pace(packed, now_ms).counts)
    assert claims(took, now_ms).total <= len(steps)


def test_a_clock_s_beat_is_told_from_people() -> None:
    random = Random(1)
    machine = pace(after([int(random.gauss(4_000, 200)) for _ in range(60)]), NOON_MS)
    person = pace(after([int(random.lognormvariate(9.0, 1.0)) for _ in range(60)]), NOON_MS)
    assert machine.deviation < 0.1
    assert person.deviation > 0.6
    assert signs.machine_rhythm(machine) >= 1.0 > signs.machine_rhythm(person)


def test_too_few_gaps_and_the_parts_of_one_act_are_no_rhythm() -> None:
    assert signs.machine_rhythm(pace(after([4_000] * 10), NOON_MS)) == 0.0
    assert signs.machine_rhythm(pace(after([20] * 60), NOON_MS)) == 0.0


def test_a_closer_look_is_worth_it_at_a_beat_and_at_a_rush() -> None:
    packed, look = b"", False
    for number in range(30):
        packed, look = paced(packed, NOON_MS + 5_000 * number)
    assert look
    packed, looks = b"", []
    random, now_ms = Random(2), NOON_MS
    for _ in range(40):
        now_ms += int(random.lognormvariate(10.0, 1.2))
        packed, look = paced(packed, now_ms)
        looks.append(look)
    assert not any(looks)


def test_many_events_in_a_window_are_a_rush() -> None:
    packed = after([100] * 200)
    assert signs.event_velocity(pace(packed, NOON_MS + 20_000)) >= 1.0


def burst(count: int, gap_ms: int, views: int = 0) -> tuple[bytes, bytes]:
    took = beat = b""
    for number in range(count + views):
        at_ms = NOON_MS + number * gap_ms
        beat, _ = paced(beat, at_ms)
        if number >= views:
            took = claimed(took, at_ms)
    return took, beat


@pytest.mark.parametrize(
    ("count", "views", "bought", "hit"),
    [
        (8, 0, 0.0, True),
        (3, 0, 0.0, False),
        (8, 0, 5.0, False),  # who buys without coupons has twice the limits
        (8, 12, 0.0, False),  # and who looks around first takes coupons as people do
        (40, 40, 5.0, True),
    ],
)
def test_many_coupons_and_little_else_are_a_rush_for_coupons(
    count: int, views: int, bought: float, hit: bool
) -> None:
    took, beat = burst(count, 6_000, views)
    now_ms = NOON_MS + (count + views - 1) * 6_000
    sign = signs.coupon_velocity(claims(took, now_ms), pace(beat, now_ms), bought)
    assert (sign >= 1.0) is hit


def test_refunds_count_against_who_used_coupons() -> None:
    took = noted(claimed(b"", NOON_MS), used=4, refunded=4)
    assert signs.refund_abuse(claims(took, NOON_MS), orders=4) >= 1.0
    assert signs.refund_abuse(claims(took, NOON_MS), orders=40) < 1.0
    assert signs.refund_abuse(claims(b"", NOON_MS), orders=4) == 0.0


def test_claims_of_one_person_under_two_names_add_up() -> None:
    ours, theirs = claimed(b"", NOON_MS), noted(claimed(b"", NOON_MS + MINUTE_MS), used=2)
    both = claims(added(ours, theirs), NOON_MS + MINUTE_MS)
    assert both.total == pytest.approx(2.0, abs=1e-3)
    assert both.used == 2
    assert added(ours, b"") == ours == added(b"", ours)


def test_claims_fade_with_a_half_life_of_four_weeks() -> None:
    packed = claimed(b"", NOON_MS)
    totals = [claims(packed, NOON_MS + weeks * 7 * 86_400_000).total for weeks in range(0, 9, 4)]
    assert totals == pytest.approx([1.0, 0.5, 0.25])
    assert all(before > later for before, later in pairwise(totals))
