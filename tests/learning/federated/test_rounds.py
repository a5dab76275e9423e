"""Rounds between sites: what leaves, what is refused, what it costs."""

from collections.abc import Callable
from math import inf, isfinite, nan, sqrt
from random import Random
from statistics import fmean, pstdev

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.learning.federated.accountant import Budget
from streams.learning.federated.rounds import GRID, Round, Update, begin, combine
from streams.learning.federated.secret import drawn, gaussians
from streams.learning.federated.site import Declined, Ledger, Site, clipped, model
from streams.learning.logistic import sigmoid

FREE = Budget(inf)
NAMES = ["a", "b"]
People = dict[str, list[tuple[list[float], bool]]]


def key(number: int) -> bytes:
    return bytes([number]) * 32


def people(count: int, seed: int) -> People:
    random = Random(seed)
    found: People = {}
    for number in range(count):
        x = [random.gauss(0, 1), random.gauss(0, 1)]
        found[f"{seed}-{number}"] = [(x, random.random() < sigmoid(2.0 * x[0] - x[1]))]
    return found


def first(sites: int = 2, **settings: object) -> Round:
    return begin(NAMES, {f"s{n}": 100 for n in range(sites)}, **settings)  # type: ignore[arg-type]


def updates(current: Round, budget: Budget = FREE) -> list[Update]:
    return [
        Site(name, key(number), budget).contribute(current, people(100, number))
        for number, name in enumerate(sorted(current.sites))
    ]


def test_rounds_without_noise_find_the_law_of_all_sites() -> None:
    current = first(rate=1.0)
    sites = [Site(f"s{number}", key(number), FREE) for number in range(2)]
    those = [people(100, number) for number in range(2)]
    for _ in range(40):
        made = [site.contribute(current, mine) for site, mine in zip(sites, those, strict=True)]
        found = combine(current, made).next
        assert found is not None
        current = found
    assert current.number == 41
    assert current.weights[0] > 1.0
    assert current.weights[1] < -0.5
    assert model(current).logit([1.0, 0.0]) == pytest.approx(
        current.weights[0] + current.weights[2]
    )


@given(st.lists(st.tuples(st.floats(), st.floats(), st.booleans()), max_size=5))
def test_no_person_changes_more_than_the_clipping_length(rows: list) -> None:
    part = clipped(first(clip=0.3), [([a, b], y) for a, b, y in rows])
    assert sqrt(sum(value * value for value in part)) <= GRID


def test_one_person_more_changes_an_update_by_at_most_the_clipping_length() -> None:
    current = first(clip=0.01)
    those = people(99, 1)
    without = Site("s0", key(0), FREE).contribute(current, those)
    those["another"] = [([900.0, -900.0], True)] * 50
    full = Site("s0", key(0), FREE).contribute(current, those)
    apart = [a - b for a, b in zip(full.values, without.values, strict=True)]
    assert 0.9 * GRID < sqrt(sum(value * value for value in apart)) <= GRID


def test_noise_has_the_promised_spread_and_is_another_with_another_key() -> None:
    current = begin([f"f{n}" for n in range(2_000)], {"s": 1}, noise=5.0)
    one = Site("s", key(1), Budget(100.0)).contribute(current, {}).values
    other = Site("s", key(2), Budget(100.0)).contribute(current, {}).values
    assert pstdev(one) / GRID == pytest.approx(5.0, rel=0.1)
    assert fmean(one) / GRID == pytest.approx(0.0, abs=0.5)
    assert one != other
    assert Site("s", key(1), Budget(100.0)).contribute(current, {}).values == one
    later = msgspec.structs.replace(current, number=2)
    assert Site("s", key(1), Budget(100.0)).contribute(later, {}).values != one


def test_normal_numbers_are_normal() -> None:
    source = gaussians(key(1), b"test")
    found = [next(source) for _ in range(20_000)]
    assert fmean(found) == pytest.approx(0.0, abs=0.03)
    assert pstdev(found) == pytest.approx(1.0, abs=0.03)
    assert sum(abs(x) > 1.96 for x in found) / 20_000 == pytest.approx(0.05, abs=0.008)


def test_each_person_is_drawn_with_the_same_chance() -> None:
    share = sum(drawn(key(1), b"round", str(n), 0.3) for n in range(10_000)) / 10_000
    assert share == pytest.approx(0.3, abs=0.02)


def test_a_budget_that_is_spent_ends_a_site_s_part() -> None:
    site, current = Site("s0", key(0), Budget(2.0)), first(noise=5.0)
    done = 0
    with pytest.raises(Declined, match="would spend epsilon"):
        for number in range(1, 100):
            site.contribute(msgspec.structs.replace(current, number=number), people(10, 1))
            done = number
    assert 0 < done < 20
    assert site.epsilon() <= 2.0
    assert sum(part.rounds for part in site.ledger.spent) == done


def test_a_round_is_answered_once_even_by_a_site_started_anew() -> None:
    ledger = Ledger()
    Site("s0", key(0), FREE, ledger).contribute(first(), people(10, 1))
    with pytest.raises(Declined, match="is over"):
        Site("s0", key(0), FREE, ledger).contribute(first(), people(10, 2))


