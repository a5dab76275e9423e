"""A day's money follows the forecast of demand where that is better than habit, within limits."""

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.budget.account import Account
from streams.engine.budget.coordinator import BOOK_PREFIX, Book, Coordinator
from streams.engine.budget.messages import Report
from streams.engine.budget.pacing import HOURS, JUDGED_DAYS, Curve, missed, released_fen
from streams.engine.state import VERSION_BYTE, decode_row, encode_row
from tests.engine.budget.world import DAY, HOUR_MS, MIDNIGHT_MS

DAY_MS = 24 * HOUR_MS
SATURDAY = 5
DAILY_FEN = 120_000
SHOP = Account("policy", 1, daily_fen=DAILY_FEN, pacing="demand")
LUNCH, EVENING = 12, 20


def weekday(day: int) -> int:
    return (day + 3) % 7


def demand(day: int, random: Random) -> list[int]:
    """Lunch on weekdays, evenings at weekends."""
    peak = EVENING if weekday(day) >= SATURDAY else LUNCH
    return [
        round(random.uniform(0.8, 1.2) * (500 + 30_000 * max(0, 3 - abs(hour - peak))))
        for hour in range(HOURS)
    ]


def tell(curve: Curve, day: int, asked_fen: list[int]) -> None:
    for hour, fen in enumerate(asked_fen):
        if fen:
            curve.count(SHOP, fen, MIDNIGHT_MS + (day - DAY) * DAY_MS + hour * HOUR_MS)


def lived(days: int, *, skipped: frozenset[int] = frozenset()) -> Curve:
    """`days` from a Monday on, and the first hour of one more."""
    curve, random = Curve(), Random(1)
    for day in range(monday(), monday() + days):
        asked_fen = demand(day, random)
        if day - monday() not in skipped:
            tell(curve, day, asked_fen)
    tell(curve, monday() + days, demand(monday() + days, random)[:1])
    return curve


def monday() -> int:
    return DAY - weekday(DAY)


def released(curve: Curve, day: int, hour: int) -> int:
    return released_fen(SHOP, curve, day, MIDNIGHT_MS + (day - DAY) * DAY_MS + hour * HOUR_MS)


def test_money_waits_for_the_evening_at_weekends_once_weekdays_are_known() -> None:
    friday, saturday = lived(32), lived(33)
    assert (weekday(friday.day), weekday(saturday.day)) == (4, SATURDAY)
    assert released(friday, friday.day, 15) > 0.8 * DAILY_FEN
    assert released(saturday, saturday.day, 15) < 0.3 * DAILY_FEN


def test_habit_is_followed_until_the_forecast_was_judged_on_two_weeks() -> None:
    curve = lived(7 + JUDGED_DAYS)
    assert not curve.is_foreseen
    assert curve.weights(SHOP) == curve.habit(SHOP)
    assert lived(8 + JUDGED_DAYS).is_foreseen


def test_a_forecast_that_is_not_clearly_better_is_not_followed() -> None:
    curve, random = Curve(), Random(2)
    for day in range(DAY, DAY + 60):
        tell(curve, day, [random.randrange(20_000) for _ in range(HOURS)])
    assert curve.judged > JUDGED_DAYS
    assert curve.weights(SHOP) == curve.habit(SHOP)


def test_a_forecast_that_turns_bad_gives_way_to_habit_within_weeks() -> None:
    curve, random = lived(34), Random(3)
    assert curve.is_foreseen
    for day in range(curve.day + 1, curve.day + 43):
        tell(curve, day, [random.randrange(20_000) for _ in range(HOURS)])
    assert not curve.is_foreseen


def test_days_without_demand_leave_the_weekdays_in_place() -> None:
    holed = lived(40, skipped=frozenset((30, 31, 32)))
    assert weekday(holed.day) == SATURDAY
    assert holed.is_foreseen
    assert released(holed, holed.day, 15) < 0.3 * DAILY_FEN


def spent_fen(curve: Curve, hours: range) -> int:
    """Where more than enough is asked for in these hours and nothing else all day."""
    spent = 0
    for hour in hours:
        spent += max(0, released(curve, curve.day, hour + 1) - spent)
    return spent


def test_a_day_that_comes_later_than_its_forecast_gets_all_its_money() -> None:
    friday = lived(32)
    assert spent_fen(friday, range(21, HOURS)) == DAILY_FEN


