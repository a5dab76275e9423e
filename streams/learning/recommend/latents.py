"""Factors of items, learned by telling what was taken from what was not.

An item's score is the product of its own factors with the faded sums of those of the last items met
(FISM), of one kind where the sum fades fast and of another where it fades slowly; so no person has
factors: nothing of a person must be kept or unlearned, and a newcomer with one visit is served.
Steps are AdaGrad's on the softmax over the item taken and others drawn by a keyed hash. Factors
begin as the mean of those of items with the same tags, and a little from a hash of the id.
Source: Kabbur, Ning, Karypis, FISM: factored item similarity models (KDD 2013); Bengio, Senecal,
Quick training of probabilistic neural nets by importance sampling (2003).
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]
Doubles = NDArray[np.float64]
Places = NDArray[np.int64]

SPREAD: Final = 0.05  # of factors at the beginning
CONTEXTS: Final = 2
START: Final = 1e-3  # initial sums of squared gradients
START_BIAS: Final = 1e-2
BOUND: Final = np.float32(16.0)  # of one factor's magnitude
GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
MIX_2: Final = np.uint64(0x94D049BB133111EB)


class Latents:
    """`size` factors an item for itself, as many for each of CONTEXTS sums, and a bias."""

    def __init__(self, capacity: int, size: int, rate: float, seed: bytes) -> None:
        self.size, self.rate, self.seed = size, np.float32(rate), seed
        self.own: Single = np.zeros((capacity, size), np.float32)  # of the item that may be taken
        wide = CONTEXTS * size
        self.given: Single = np.zeros((capacity, wide), np.float32)  # of items met before
        self.bias: Single = np.zeros(capacity, np.float32)
        self.own_squares: Single = np.full((capacity, size), START, np.float32)
        self.given_squares: Single = np.full((capacity, wide), START, np.float32)
        self.bias_squares: Single = np.full(capacity, START_BIAS, np.float32)

    def begin(self, place: int, item_id: str, akin: Places, weights: Doubles) -> None:
        """Another item stands here from now on; its factors begin as the mean of those akin to
        it, and a little of its own."""
        count = (1 + CONTEXTS) * self.size
        base = blake2b(item_id.encode("utf-8", "surrogatepass"), digest_size=8, key=self.seed)
        even = (spread(base.digest(), count) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        # The sum of a uniform's distance from its middle: as wide as a normal of SPREAD.
        factors = ((even - 0.5) * (SPREAD * 12.0**0.5)).astype(np.float32)
        shares = weights.astype(np.float32)
        self.own[place] = np.einsum("a,ak->k", shares, self.own[akin]) + factors[: self.size]
        self.given[place] = np.einsum("a,ak->k", shares, self.given[akin]) + factors[self.size :]
        self.bias[place] = 0.0
        self.own_squares[place] = START
        self.given_squares[place] = START
        self.bias_squares[place] = START_BIAS

    def scores(self, before: Sequence[int], weights: Single, places: Places) -> Single:
        """Of each of `places`, after these items with these weights, a row for each context."""
        context = self._context(weights, self.given[list(before)])
        scores: Single = np.einsum("ik,k->i", self.own[places], context) + self.bias[places]
        return scores

    def learn(self, taken: int, before: Sequence[int], weights: Single, others: Places) -> None:
        """`taken` was met after `before`, and none of `others` was."""
        places = np.concatenate((np.array([taken]), others[others != taken]))
        history = np.array(before)
        own, given = self.own[places], self.given[history]
        context = self._context(weights, given)
        scores = np.einsum("ik,k->i", own, context) + self.bias[places]
        slopes = np.exp(scores - scores.max())
        slopes /= slopes.sum()
        slopes[0] -= 1.0
        back = weights.T[:, :, None] * np.einsum("i,ik->k", slopes, own)
        self._step(self.own, self.own_squares, places, slopes[:, None] * context[None])
        self._step(self.bias, self.bias_squares, places, slopes)
        self._step(self.given, self.given_squares, history, back.reshape(given.shape))

    def _context(self, weights: Single, given: Single) -> Single:
        parts = given.reshape(len(given), CONTEXTS, self.size)
        context: Single = np.einsum("ca,ack->k", weights, parts)
        return context

    def _step(self, values: Single, squares: Single, places: Places, slopes: Single) -> None:
        grown = squares[places] + slopes * slopes
        squares[places] = grown
        moved = values[places] - self.rate * slopes / np.sqrt(grown)
        values[places] = np.clip(moved, -BOUND, BOUND)


def spread(base: bytes, count: int) -> NDArray[np.uint64]:
    """Numbers of 64 bits that follow from eight bytes (splitmix64)."""
    start = np.uint64(int.from_bytes(base[:8], "big"))
    with np.errstate(over="ignore"):
        state = start + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN
        state = (state ^ (state >> np.uint64(30))) * MIX_1
        state = (state ^ (state >> np.uint64(27))) * MIX_2
        return state ^ (state >> np.uint64(31))


def drawn(seed: bytes, number: int, among: Places, count: int) -> Places:
    """`count` places out of `among`, by a keyed hash of the example's number."""
    base = blake2b(number.to_bytes(8, "big"), digest_size=8, key=seed).digest()
    if not len(among):
        return among
    is_drawn = np.zeros(len(among), dtype=np.bool_)
    is_drawn[(spread(base, count) % np.uint64(len(among))).astype(np.int64)] = True
    return among[is_drawn]
