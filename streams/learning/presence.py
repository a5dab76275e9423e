"""Is the person still there, and how often do they come? A small Bayesian model of visiting days.

A person comes at a rate of their own and leaves for good with a constant daily hazard; nobody sees
them leave. Rates are a mixture over a fixed grid, so the posterior from (active days, span,
silence) is a sum over the grid, and exact. How common each rate is among the people is learned
online by EM: the few days known of a newcomer are weighed against it (shrinkage, as a Gamma prior
would, but of any shape). Several learners tell each other the sum of their posteriors over rates,
and each takes it as so many steps of EM at once.
Source: the discrete form of Schmittlein, Morrison, Colombo, Counting your customers (1987), and
Fader, Hardie, Shang, Customer-base analysis in a discrete-time noncontractual setting (2010).
"""

from collections.abc import Iterator, Sequence
from math import exp, log

from msgspec import Struct, field

RATES = (0.03, 0.08, 0.18, 0.34, 0.6, 1.0, 1.8)  # visits a day, in steps of about a factor of two
HAZARD = 0.01  # a day; the churn model corrects it by what else is known of the person
MOST_DAYS = 90  # ahead
FIRST_STEP = 1.0 / 100  # of EM: short histories say little each, so it starts with long steps ...
LAST_STEP = 1.0 / 2_000  # ... and ends following the last few thousand posteriors
FADING = 1.0 - 1.0 / 1_500
LEAST = 1e-4  # no rate ever becomes impossible
MOST_TOLD = 1e9  # posteriors told at once: no day has that many checks

ACTIVE = tuple(1.0 - exp(-rate) for rate in RATES)  # probability of a visit on a day
LOG_ACTIVE = tuple(log(active) for active in ACTIVE)
SILENT = tuple(exp(-rate) * (1.0 - HAZARD) for rate in RATES)  # there all day, without a visit
LOG_SILENT = tuple(log(silent) for silent in SILENT)
COMES = tuple(active * (1.0 - HAZARD) for active in ACTIVE)
LEAVES = tuple(HAZARD / (1.0 - silent) for silent in SILENT)  # the sum of a geometric series

# For each day ahead: still there after that many silent days, and then a visit.
AHEAD = tuple(
    (
        tuple(silent**day for silent in SILENT),
        tuple(silent**day * comes for silent, comes in zip(SILENT, COMES, strict=True)),
    )
    for day in range(MOST_DAYS)
)


class Presence(Struct, array_like=True):
    """How common each of RATES is among the people; sums to 1. `step`: of the next EM step."""

    shares: list[float] = field(default_factory=lambda: [1.0 / len(RATES)] * len(RATES))
    step: float = FIRST_STEP
    own: list[float] = []  # posteriors to be shared: how many, and their sums; empty: none are

    def learn(self, posterior: "Posterior") -> None:
        """One step of online EM; what every rate is given on top keeps each of them possible."""
        step = self.step
        scale = step / posterior.total
        least = step * LEAST
        kept = 1.0 - step - least * len(RATES)
        self.shares = [
            kept * share + scale * (there + left) + least
            for share, there, left in zip(self.shares, posterior.there, posterior.left, strict=True)
        ]
        self.step = max(step * FADING, LAST_STEP)
        if self.own:
            self._keep(posterior)

    def begin_sharing(self) -> None:
        """What is learned from here on is for `share`."""
        if not self.own:
            self.own = [0.0] * (1 + len(RATES))

    def share(self) -> list[float] | None:
        """Number of posteriors learned since the last call, and their sums per rate; None: none."""
        own = self.own
        if not own or not own[0]:
            return None
        self.own = [0.0] * len(own)
        return own

    def absorb(self, delta: Sequence[float]) -> None:
        """Take over posteriors that others learned; what is none changes nothing."""
        if len(delta) != 1 + len(RATES) or not all(0.0 <= part < MOST_TOLD for part in delta):
            return
        count, *sums = delta
        total = sum(sums)
        if count < 1.0 or total <= 0.0:
            return
        least = LEAST * len(RATES)
        moved = 1.0 - (1.0 - self.step * (1.0 + least)) ** count
        self.shares = [
            (1.0 - moved) * share + moved * (part / total + LEAST) / (1.0 + least)
            for share, part in zip(self.shares, sums, strict=True)
        ]
        self.step = max(self.step * FADING**count, LAST_STEP)

    def _keep(self, posterior: "Posterior") -> None:
        own, total = self.own, posterior.total
        own[0] += 1.0
        for rate, (there, left) in enumerate(zip(posterior.there, posterior.left, strict=True), 1):
            own[rate] += (there + left) / total

    def posterior(self, *, active: float, span: float, silence: float) -> "Posterior":
        """After `active` more active days within `span` days of the first, then `silence` days."""
        idle = max(span - active, 0.0)
        logs = [active * log_active - idle * rate for log_active, rate in GRID]
        most = max(logs)
        there, left = [], []
        for share, part, log_silent, leaves in zip(
            self.shares, logs, LOG_SILENT, LEAVES, strict=True
        ):
            weight = share * exp(part - most)
            stays = exp(silence * log_silent)
            there.append(weight * stays)
            left.append(weight * leaves * (1.0 - stays))
        return Posterior(there, left)


GRID = tuple(zip(LOG_ACTIVE, RATES, strict=True))


class Posterior:
    """Weights per rate of being there still, and of having left since the last activity."""

    __slots__ = ("gone", "here", "left", "there", "total")

    def __init__(self, there: list[float], left: list[float]) -> None:
        self.there = there
        self.left = left
        self.here = sum(there)
        self.gone = sum(left)
        self.total = self.here + self.gone

    def days(self, count: int) -> Iterator[tuple[float, float]]:
        """For each coming day, were all before it silent: P(a visit), P(gone by that day)."""
        gone = self.gone
        a, b, c, d, e, f, g = self.there
        # Dot products over RATES, written out: for each day ahead of everybody, every day.
        for (sa, sb, sc, sd, se, sf, sg), (ca, cb, cc, cd, ce, cf, cg) in AHEAD[:count]:
            here = a * sa + b * sb + c * sc + d * sd + e * se + f * sf + g * sg
            visit = a * ca + b * cb + c * cc + d * cd + e * ce + f * cf + g * cg
            total = here + gone
            gone += HAZARD * here
            yield visit / total, gone / total