def test_a_day_unlike_its_forecast_is_not_starved() -> None:
    """An evening was expected; lunch came, and some demand before and after it."""
    saturday = lived(33)
    start_ms = MIDNIGHT_MS + (saturday.day - DAY) * DAY_MS
    spent = reached = 0
    for hour in range(HOURS):
        wanted_fen = 40_000 if hour in (11, 12, 13) else 10_000
        saturday.count(SHOP, wanted_fen, start_ms + hour * HOUR_MS)
        before, reached = reached, released(saturday, saturday.day, hour + 1)
        assert before <= reached <= DAILY_FEN
        spent += max(0, min(wanted_fen, reached - spent))
    assert saturday.surprised
    assert spent > 0.95 * DAILY_FEN


def test_a_surprise_ends_with_its_day() -> None:
    curve = lived(33)
    tell(curve, curve.day, [0] * 10 + [DAILY_FEN * 10] + [0] * 13)
    assert curve.surprised
    tell(curve, curve.day + 1, [1] + [0] * 23)
    assert not curve.surprised


AMOUNTS = st.one_of(st.just(0), st.integers(0, 100), st.integers(0, 10**12))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(AMOUNTS, min_size=HOURS, max_size=HOURS), min_size=1, max_size=6),
    st.integers(0, 30),
    st.booleans(),
    st.booleans(),
)
def test_whatever_came_releases_grow_through_the_day_and_end_at_its_money(
    days: list[list[int]], gap: int, follows: bool, surprised: bool
) -> None:
    curve = lived(11)
    for number, asked_fen in enumerate(days, 1):
        tell(curve, monday() + 12 + number * gap, asked_fen)
    curve.judged, curve.missed = JUDGED_DAYS, ((0, 1) if follows else (1, 0))
    curve.surprised = surprised
    assert curve.is_foreseen is follows
    assert all(type(weight) is int and weight >= 1 for weight in curve.weights(SHOP))
    steps = [released(curve, curve.day, hour) for hour in range(HOURS + 1)]
    assert steps == sorted(steps)
    assert steps[0] >= 0
    assert steps[-1] == DAILY_FEN


def test_taken_over_from_its_row_at_any_day_it_goes_on_the_same() -> None:
    for split in (1, 9, 20):
        whole, broken = lived(split), lived(split)
        broken = decode_row(b"K:", encode_row(broken), Curve)
        random = Random(4)
        for day in range(whole.day + 1, whole.day + 16):
            asked_fen = demand(day, random)
            tell(whole, day, asked_fen)
            tell(broken, day, asked_fen)
        assert encode_row(whole) == encode_row(broken)


def test_a_book_of_sixty_four_partitions_is_a_small_row() -> None:
    book = Book(SHOP, [(version, 10**9) for version in range(64)], [10**6] * 64, lived(40))
    assert len(encode_row(book)) <= 4_096


def test_a_book_that_knew_no_forecast_is_taken_over_with_its_habit() -> None:
    past = [10 * hour for hour in range(HOURS)]
    account = list(msgspec.to_builtins(SHOP))
    old = [account, [[1, 300]], [1, 1], [past, [7] * HOURS, DAY]]
    row = VERSION_BYTE + msgspec.msgpack.encode(old)
    book = decode_row(BOOK_PREFIX, row, Book)
    assert book.curve.weights(SHOP) == [weight + 1 for weight in past]
    tell(book.curve, DAY + 1, [1] * HOURS)
    assert book.curve.learned


def test_what_is_told_after_midnight_was_asked_for_before_it() -> None:
    coordinator = Coordinator(1, {})
    coordinator.open(SHOP, MIDNIGHT_MS)
    late = Report(
        account="policy", day=DAY, sequence=1, version=1, at_ms=MIDNIGHT_MS + DAY_MS + 5_000,
        initial_fen=SHOP.initial_fen(DAY, 1), returned_fen=0, spent_fen=0, demand_fen=900, ask=0,
        need_fen=0, unit_fen=900, recalled=0,
    )  # fmt: skip
    coordinator.handle(late, 0, late.at_ms)
    row = coordinator.row(BOOK_PREFIX + b"policy")
    assert row is not None
    curve = decode_row(BOOK_PREFIX, row, Book).curve
    assert (curve.day, curve.current[23], sum(curve.current)) == (DAY, 900, 900)


@pytest.mark.parametrize(
    ("weights", "asked_fen", "part"),
    [
        ([1, 1], [5, 5], 0.0),
        ([1, 0], [0, 9], 1.0),
        ([3, 1], [1, 1], 0.25),
        ([1, 3], [1, 1], 0.25),
    ],
)
def test_missed_is_the_largest_part_of_the_money_that_is_too_early_or_too_late(
    weights: list[int], asked_fen: list[int], part: float
) -> None:
    assert missed(weights, asked_fen) == part * 1_000_000
