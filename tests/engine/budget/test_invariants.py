"""Money is never spent twice and never lost, whatever comes late, twice or after a crash."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.budget.account import TOTAL, Account, Pacing
from tests.engine.budget.world import DAY, HOUR_MS, MIDNIGHT_MS, World

PARTITIONS = 3
TOTAL_FEN, DAILY_FEN = 12_000, 7_000
PARTITION = st.integers(0, PARTITIONS - 1)
COPIES = st.integers(1, 2)

STEP = st.one_of(
    st.tuples(st.just("spend"), PARTITION, st.sampled_from([1, 10, 300, 999])),
    st.tuples(st.just("report"), PARTITION, COPIES),
    st.tuples(st.just("lease"), PARTITION, COPIES),
    st.tuples(st.just("wait"), st.sampled_from([500, 61_000, HOUR_MS]), st.just(0)),
    st.tuples(st.just("crash"), st.just(0), st.just(0)),
)
STEPS = st.lists(STEP, max_size=120)


def play(world: World, step: tuple[str, int, int]) -> None:
    act, first, second = step
    if act == "spend":
        world.spend(first, second)
    elif act == "report":
        world.deliver_report(first, second)
    elif act == "lease":
        world.deliver_lease(first, second)
    elif act == "wait":
        world.now_ms += first
        world.day = DAY + (world.now_ms - MIDNIGHT_MS) // (24 * HOUR_MS)
    else:
        world.crash()


def account(version: int = 1, total_fen: int = TOTAL_FEN, pacing: Pacing = "none") -> Account:
    return Account("policy", version, total_fen=total_fen, daily_fen=DAILY_FEN, pacing=pacing)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from(["none", "even", "demand"]))
def test_no_interleaving_spends_more_than_a_limit(
    steps: list[tuple[str, int, int]], pacing: Pacing
) -> None:
    """Spent and still spendable money together stay within what is leased, and that within the
    limit, after each step."""
    world = World(PARTITIONS)
    world.publish(account(pacing=pacing))
    for step in steps:
        play(world, step)
        for day, limit_fen in ((TOTAL, TOTAL_FEN), (world.day, DAILY_FEN)):
            leased_fen = world.coordinator.leased_fen("policy", day)
            bound_fen = leased_fen or limit_fen  # before it hears of a day it keeps no books of it
            assert leased_fen <= limit_fen
            assert world.spent_fen(day) + world.held_fen(day) <= bound_fen


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_nothing_is_lost_once_everything_is_returned(steps: list[tuple[str, int, int]]) -> None:
    world = World(PARTITIONS)
    world.publish(account())
    for step in steps:
        play(world, step)
    world.publish(Account("policy", 2, closed=True))
    world.settle()
    assert world.coordinator.leased_fen("policy", TOTAL) == world.spent_fen()
    assert world.held_fen() == 0


@settings(max_examples=100, deadline=None)
@given(STEPS, st.lists(st.integers(0, 119), max_size=6))
def test_a_crash_at_any_place_changes_nothing(
    steps: list[tuple[str, int, int]], crashes: list[int]
) -> None:
    whole, broken = World(PARTITIONS), World(PARTITIONS)
    for world in (whole, broken):
        world.publish(account(pacing="demand"))
    for number, step in enumerate(step for step in steps if step[0] != "crash"):
        if number in crashes:
            broken.crash()
        for world in (whole, broken):
            play(world, step)
    for world in (whole, broken):
        world.crash()
    assert whole.stored == broken.stored
    assert (whole.reports, whole.leases) == (broken.reports, broken.leases)


PUBLISH = st.tuples(st.just("publish"), st.integers(-1, PARTITIONS - 1), st.just(0))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(STEP, PUBLISH), max_size=120),
    st.lists(st.sampled_from([3_000, 12_000, 20_000]), min_size=1, max_size=4),
)
def test_versions_may_reach_partitions_in_any_order_of_partitions(
    steps: list[tuple[str, int, int]], totals: list[int]
) -> None:
    """No version's limit may be broken while versions are under way; the largest one bounds."""
    versions = [
        Account("policy", number, total_fen=total, daily_fen=total // 2)
        for number, total in enumerate(totals, 1)
    ]
    world = World(PARTITIONS)
    opened = dict.fromkeys(range(-1, PARTITIONS), 0)

    def publish(owner: int) -> None:
        if opened[owner] < len(versions):
            version = versions[opened[owner]]
            opened[owner] += 1
            if owner < 0:
                world.open_coordinator(version)
            else:
                world.open_purse(owner, version)

    for act, first, second in steps:
        if act == "publish":
            publish(first)
        elif act != "spend" or opened[first]:
            play(world, (act, first, second))
        for day, largest in ((TOTAL, max(totals)), (world.day, max(totals) // 2)):
            assert world.spent_fen(day) + world.held_fen(day) <= largest
            leased_fen = world.coordinator.leased_fen("policy", day)
            if leased_fen and opened[-1] == max(opened.values()):
                assert world.spent_fen(day) + world.held_fen(day) <= leased_fen
    for owner in opened:
        for _ in versions:
            publish(owner)
    world.settle()
    for day, limit_fen in ((TOTAL, totals[-1]), (world.day, totals[-1] // 2)):
        assert world.spent_fen(day) + world.held_fen(day) <= max(limit_fen, world.spent_fen(day))
