"""Demand is counted over all partitions and forecast every midnight; too little stock is told."""

from datetime import timedelta
from random import Random

import msgspec
import pytest

from streams.contract.content import CouponSku, Library
from streams.contract.insights import Alert, Forecast, InsightRecord
from streams.contract.topics import INSIGHTS
from streams.engine.calendars import EPOCH
from streams.engine.fold import EngineFold
from streams.engine.insight import MODELS
from streams.engine.models.demand import HOUR_MS, SERIES, DemandModel, Series, SeriesRow
from streams.engine.profile.activity import day_of
from streams.fold import Row
from streams.learning import rows
from streams.learning.forecast.forecaster import SeriesForecaster
from tests.engine.world import DAY_MS, MINUTE_MS, OPEN, World, altered

STOCKED = Library(
    spec="content/1",
    coupons=[
        CouponSku(
            sku="tea5",
            title="tea",
            face_value_fen=500,
            cost_fen=500,
            valid_ms=DAY_MS,
            stock=120,
        )
    ],
)


def world(partitions: int = 1, library: Library | None = None) -> World:
    content = Library(spec="content/1") if library is None else library
    made = World(altered(OPEN, journeys=(), partitions=partitions, content=content))
    until(made, 0)
    return made


def pay(made: World, alias: str, category: str = "tea") -> None:
    items = [{"item_id": f"i-{category}", "category": category}]
    made.see(
        alias,
        "order.paid",
        {"order_id": f"o{made.now_ms}{alias}", "amount_fen": 900, "items": items},
    )


def until(made: World, hour: int) -> None:
    """The next time it is this hour in Shanghai."""
    made.wait((hour * HOUR_MS - made.now_ms - 8 * HOUR_MS) % DAY_MS)


def days(made: World, number: int, orders: int = 3) -> None:
    """Everybody orders at eight in the evening; mail arrives a minute after midnight."""
    random = Random(1)
    for _ in range(number):
        until(made, 20)
        for place in range(orders + random.randrange(2)):
            pay(made, f"p{place}")
        until(made, 0)
        made.wait(MINUTE_MS)
        made.deliver()
        made.wait(15 * MINUTE_MS)


def told(made: World) -> list[InsightRecord]:
    found = [output.value for output in made.outputs if output.topic == INSIGHTS]
    return [msgspec.json.decode(value, type=InsightRecord) for value in found if value]


def forecasts(made: World) -> dict[str, Forecast]:
    """The last one of each series."""
    return {one.series: one for one in told(made) if isinstance(one, Forecast)}


def demand(made: World, partition: int = 0) -> DemandModel:
    return made.folds[partition].engine.insight.model(DemandModel)


def test_the_model_stands_in_the_list() -> None:
    assert DemandModel in MODELS


def test_orders_by_the_hour_are_forecast_at_the_hour_when_people_buy() -> None:
    made = world()
    days(made, 5)
    found = forecasts(made)["orders"]
    assert (found.step_ms, len(found.mean)) == (HOUR_MS, 24)
    assert max(range(24), key=found.mean.__getitem__) == 20
    assert found.mean[20] == pytest.approx(3.5, abs=1.0)
    bounds = zip(found.low, found.mean, found.high, strict=True)
    assert all(low <= mean <= high for low, mean, high in bounds)


def test_categories_are_forecast_by_the_day_once_two_weeks_are_known() -> None:
    made = world()
    days(made, 13)
    assert "item:tea" not in forecasts(made)
    days(made, 3)
    found = forecasts(made)["item:tea"]
    assert (found.step_ms, len(found.mean)) == (DAY_MS, 7)
    assert sum(found.mean) == pytest.approx(24.5, rel=0.25)
    assert demand(made).expected("item:tea", 7) == pytest.approx(sum(found.mean), abs=0.01)


def test_each_series_is_told_once_a_day() -> None:
    made = world()
    days(made, 6)
    found = [(one.series, one.start_ms) for one in told(made) if isinstance(one, Forecast)]
    assert len(found) == len(set(found)) > 0
    assert all(start_ms % DAY_MS == 16 * HOUR_MS for _, start_ms in found)


def test_partitions_count_as_one_and_each_series_is_told_by_one_of_them() -> None:
    alone, split = world(), world(partitions=3)
    for made in (alone, split):
        days(made, 5, orders=8)
    assert forecasts(alone).keys() == forecasts(split).keys()
    for name, found in forecasts(split).items():
        assert found.mean == pytest.approx(forecasts(alone)[name].mean)
    owners = {(one.series, one.partition) for one in told(split) if isinstance(one, Forecast)}
    assert len(owners) == len(forecasts(split))
    assert split.count("model.demand.late") == 0


def test_what_comes_after_the_day_was_closed_counts_in_the_next_one_and_is_told() -> None:
    made = world(partitions=3)
    for place in range(12):
        pay(made, f"p{place}")
    made.wait(DAY_MS + HOUR_MS)
    made.deliver()
    late = made.count("model.demand.late")
    assert late > 0
    days(made, 1)
    totals = [
        series.row.total
        for place in range(3)
        for name, series in demand(made, place)._series.items()
        if name == "orders"
    ]
    assert len(totals) == 1
    assert 15 <= totals[0] <= 16


