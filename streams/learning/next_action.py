"""What comes next: P(next action) from the last two actions and the time since, counted online.

Three orders of a Markov chain, each shrunk to the one below it (Dirichlet), and one that knows how
long ago the last action was. They are mixed by how well each foresaw the actions so far, with a
share that lets a better one catch up (Herbster, Warmuth, Tracking the best expert, 1998). Counts
fade, so habits may change; they add up over partitions. A handful of additions an action, exact,
and each number can be shown to whoever asks why.
Source of the shrinkage: MacKay, Peto, A hierarchical Dirichlet language model (1995).
"""

from collections.abc import Sequence
from math import log
from operator import mul
from typing import Final

from msgspec import Struct

from streams.learning import rows

GAPS_MS: Final = (60_000, 1_800_000, 21_600_000)  # a minute, a visit, a good part of a day
PRIOR: Final = (1.0, 20.0, 20.0, 20.0)  # how many actions a context's parent counts as
SHARE: Final = 0.001
FADING: Final = 1.0 - 1.0 / 25_000
EVERY: Final = 16  # one action in so many is judged: enough for the figures
MOST: Final = 1e6  # of one count, after which a context is halved
MIXTURE: Final = -1  # among what changed, beside the places of contexts
OWN: Final = -2
MOST_OWN: Final = 2_000  # contexts between two shares: one row; what is beyond is not told
ORDERS: Final = 4  # everybody, last action, last two, last and gap


class _Context(Struct, array_like=True):
    """Counts after one last action: of the next; by the one before; by the gap."""

    next: list[float]
    before: list[list[float]]
    gap: list[list[float]]


class _Mixture(Struct, array_like=True):
    weights: list[float]
    everybody: list[float]
    actions: int = 0
    loss: float = 0.0  # nats, fading
    loss_markov: float = 0.0  # of the first order alone
    hits: float = 0.0
    judged: float = 0.0


class _Own(Struct, array_like=True):
    counted: dict[int, int]