def test_a_site_declines_what_it_has_no_part_in() -> None:
    with pytest.raises(Declined, match="without nobody"):
        Site("nobody", key(0), FREE).contribute(first(), {})
    with pytest.raises(Declined, match="no noise"):
        Site("s0", key(0), Budget(1.0)).contribute(first(), {})
    with pytest.raises(Declined, match="declare more"):
        Site("s0", key(0), FREE).contribute(first(), people(101, 1))
    with pytest.raises(Declined, match="no key is shared with s1"):
        Site("s0", key(0), FREE).contribute(first(masked=True), {})
    with pytest.raises(ValueError, match="32 bytes"):
        Site("s0", b"short", FREE)


CHANGES: list[tuple[str, dict[str, object]]] = [
    ("does not take part", {"site": "nobody"}),
    ("is of round 9", {"round": 9}),
    ("other weights", {"digest": "00" * 16}),
    ("has 1 values", {"values": [1]}),
    ("longer than clipping", {"values": [1 << 40, 0, 0]}),
    ("longer than clipping", {"values": [1 << 200, 0, 0]}),
    ("masks in a round without", {"with_sites": ["s0", "s1"]}),
    ("is of version 9", {"version": 9}),
]


@pytest.mark.parametrize(("reason", "change"), CHANGES)
def test_an_update_that_cannot_be_used_is_refused_and_the_others_count(
    reason: str, change: dict[str, object]
) -> None:
    current = first()
    good, other = updates(current)
    found = combine(current, [good, msgspec.structs.replace(other, **change)])
    assert found.used == ["s0"]
    assert [reason in refusal.reason for refusal in found.refused] == [True]
    assert found.next == combine(current, [good]).next


def test_an_update_that_came_twice_counts_once() -> None:
    current = first()
    made = updates(current)
    found = combine(current, [*made, made[0]])
    assert found.next == combine(current, made).next
    assert [refusal.reason for refusal in found.refused] == ["came twice: the first one counts"]


def test_the_order_of_updates_does_not_matter_and_none_is_no_round() -> None:
    current = first(3)
    made = updates(current)
    assert combine(current, made).next == combine(current, made[::-1]).next
    assert combine(current, []).next is None


def masked_updates(current: Round) -> list[Update]:
    names = sorted(current.sites)
    pairs = {
        frozenset((a, b)): key(100 + 10 * i + j)
        for i, a in enumerate(names)
        for j, b in enumerate(names)
        if i < j
    }
    return [
        Site(
            name,
            key(number),
            FREE,
            pair_keys={other: pairs[frozenset((name, other))] for other in names if other != name},
        ).contribute(current, people(100, number))
        for number, name in enumerate(names)
    ]


def test_masks_hide_each_update_and_leave_the_sum_as_it_is() -> None:
    plain, masked = first(3), first(3, masked=True)
    hidden, shown = masked_updates(masked), updates(plain)
    with_masks, without = combine(masked, hidden).next, combine(plain, shown).next
    assert with_masks is not None and without is not None
    assert with_masks.weights == without.weights
    for one, other in zip(hidden, shown, strict=True):
        assert all(abs(a - b) > 1 << 40 for a, b in zip(one.values, other.values, strict=True))


def test_a_site_that_drops_out_of_a_masked_round_ends_it() -> None:
    masked = first(3, masked=True)
    found = combine(masked, masked_updates(masked)[:2])
    assert found.next is None
    assert "without s2" in found.refused[0].reason


def test_a_sum_that_no_honest_sites_could_have_made_is_refused() -> None:
    masked = first(3, masked=True)
    made = masked_updates(masked)
    values = [(value + (1 << 50)) % (1 << 64) for value in made[0].values]
    found = combine(masked, [msgspec.structs.replace(made[0], values=values), *made[1:]])
    assert found.next is None
    assert "one of the sites is at fault" in found.refused[0].reason


WRONG: list[Callable[[], Round]] = [
    lambda: begin([], {"s": 1}),
    lambda: begin(NAMES, {}),
    lambda: begin(NAMES, {"s": 0}),
    lambda: first(clip=0.0),
    lambda: first(clip=nan),
    lambda: first(noise=-1.0),
    lambda: first(sampled=0.0),
    lambda: msgspec.structs.replace(first(), weights=[nan, 0.0, 0.0]),
    lambda: msgspec.structs.replace(first(), version=2),
]


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_that_make_no_round_are_refused(wrong: Callable[[], Round]) -> None:
    with pytest.raises(ValueError, match=r"."):
        wrong()


@given(st.lists(st.integers(-(1 << 70), 1 << 70), min_size=3, max_size=3))
@settings(max_examples=20)
def test_no_update_makes_a_weight_non_finite(values: list[int]) -> None:
    current = first()
    update = updates(current)[0]
    found = combine(current, [msgspec.structs.replace(update, values=values)]).next
    assert found is None or all(map(isfinite, found.weights))
