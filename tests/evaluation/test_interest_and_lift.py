"""Interest hits against baselines, and the effect of a treatment with its interval."""

from math import isinf
from random import Random

import pytest

from streams.evaluation.interest import Ranked, Seen, report
from streams.evaluation.lift import lift


def test_a_hit_is_a_category_among_the_first_k_of_the_profile_before_the_visit() -> None:
    ranked = [Ranked(5, 1, ("a", "b")), Ranked(15, 1, ("c", "b"))]
    visits = [Seen(1, 1, "b"), Seen(10, 1, "a"), Seen(20, 1, "a")]
    judged = report(ranked, visits, k=1)
    assert (judged.cases, judged.hit) == (2, 0.5)


def test_a_profile_written_at_the_visit_does_not_count_as_known_before() -> None:
    visits = [Seen(1, 1, "a"), Seen(10, 1, "a")]
    assert report([Ranked(10, 1, ("a",))], visits).cases == 0


def test_baselines_know_earlier_visits_only() -> None:
    ranked = [Ranked(0, person, ("z",)) for person in (1, 2)]
    visits = [Seen(1, 2, "a"), Seen(2, 2, "a"), Seen(3, 1, "b"), Seen(4, 1, "b")]
    judged = report(ranked, visits, k=1, truth={1: ["b"], 2: ["a"]})
    assert (judged.hit, judged.hit_popularity, judged.hit_last_seen) == (0.0, 0.5, 1.0)
    assert judged.hit_best == 1.0


def test_the_interval_of_an_effect_covers_the_truth_nearly_always() -> None:
    rng, covered = Random(3), 0
    for _ in range(200):
        treated = [float(rng.random() < 0.5) for _ in range(150)]
        held_out = [float(rng.random() < 0.4) for _ in range(60)]
        found = lift(treated, held_out)
        covered += found.low <= 0.1 <= found.high
    assert 0.9 < covered / 200 <= 1.0


def test_an_effect_is_the_difference_of_means() -> None:
    found = lift([1.0, 0.0, 1.0, 1.0], [0.0, 1.0])
    assert found.effect == pytest.approx(0.25)
    assert (found.treated, found.held_out) == (4, 2)


def test_a_group_of_one_has_an_unbounded_interval() -> None:
    assert isinf(lift([1.0], [0.0, 1.0]).high)
