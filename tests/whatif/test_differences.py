"""A change on a log of history: what would have been different, and for whom."""

from pathlib import Path

import pytest

from streams.contract.policy import Policy
from streams.faults import UserFault
from streams.whatif.report import Report
from tests.engine.journeys import CART, CHURN, journey
from tests.engine.world import MINUTE_MS, NOON_MS, with_policy
from tests.whatif.worlds import DAY_MS, OPEN, World, dumped, spec, tried, weeks

DEAR = {"item_id": "i1", "price_fen": 9_900}
TEA = """
id = "tea_lovers"
version = 1
title = "茶"
status = "draft"
[entry]
on = "product.viewed"
where = "data.price_fen >= 9900"
[[step]]
id = "write"
send = { template = "cart_remind_v1" }
"""


@pytest.fixture(scope="module")
def world() -> World:
    return weeks()


@pytest.fixture(scope="module")
def log(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dumped(world, tmp_path_factory.mktemp("log") / "log.ndjson")


def newly(report: Report) -> dict[str, int]:
    return {one.journey: one.newly for one in report.people if one.newly}


def test_the_log_as_it_was_is_what_went_live(world: World, log: Path) -> None:
    report = tried(log, sets=["policy.cap.0.max=0"])
    assert report.triggers[0] == len(world.triggers) > 20
    assert sum(sum(pair[0] for pair in found.values()) for found in report.outcomes.values()) == (
        len(world.decisions)
    )


@pytest.mark.parametrize(
    "sets", [["policy.gap=4h"], ["journey.cart_rescue.reason=CART_ABANDONED"], ["policy.version=1"]]
)
def test_what_is_in_force_already_makes_no_difference_at_all(log: Path, sets: list[str]) -> None:
    report = tried(log, sets=sets)
    assert report.same
    assert report.triggers[0] == report.triggers[1] > 0
    assert not newly(report)


def test_neither_does_it_between_partitions_that_share_a_budget(tmp_path: Path) -> None:
    world = weeks(with_policy(OPEN, daily_budget_fen=3_000, pacing="even"))
    assert world.count("record.mail") > 0
    assert tried(dumped(world, tmp_path / "log"), sets=["policy.pacing=even"]).same


def test_a_stricter_cap_sends_less_and_reaches_nobody_new(log: Path) -> None:
    report = tried(log, sets=["policy.cap.1.max=1"])
    assert report.triggers[1] < report.triggers[0]
    assert report.people_reached["newly"] == 0
    assert report.outcomes["cart_rescue"]["CAP_PERSON"][1] > 0


def test_a_journey_new_to_the_log_names_the_people_it_would_reach(log: Path) -> None:
    report = tried(log, journeys=[journey(TEA)])
    [found] = [one for one in report.people if one.journey == "tea_lovers"]
    assert found.reached[0] == 0
    assert found.reached[1] == found.newly == 14  # who look at what costs so much
    first = found.examples_newly[0]
    assert first.outcomes == ("", "SENT")
    assert report.notes == ["tea_lovers: a draft is tried as if it were live"]


def test_who_no_longer_gets_something_is_told_with_what_was_decided_on_both_sides(
    log: Path,
) -> None:
    report = tried(log, sets=["policy.default_consent=false"])
    [found] = [one for one in report.people if one.journey == "cart_rescue"]
    assert found.reached[1] == 0
    assert found.no_longer == found.reached[0] > 0
    assert found.examples_no_longer[0].outcomes == ("SENT", "NO_CONSENT")


def test_a_raised_threshold_reaches_a_part_of_the_same_people(log: Path) -> None:
    entry = {"on": "cart.added", "late": "6h", "where": "data.price_fen >= 9900"}
    report = tried(log, journeys=[spec(journey(CART), version=2, entry=entry)])
    [found] = [one for one in report.people if one.journey == "cart_rescue"]
    assert 0 < found.reached[1] < found.reached[0]
    assert found.newly == 0
    assert found.examples_no_longer[0].outcomes == ("SENT", "")


def test_from_a_moment_on_nothing_before_it_differs(log: Path) -> None:
    report = tried(log, sets=["policy.cap.0.max=0"], since_ms=NOON_MS + 3 * DAY_MS)
    days = [(day.triggers[0], day.triggers[1]) for day in report.days]
    assert all(was == would > 0 for was, would in days[:3])
    assert sum(would for _, would in days[4:]) == 0 < sum(was for was, _ in days[4:])


def test_from_the_beginning_on_a_published_journey_is_changed_where_it_was_published(
    tmp_path: Path,
) -> None:
    world = World(OPEN)
    for alias in ("early", "late", "latest"):
        world.see(alias, "user.followed")
    world.see("early", "product.viewed", DEAR)
    world.wait(DAY_MS)
    world.publish(spec(journey(TEA), status="live"))
    world.see("late", "product.viewed", DEAR)
    world.wait(DAY_MS)
    world.publish(spec(journey(TEA), status="live", version=2))
    world.see("latest", "product.viewed", DEAR)
    log = dumped(world, tmp_path / "log")
    assert tried(log, sets=["journey.tea_lovers.version=2"]).same
    quiet = tried(log, sets=["journey.tea_lovers.entry.where=data.price_fen > 99000"])
    assert quiet.by["journey"]["tea_lovers"] == [2, 0]


def test_a_budget_cut_by_a_share_is_told_with_what_was_spent(tmp_path: Path) -> None:
    world = World(with_policy(OPEN, daily_budget_fen=10_000))
    coupon = """
id = "coupons"
version = 1
title = "券"
status = "live"
[entry]
on = "cart.added"
[[step]]
id = "send"
send = { coupon = "WINBACK10" }
"""
    world.publish(journey(coupon))
    for number in range(14):
        world.see(f"p{number}", "user.followed")
        world.see(f"p{number}", "cart.added", {"item_id": "i", "price_fen": 500})
        world.deliver()
        world.wait(MINUTE_MS)
    report = tried(dumped(world, tmp_path / "log"), sets=["policy.daily_budget_fen=-20%"])
    assert report.spend_fen == [10_000, 8_000]
    assert report.money[0].daily_limit_fen == [10_000, 8_000]
    assert report.money[0].greatest_day_fen == [10_000, 8_000]


def test_one_partition_is_a_sample_of_the_log(log: Path) -> None:
    report = tried(log, sets=["policy.gap=4h"], folded=[1])
    assert report.partitions == [1]
    assert report.same


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing is changed"),
        ({"sets": ["policy.gaap=8h"]}, "unknown field `gaap`"),
        ({"sets": ["policy.gap=soon"]}, "gap"),
        ({"sets": ["policy.cap.7.max=1"]}, "no entry '7'; there are: 0, 1"),
        ({"sets": ["journey.nope.title=x"]}, "no journey 'nope'; there are: cart_rescue"),
        ({"sets": ["policy.title=-20%"]}, "no number"),
        ({"sets": ["cart.gap=1h"]}, "write policy.<key>=<value>"),
        ({"journeys": [spec(journey(CHURN), step=[{"id": "a", "send": {"coupon": "NONE"}}])]},
         "the content library has no coupon 'NONE'"),
    ],
)  # fmt: skip
def test_a_change_that_cannot_be_made_says_what_to_do(
    log: Path, given: dict[str, list[str]], said: str
) -> None:
    with pytest.raises(UserFault, match=said.replace("?", r"\?")):
        tried(log, **given)


def test_a_moment_after_the_log_is_refused(log: Path) -> None:
    with pytest.raises(UserFault, match="after the end"):
        tried(log, policy=Policy(), since_ms=NOON_MS + 400 * DAY_MS)
