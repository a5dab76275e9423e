"""Is the person still there, and how often do they come? A small Bayesian model of visiting days.

A person comes at a rate of their own and leaves for good with a constant daily hazard; being gone is not
seen. Rates are a mixture over a fixed grid, so the posterior from (active days, span, silence) is a sum
over the grid and exact. How common each rate is among the people is learned online by EM: that is what
the few days known of a newcomer are weighed against.
Source: the discrete form of Schmittlein, Morrison, Colombo, Counting your customers (1987); see also
Fader, Hardie, Shang, Customer-base analysis in a discrete-time noncontractual setting (2010).
"""

from collections.abc import Iterator
from math import exp, log
from operator import mul

from msgspec import Struct, field

RATES = (0.03, 0.08, 0.18, 0.34, 0.6, 1.0, 1.8)  # visits a day
HAZARD = 0.015  # a day; the churn model corrects it by what is known of the person
ACTIVE = tuple(1.0 - exp(-rate) for rate in RATES)  # probability of a day with a visit
LOG_ACTIVE = tuple(log(active) for active in ACTIVE)
LOG_IDLE = tuple(-rate for rate in RATES)
LOG_STAY = log(1.0 - HAZARD)
LOG_SILENT = tuple(-rate + LOG_STAY for rate in RATES)  # a day there without a visit
SILENT = tuple(exp(logarithm) for logarithm in LOG_SILENT)
COMES = tuple(active * (1.0 - HAZARD) for active in ACTIVE)
LEFT = tuple(HAZARD / (1.0 - silent) for silent in SILENT)  # sum of a geometric series
STEP = 1.0 / 3_000  # of the population's shares per posterior seen
LEAST_SHARE = 1e-4


class Presence(Struct, array_like=True):
    """How common each rate of RATES is; sums to 1."""

    shares: list[float] = field(default_factory=lambda: [1.0 / len(RATES)] * len(RATES))

    def learn(self, posterior: list[float]) -> None:
        """One step of online EM: shares move towards a person's posterior."""
        shares = [share + STEP * (part - share) for share, part in zip(self.shares, posterior, strict=True)]
        self.shares = [max(share, LEAST_SHARE) for share in shares]

    def weights(self, active: float, span: float, silence: float) -> tuple[list[float], list[float]]:
        """Per rate: weight of being there still, and of having left since the last activity.

        `active` days after the first one within `span` days, then `silence` days.
        """
        idle = max(span - active, 0.0)
        logs = [active * a + idle * b for a, b in zip(LOG_ACTIVE, LOG_IDLE, strict=True)]
        most = max(logs)
        base = [share * exp(part - most) for share, part in zip(self.shares, logs, strict=True)]
        stays = [exp(silence * part) for part in LOG_SILENT]
        there = list(map(mul, base, stays))
        left = [b * part * (1.0 - stay) for b, part, stay in zip(base, LEFT, stays, strict=True)]
        return there, left


def days_ahead(there: list[float], left: float, days: int) -> Iterator[tuple[float, float]]:
    """For each coming day, were all before it silent: P(a visit), P(still there on that day)."""
    for _ in range(days):
        here = sum(there)
        comes = sum(map(mul, there, COMES))
        total = here + left
        yield comes / total, here * (1.0 - HAZARD) / total
        left += HAZARD * here
        there = list(map(mul, there, SILENT))