class NextAction:
    """`names` of the actions; places in it are what is learned and foreseen."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        size = len(names)
        self._mixture = _Mixture([1.0 / ORDERS] * ORDERS, [0.0] * size)
        self._contexts = [self._empty() for _ in names]
        self._changed: dict[int, None] = {}
        self._sharing = False
        self._own: dict[int, int] = {}  # actions since the last share, by context

    def begin_sharing(self) -> None:
        """What is counted from here on is for `share`."""
        self._sharing = True

    def share(self) -> list[int] | None:
        """What was counted here since the last call, as (context, count) one after the other; None:
        nothing."""
        if not self._own:
            return None
        found = [number for pair in self._own.items() for number in pair]
        self._own = {}
        self._changed[OWN] = None
        return found

    def absorb(self, counted: list[int]) -> None:
        """What another learner counted. What is of no known context changes nothing."""
        for code, count in zip(counted[::2], counted[1::2], strict=True):
            before, last, gap, action = self._context(code)
            if -1 <= last < len(self.names) and count > 0:
                self._add(before, last, gap, action, float(count))

    def learn(self, before: int, last: int, gap_ms: int, action: int) -> float:
        """Count an action; returns its probability before that. `before` and `last` are places, -1
        where the person did nothing yet."""
        mixture = self._mixture
        given = self._given(before, last, gap_ms, action)
        probability: float = sum(map(mul, mixture.weights, given))
        if mixture.actions % EVERY == 0:
            self._judge(before, last, gap_ms, given[1], probability, action)
        scale, even = (1.0 - SHARE) / probability, SHARE / ORDERS
        mixture.weights = [
            scale * w * p + even for w, p in zip(mixture.weights, given, strict=True)
        ]
        mixture.actions += 1
        gap = gap_of(gap_ms)
        self._add(before, last, gap, action, 1.0)
        if self._sharing:
            code = self._code(before, last, gap, action)
            if code in self._own or len(self._own) < MOST_OWN:
                self._own[code] = self._own.get(code, 0) + 1
                self._changed[OWN] = None
        return probability

    def probabilities(self, before: int, last: int, gap_ms: int) -> list[float]:
        """Of each action, summing to 1. Changes nothing."""
        parts = self._parts(before, last, gap_ms)
        a, b, c, d = self._mixture.weights
        found = [a * w + b * x + c * y + d * z for w, x, y, z in zip(*parts, strict=True)]
        total = sum(found)
        return [value / total for value in found]

    def metrics(self) -> dict[str, float]:
        """Of the last two hundred thousand actions; log-losses in nats."""
        mixture = self._mixture
        judged = max(mixture.judged, 1.0)
        return {
            "log_loss": mixture.loss / judged,
            "log_loss_markov": mixture.loss_markov / judged,
            "accuracy": mixture.hits / judged,
            "actions": float(mixture.actions),
        }

    def changed_rows(self, prefix: bytes) -> list[tuple[bytes, bytes | None]]:
        found: list[tuple[bytes, bytes | None]] = []
        for place in self._changed:
            if place == MIXTURE:
                found.append((prefix + b"mixture", rows.pack(self._mixture)))
            elif place == OWN:
                found.append((prefix + b"own", rows.pack(_Own(self._own))))
            else:
                found.append((prefix + b"%d" % place, rows.pack(self._contexts[place])))
        self._changed.clear()
        return found

    def load_row(self, name: bytes, row: bytes) -> None:
        """Raises ValueError for an unknown name, or actions other than these."""
        size = len(self.names)
        if name == b"mixture":
            mixture = rows.unpack(row, _Mixture)
            if len(mixture.everybody) != size:
                raise ValueError(f"counts are of {len(mixture.everybody)} actions, not {size}")
            self._mixture = mixture
        elif name == b"own":
            self._own = rows.unpack(row, _Own).counted
        elif name.isdigit() and int(name) < size:
            self._contexts[int(name)] = rows.unpack(row, _Context)
        else:
            raise ValueError(f"no row {name!r} of next actions")

    def _parts(self, before: int, last: int, gap_ms: int) -> list[list[float]]:
        """What each order gives every action."""
        size = len(self.names)
        everybody = _shrunk(self._mixture.everybody, [1.0 / size] * size, PRIOR[0] * size)
        if last < 0:
            return [everybody] * ORDERS
        context = self._contexts[last]
        first = _shrunk(context.next, everybody, PRIOR[1])
        second = _shrunk(context.before[before], first, PRIOR[2]) if before >= 0 else first
        timed = _shrunk(context.gap[gap_of(gap_ms)], first, PRIOR[3])
        return [everybody, first, second, timed]

    def _given(self, before: int, last: int, gap_ms: int, action: int) -> list[float]:
        """What each order gives one action: what `_parts` gives all of them, quicker."""
        counts = self._mixture.everybody
        size = len(counts)
        everybody = (counts[action] + PRIOR[0]) / (sum(counts) + PRIOR[0] * size)
        if last < 0:
            return [everybody] * ORDERS
        context = self._contexts[last]
        first = _share(context.next, action, everybody, PRIOR[1])
        second = first
        if before >= 0:
            second = _share(context.before[before], action, first, PRIOR[2])
        timed = _share(context.gap[gap_of(gap_ms)], action, first, PRIOR[3])
        return [everybody, first, second, timed]

    def _judge(
        self, before: int, last: int, gap_ms: int, markov: float, probability: float, action: int
    ) -> None:
        mixture = self._mixture
        mixture.judged = FADING * mixture.judged + 1.0
        mixture.loss = FADING * mixture.loss - log(probability)
        mixture.loss_markov = FADING * mixture.loss_markov - log(markov)
        likely = self.probabilities(before, last, gap_ms)
        mixture.hits = FADING * mixture.hits + (likely[action] >= max(likely))

    def _code(self, before: int, last: int, gap: int, action: int) -> int:
        """A context and an action as one number."""
        size = len(self.names)
        return (((last + 1) * (size + 1) + before + 1) * (len(GAPS_MS) + 1) + gap) * size + action

    def _context(self, code: int) -> tuple[int, int, int, int]:
        """What `_code` was made of."""
        rest, action = divmod(code, len(self.names))
        rest, gap = divmod(rest, len(GAPS_MS) + 1)
        last, before = divmod(rest, len(self.names) + 1)
        return before - 1, last - 1, gap, action

    def _add(self, before: int, last: int, gap: int, action: int, count: float) -> None:
        touched = [self._mixture.everybody]
        self._changed[MIXTURE] = None
        if last >= 0:
            context = self._contexts[last]
            touched += (context.next, context.gap[gap])
            if before >= 0:
                touched.append(context.before[before])
            self._changed[last] = None
        for counts in touched:
            counts[action] += count
            if counts[action] > MOST:
                counts[:] = [count / 2.0 for count in counts]

    def _empty(self) -> _Context:
        size = len(self.names)
        return _Context(
            [0.0] * size,
            [[0.0] * size for _ in range(size)],
            [[0.0] * size for _ in range(len(GAPS_MS) + 1)],
        )


def gap_of(gap_ms: int) -> int:
    """The place of a gap among GAPS_MS, len(GAPS_MS) for a longer one."""
    for place, end_ms in enumerate(GAPS_MS):
        if gap_ms <= end_ms:
            return place
    return len(GAPS_MS)


def _share(counts: list[float], action: int, parent: float, prior: float) -> float:
    return (counts[action] + prior * parent) / (sum(counts) + prior)


def _shrunk(counts: list[float], parent: list[float], prior: float) -> list[float]:
    scale = 1.0 / (sum(counts) + prior)
    return [(count + prior * share) * scale for count, share in zip(counts, parent, strict=True)]