def test_more_claims_than_stock_are_told_once_a_day() -> None:
    made = world(library=STOCKED)
    for day in range(20):
        for place in range(6):
            made.see(f"p{place}", "coupon.claimed", {"coupon_id": f"c{day}-{place}", "sku": "tea5"})
        made.wait(DAY_MS)
    alerts = [one for one in told(made) if isinstance(one, Alert)]
    assert alerts
    assert len({one.alert_id for one in alerts}) == len(alerts)
    first = alerts[0]
    assert (first.kind, first.name) == ("stock", "coupon:tea5")
    assert first.level > first.reference


def test_enough_stock_is_no_alert() -> None:
    plenty = msgspec.structs.replace(STOCKED.coupons[0], stock=10_000)
    made = world(library=msgspec.structs.replace(STOCKED, coupons=[plenty]))
    for day in range(16):
        made.see("p1", "coupon.claimed", {"coupon_id": f"c{day}", "sku": "tea5"})
        made.wait(DAY_MS)
    assert not [one for one in told(made) if isinstance(one, Alert)]


def test_a_flood_of_names_stays_within_bounds_and_is_counted() -> None:
    made = world()
    for number in range(300):
        pay(made, "p1", f"category {number}")
    made.wait(DAY_MS)
    assert len(demand(made)._series) <= SERIES
    assert made.count("model.demand.dropped") > 0


def test_names_of_any_length_and_alphabet_stay_within_the_row() -> None:
    made = world(2)
    for number in range(300):
        pay(made, f"p{number % 7}", f"{number:03}" + "\U0001f375" * 61)
        made.see("p1", "coupon.claimed", {"coupon_id": "\U0001f9cb" * 120 + str(number)})
        assert all(len(row.value or b"") <= 16_384 for fold in made.folds for row in rows_of(fold))
    made.wait(DAY_MS)
    made.deliver()
    assert all(len(row.value or b"") <= 16_384 for fold in made.folds for row in rows_of(fold))
    assert made.count("model.demand.dropped") > 0


def rows_of(fold: EngineFold) -> list[Row]:
    return [row for row in fold.changed_rows() if row.key.startswith(b"m:demand")]


def test_taken_over_from_its_rows_it_goes_on_bit_for_bit() -> None:
    made = world()
    days(made, 4)
    model = demand(made)
    model._changed |= dict.fromkeys([b"m:demand/calendar", b"m:demand/counts"])
    model._changed |= {b"m:demand/series/" + name.encode(): None for name in model._series}
    stored = model.changed_rows()
    assert all(row is not None and len(row) <= 16_384 for _, row in stored)
    successor = DemandModel(model.around)
    for key, row in reversed(stored):
        assert row is not None
        successor.load_row(key, row)
    later = made.now_ms + 2 * DAY_MS
    assert successor.due_ms == model.due_ms
    assert successor.settle(later) == model.settle(later)
    assert sorted(successor.changed_rows()) == sorted(model.changed_rows())


def test_an_unknown_row_is_refused() -> None:
    with pytest.raises(ValueError, match="m:demand/other"):
        demand(world()).load_row(b"m:demand/other", b"")


def test_whole_weeks_without_a_record_leave_the_weekdays_in_place() -> None:
    made = world()
    days(made, 3)
    model = demand(made)
    before = model._series["item:tea"].forecaster.learned
    model.settle(made.now_ms + 40 * DAY_MS)
    learned = model._series["item:tea"].forecaster.learned - before
    assert learned < 14
    assert (40 - learned) % 7 == 0


def test_a_series_begins_unknown() -> None:
    assert not Series("item:tea").told
    assert demand(world()).expected("item:tea", 7) == 0.0


def holidays(made: World, *ahead: int) -> None:
    """These days from now on are public ones, by a policy that is published."""
    today = day_of(made.now_ms)
    policy = msgspec.to_builtins(made.config.policy)
    policy["quiet"]["holidays"] = [str(EPOCH + timedelta(days=today + day)) for day in ahead]
    made.command("policy", "policy", policy, made.config.policy.version + 1)


def test_what_a_holiday_does_is_no_habit_and_the_next_one_is_foreseen() -> None:
    made = world()
    model = demand(made)
    holidays(made, 20, 21, 30)
    days(made, 20, orders=6)
    days(made, 2, orders=30)
    days(made, 7, orders=6)
    days_ahead = forecasts(made)["item:tea"].mean
    holiday, others = days_ahead[1], days_ahead[2:]
    assert max(others) < 15  # a week after thirty of them
    assert holiday > 1.8 * min(others)
    assert model.expected("item:tea", 7) == pytest.approx(sum(days_ahead), abs=0.01)


def test_before_a_holiday_was_seen_nothing_is_thought_of_it() -> None:
    plain, listed = world(), world()
    holidays(listed, 16, 17)
    for made in (plain, listed):
        days(made, 12, orders=6)
    assert forecasts(plain) == forecasts(listed)


def test_a_series_that_knew_no_occasions_is_taken_over() -> None:
    old = SeriesForecaster(season=7, horizon=7, floor=0.0)
    for number in range(30):
        old.learn_one(float(20 + 10 * (number % 7 == 5)))
    row = SeriesRow(met=5.0, total=600, learned=old.state())
    model = demand(world())
    model.load_row(b"m:demand/series/item:tea", rows.pack(row))
    assert model.expected("item:tea", 7) == pytest.approx(sum(old.forecast(7)))
