"""A site's part in a round: clip each person, sum, add noise, and keep the ledger."""

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from operator import mul

from msgspec import Struct, field

from streams.learning.federated.accountant import Budget, Spent, epsilon
from streams.learning.federated.rounds import GRID, Round, Update
from streams.learning.federated.secret import WHOLE, check_key, drawn, gaussians, pair_mask
from streams.learning.logistic import BOUND, OnlineLogistic, bounded, sigmoid

Examples = Sequence[tuple[Sequence[float], bool]]  # of one person: features and label


class Ledger(Struct):
    """What a site has spent. Store it before an update leaves: an update that was lost is spent,
    one that is not on the ledger would be forgotten."""

    last_round: int = 0
    spent: list[Spent] = field(default_factory=list)


class Declined(Exception):
    """The site does not take part, and why."""


class Site:
    """`key`: 32 secret bytes of the site; `pair_keys`: by the name of another site, what the two
    of them share, for rounds with masks.

    Raises ValueError for a key of another length.
    """

    def __init__(
        self,
        name: str,
        key: bytes,
        budget: Budget,
        ledger: Ledger | None = None,
        pair_keys: Mapping[str, bytes] | None = None,
    ) -> None:
        self.name = name
        self.budget = budget
        self.ledger = ledger or Ledger()
        self._key = check_key(key)
        self._pair_keys = {name: check_key(key) for name, key in (pair_keys or {}).items()}

    def epsilon(self) -> float:
        """Spent so far, at the budget's delta."""
        return epsilon(self.ledger.spent, self.budget.delta)

    def contribute(self, round: Round, people: Mapping[str, Examples]) -> Update:
        """The clipped and noised sum of what each person would change; enters the ledger.

        Raises Declined where the budget does not allow it, or the round is none to take part in.
        """
        self._check(round, len(people))
        after = _entered(self.ledger.spent, round)
        if epsilon(after, self.budget.delta) > self.budget.epsilon:
            raise Declined(
                f"round {round.number} would spend epsilon {epsilon(after, self.budget.delta):.3f} "
                f"of {self.budget.epsilon:g} at delta {self.budget.delta:g}"
            )
        self.ledger.spent, self.ledger.last_round = after, round.number
        digest = round.digest()
        sums = [0] * len(round.weights)
        for person in sorted(people):
            if round.sampled == 1.0 or drawn(self._key, digest, person, round.sampled):
                _add(sums, clipped(round, people[person]))
        if round.noise:
            spread = round.noise * GRID
            normal = gaussians(self._key, digest)
            sums = [total + int(spread * next(normal) // 1) for total in sums]
        if round.masked:
            sums = self._masked(round, digest, sums)
        return Update(
            round=round.number,
            digest=digest.hex(),
            site=self.name,
            values=sums,
            with_sites=sorted(round.sites) if round.masked else [],
        )

    def _check(self, round: Round, people: int) -> None:
        declared = round.sites.get(self.name)
        if declared is None:
            raise Declined(f"round {round.number} is without {self.name}")
        if round.number <= self.ledger.last_round:
            raise Declined(
                f"round {round.number} is over: the last one answered is {self.ledger.last_round}"
            )
        if people > declared:
            raise Declined(f"{people} people, of {declared} declared: declare more")
        if not round.noise and self.budget.epsilon < inf:
            raise Declined(f"round {round.number} has no noise, and the budget is finite")
        if round.masked:
            missing = sorted({*round.sites} - {*self._pair_keys, self.name})
            if missing:
                raise Declined(f"no key is shared with {', '.join(missing)}")

    def _masked(self, round: Round, digest: bytes, sums: list[int]) -> list[int]:
        for other in sorted(round.sites):
            if other != self.name:
                sign = 1 if self.name < other else -1
                mask = pair_mask(self._pair_keys[other], digest, len(sums))
                sums = [total + sign * part for total, part in zip(sums, mask, strict=True)]
        return [total % WHOLE for total in sums]


def clipped(round: Round, examples: Examples) -> list[int]:
    """The mean gradient of one person's examples, no longer than the clipping length, in units of
    the grid; rounded towards 0, so that rounding makes it no longer."""
    size = len(round.names)
    slope = [0.0] * (size + 1)
    for x, y in examples:
        if len(x) != size:
            raise ValueError(f"an example has {len(x)} features, the round {size}")
        values = x if sum(map(abs, x)) <= BOUND else [bounded(value) for value in x]
        logit = round.weights[-1] + sum(map(mul, round.weights, values))
        error = sigmoid(logit) - (1.0 if y else 0.0)
        for place, value in enumerate(values):
            slope[place] += error * value
        slope[-1] += error
    length = sqrt(sum(part * part for part in slope)) / max(len(examples), 1)
    scale = GRID / max(length, round.clip) / max(len(examples), 1)
    return [int(part * scale) for part in slope]


def model(round: Round, rate: float = 0.05) -> OnlineLogistic:
    """A local model that begins with the shared weights and goes on learning online."""
    found = OnlineLogistic(rate=rate)
    found.begin(round.names, round.weights[:-1])
    found.intercept = round.weights[-1]
    return found


def _entered(spent: list[Spent], round: Round) -> list[Spent]:
    """The ledger with one round more; rounds of one kind are counted together."""
    found = [Spent(part.noise, part.sampled, part.rounds) for part in spent]
    if found and (found[-1].noise, found[-1].sampled) == (round.noise, round.sampled):
        found[-1].rounds += 1
    else:
        found.append(Spent(round.noise, round.sampled, 1))
    return found


def _add(sums: list[int], part: Sequence[int]) -> None:
    for place, value in enumerate(part):
        sums[place] += value
