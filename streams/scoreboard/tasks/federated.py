"""Sites that show each other clipped and noised sums only: what is lost, and what is won.

CDNOW's customers stand in five sites of unequal size and kind: they are sorted by what they spent
first, so each site has customers of its own sort. The first eighth of the weeks teaches, as if all
sites had just begun, and the rest is judged with weights as they are then. A federation's weights
are made of all sites' people, at an epsilon counted per person. Peers: each site alone, and
everything pooled, which nobody would be allowed to do.
"""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from math import inf

import numpy as np
from numpy.typing import NDArray

from streams.learning.federated.accountant import Budget, noise_for
from streams.learning.federated.rounds import Round, begin, combine
from streams.learning.federated.site import Site
from streams.learning.logistic import OnlineLogistic, sigmoid
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch
from streams.scoreboard.labelled import Example, fast_auc, weeks_of_customers

SHARES = (0.0, 0.02, 0.06, 0.16, 0.4, 1.0)  # where one site ends and the next begins
EPSILONS = (1.0, 3.0, 8.0, inf)
DELTA = 1e-5
ROUNDS = 20
CLIP = 0.1
RATE = 0.5
TAUGHT = 1 / 8  # of the time
SPENT = 4  # the feature customers are sorted by
RESAMPLES = 100
SEEDS = 2  # of the noise; the mean is shown

Examples = Sequence[tuple[Sequence[float], bool]]


def run(fetch: Fetch) -> list[Score]:
    names, examples = weeks_of_customers(fetch)
    return compare("CDNOW: buys in the coming week, 5 sites that begin", names, examples)


def compare(
    data: str,
    names: Sequence[str],
    examples: Sequence[Example],
    epsilons: Sequence[float] = EPSILONS,
) -> list[Score]:
    begin_s, end_s = examples[0].known_s, examples[-1].known_s
    until_s = begin_s + TAUGHT * (end_s - begin_s)
    past = [example for example in examples if example.known_s <= until_s]
    future = [example for example in examples if example.known_s > until_s]
    sites = split(past)
    known = [example for example in future if example.person in sites]
    labels = np.array([example.y for example in known])
    at_site = np.array([sites[example.person] for example in known])
    pooled = online(names, past)
    alone = [
        online(names, [example for example in past if sites[example.person] == site])
        for site in range(len(SHARES) - 1)
    ]
    by_itself = np.array(
        [sigmoid(alone[sites[example.person]].logit(example.x)) for example in known]
    )
    peers = {
        "each site alone": within(by_itself, labels, at_site),
        "pooled": within(given(pooled, known), labels, at_site),
    }
    smallest = {
        "each site alone": fast_auc(by_itself[at_site == 0], labels[at_site == 0]),
        "pooled": fast_auc(given(pooled, known)[at_site == 0], labels[at_site == 0]),
    }
    found = []
    for epsilon in epsilons:
        runs = [
            given(federated(names, past, sites, epsilon, seed), known)
            for seed in range(1 if epsilon == inf else SEEDS)
        ]

        def mean(at: Indices, runs: list[NDArray[np.float64]] = runs) -> float:
            return float(np.mean([within(run[at], labels[at], at_site[at]) for run in runs]))

        everything = np.arange(len(known))
        low, high = interval(mean, [e.person for e in known], resamples=RESAMPLES)
        first = float(np.mean([fast_auc(r[at_site == 0], labels[at_site == 0]) for r in runs]))
        others = ", ".join(f"{name} {value:.4f}" for name, value in smallest.items())
        found.append(
            Score(
                task="federated",
                data=data,
                metric=f"mean AUC within sites, epsilon {epsilon:g}",
                ours=mean(everything),
                low=low,
                high=high,
                cases=len(known),
                peers=peers,
                note=f"per person, delta {DELTA:g}, {ROUNDS} rounds; "
                f"smallest site {first:.4f} ({others})",
            )
        )
    return found


def split(past: Sequence[Example]) -> dict[str, int]:
    """The site of each person: sorted by the feature SPENT when first seen."""
    first: dict[str, float] = {}
    for example in past:
        first.setdefault(example.person, example.x[SPENT])
    order = sorted(first, key=lambda person: (first[person], person))
    found = {}
    for site, (low, high) in enumerate(pairwise(SHARES)):
        for person in order[int(low * len(order)) : int(high * len(order))]:
            found[person] = site
    return found


def federated(
    names: Sequence[str],
    past: Sequence[Example],
    sites: Mapping[str, int],
    epsilon: float,
    seed: int,
) -> OnlineLogistic:
    """The weights after all rounds, through the sites' own code and budgets."""
    people: list[dict[str, list[tuple[Sequence[float], bool]]]] = [{} for _ in SHARES[1:]]
    for example in past:
        mine = people[sites[example.person]]
        mine.setdefault(example.person, []).append((example.x, example.y))
    budget = Budget(epsilon, DELTA)
    members = [
        Site(f"site {number}", blake2b(b"%d %d" % (seed, number), digest_size=32).digest(), budget)
        for number in range(len(people))
    ]
    current: Round = begin(
        names,
        {member.name: len(mine) for member, mine in zip(members, people, strict=True)},
        clip=CLIP,
        noise=noise_for(budget, ROUNDS),
        rate=RATE,
    )
    for _ in range(ROUNDS):
        updates = [
            member.contribute(current, mine) for member, mine in zip(members, people, strict=True)
        ]
        combined = combine(current, updates)
        assert combined.next is not None and not combined.refused
        current = combined.next
    model = OnlineLogistic()
    model.begin(names, current.weights[:-1])
    model.intercept = current.weights[-1]
    return model


def online(names: Sequence[str], examples: Sequence[Example]) -> OnlineLogistic:
    """One pass, as the engine's learners make it."""
    model = OnlineLogistic(rate=0.05)
    model.begin(names, [0.0] * len(names))
    for example in examples:
        model.learn(example.x, example.y)
    return model


def given(model: OnlineLogistic, examples: Sequence[Example]) -> NDArray[np.float64]:
    return np.array([sigmoid(model.logit(example.x)) for example in examples])


def within(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], at_site: NDArray[np.int64]
) -> float:
    """The mean over sites of the AUC among their own people."""
    sites = sorted(set(at_site.tolist()))
    return float(
        np.mean([fast_auc(scores[at_site == site], labels[at_site == site]) for site in sites])
    )
