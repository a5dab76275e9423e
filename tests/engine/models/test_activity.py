"""The summary of what a person did."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.profile.activity import DAY_MS, Activity

START_MS = 1_790_784_000_000
TIMES = st.lists(
    st.integers(START_MS, START_MS + 27 * DAY_MS), min_size=1, max_size=40, unique=True
)


def after(events: list[int]) -> Activity:
    activity = Activity()
    for time_ms in events:
        activity.record("page.viewed", time_ms)
    return activity


@given(TIMES, st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(times: list[int], random) -> None:
    mixed = list(times)
    random.shuffle(mixed)
    one, other = after(sorted(times)), after(mixed)
    now_ms = START_MS + 30 * DAY_MS
    assert one.decayed(now_ms) == pytest.approx(other.decayed(now_ms), rel=1e-9)
    for name in ("first_ms", "last_ms", "last_day", "days", "bitmap"):
        assert getattr(one, name) == getattr(other, name)


@given(TIMES)
def test_decayed_counts_are_sums_of_what_is_left_of_each_event(times: list[int]) -> None:
    now_ms = START_MS + 30 * DAY_MS
    expected = [
        sum(0.5 ** ((now_ms - time_ms) / (days * DAY_MS)) for time_ms in times)
        for days in (1, 7, 28)
    ]
    assert after(times).decayed(now_ms) == pytest.approx(expected, rel=1e-9)


def test_years_later_old_events_weigh_nothing_and_numbers_stay_finite() -> None:
    activity = after([START_MS])
    for year in range(1, 30):
        activity.record("page.viewed", START_MS + year * 365 * DAY_MS)
    count_1, _, count_28 = activity.decayed(activity.last_ms)
    assert count_1 == pytest.approx(1.0)
    assert count_28 == pytest.approx(1.0, abs=1e-3)


def test_the_landmark_moves_without_any_rounding() -> None:
    early, late = after([START_MS, START_MS + DAY_MS]), after([START_MS, START_MS + DAY_MS])
    later_ms = START_MS + 300 * DAY_MS
    early.record("push.delivered", later_ms)  # moves the landmark, is no activity
    early.approaches, early.approaches_7 = 0, 0.0
    early._rebase(later_ms)
    assert early.decayed(later_ms) == late.decayed(later_ms)


@given(TIMES)
def test_active_days_are_counted_once_each(times: list[int]) -> None:
    days = {(time_ms + 8 * 3_600_000) // DAY_MS for time_ms in times}
    activity = after(times)
    assert activity.days == len(days)
    assert activity.bitmap.bit_count() == len(days)


def test_deliveries_and_refunds_are_no_activity() -> None:
    activity = Activity()
    for kind in ("push.delivered", "coupon.sent", "order.refunded", "unknown.type"):
        activity.record(kind, START_MS)
    assert (activity.last_ms, activity.days, activity.approaches) == (0, 0, 2)


def test_orders_ratings_and_responses_are_counted() -> None:
    activity = Activity()
    activity.record("order.paid", START_MS, spend_fen=5_000)
    activity.record("order.rated", START_MS + 1, stars=2)
    activity.record("order.refunded", START_MS + 2, spend_fen=-1_000)
    activity.record("coupon.used", START_MS + 3)
    assert (activity.orders, activity.spend_fen, activity.last_order_ms) == (1, 4_000, START_MS)
    assert (activity.ratings, activity.stars, activity.responses) == (1, 2, 1)
    assert activity.displeasure_7 > activity.rating_28 > 0.0


def test_a_summary_stays_within_150_bytes_and_round_trips() -> None:
    activity = Activity()
    times = range(START_MS, START_MS + 400 * DAY_MS, DAY_MS // 3)
    for before_ms, time_ms in pairwise(times):
        activity.record("order.paid", time_ms, spend_fen=10_000, stars=5)
        activity.record("push.delivered", before_ms)
        activity.record("push.clicked", before_ms)
        activity.record("order.cancelled", before_ms)
    row = msgspec.msgpack.encode(activity)
    assert len(row) <= 150
    assert msgspec.msgpack.decode(row, type=Activity) == activity
