"""Rounds of federated learning: the records, the coordinator's part, and what it refuses.

A round's record fixes everything a site needs: features, weights, clipping, noise, who may take
part. Its digest goes into each update, so an update against other weights is found out. The sum of
gradients becomes one AdaGrad step of the shared weights.
Source: McMahan et al., Learning differentially private recurrent language models (ICLR 2018), for
clipping by person; Reddi et al., Adaptive federated optimization (ICLR 2021), for the step.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from math import isfinite, sqrt
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from streams.learning.federated.secret import WHOLE

VERSION: Final = 1
GRID: Final = 1 << 20  # units of an update in the clipping length
MOST_UNITS: Final = 1 << 62
TAILS: Final = 8.0  # standard deviations of noise an honest update may have in one value
MOST_FEATURES: Final = 4_096
START: Final = 1e-3  # initial sum of squares of the step


class Round(Struct, frozen=True, kw_only=True):
    """`weights` have the intercept last; `sites`: who may take part, with their declared number of
    people; `noise`: standard deviation over `clip`, of each site's own noise."""

    number: int
    names: list[str]
    weights: list[float]
    squares: list[float]
    sites: dict[str, int]
    clip: float = 1.0
    noise: float = 0.0
    sampled: float = 1.0
    rate: float = 0.5
    masked: bool = False
    version: int = VERSION

    def __post_init__(self) -> None:
        size = len(self.names) + 1
        if not 0 < len(self.names) <= MOST_FEATURES:
            raise ValueError(f"a round has 1 to {MOST_FEATURES} features, not {len(self.names)}")
        if len(self.weights) != size or len(self.squares) != size:
            raise ValueError(f"{len(self.names)} features need {size} weights and squares")
        if not all(map(isfinite, (*self.weights, *self.squares))):
            raise ValueError("weights and squares must be finite")
        if self.version > VERSION:
            raise ValueError(f"a round of version {self.version}; this program knows {VERSION}")
        if not (self.clip > 0.0 and isfinite(self.clip)):
            raise ValueError(f"clip is {self.clip}, must be above 0")
        if not (self.noise >= 0.0 and isfinite(self.noise)):
            raise ValueError(f"noise is {self.noise}, must be 0 or more")
        if not 0.0 < self.sampled <= 1.0:
            raise ValueError(f"sampled is {self.sampled}, must be above 0 and at most 1")
        if not self.sites or min(self.sites.values()) < 1:
            raise ValueError("a round needs sites, each with people")

    def digest(self) -> bytes:
        """Of everything in the record."""
        return blake2b(msgspec.json.encode(self, order="sorted"), digest_size=16).digest()


class Update(Struct, frozen=True, kw_only=True):
    """What leaves a site. `values`: the noised sum in units of clip / GRID; where masked, modulo
    2**64. `with_sites`: whose masks are in it."""

    round: int
    digest: str
    site: str
    values: list[int]
    with_sites: list[str] = []
    version: int = VERSION


class Refusal(NamedTuple):
    site: str
    reason: str


class Combined(NamedTuple):
    """`next` is None where nothing could be used."""

    next: Round | None
    used: list[str]
    refused: list[Refusal]


def begin(
    names: Sequence[str],
    sites: Mapping[str, int],
    *,
    clip: float = 1.0,
    noise: float = 0.0,
    sampled: float = 1.0,
    rate: float = 0.5,
    masked: bool = False,
) -> Round:
    """The first round: weights of 0. Raises ValueError for settings that make no round."""
    return Round(
        number=1,
        names=list(names),
        weights=[0.0] * (len(names) + 1),
        squares=[START] * (len(names) + 1),
        sites=dict(sites),
        clip=clip,
        noise=noise,
        sampled=sampled,
        rate=rate,
        masked=masked,
    )


def combine(current: Round, updates: Iterable[Update]) -> Combined:
    """The next round out of what came; what cannot be used is refused with a reason."""
    accepted: dict[str, Update] = {}
    refused: list[Refusal] = []
    digest = current.digest().hex()
    for update in updates:
        reason = _fault(current, digest, update)
        if not reason and update.site in accepted:
            reason = "came twice: the first one counts"
        if reason:
            refused.append(Refusal(update.site, reason))
        else:
            accepted[update.site] = update
    used = sorted(accepted)
    sums = [sum(accepted[site].values[i] for site in used) for i in range(len(current.weights))]
    if current.masked and used:
        sums = [_signed(total) for total in sums]
        missing = sorted({*current.sites} - {*used})
        reason = f"masks do not cancel without {', '.join(missing)}: begin again without them"
        if not missing and not _plausible(current, sums, used):
            reason = "the sum is longer than clipping and noise allow: one of the sites is at fault"
        if missing or not _plausible(current, sums, used):
            return Combined(None, [], refused + [Refusal(site, reason) for site in used])
    if not used:
        return Combined(None, [], refused)
    return Combined(_step(current, sums, used), used, refused)


def _fault(current: Round, digest: str, update: Update) -> str:
    """Why an update cannot be used; empty where it can."""
    if update.version > VERSION:
        return f"is of version {update.version}, this program knows {VERSION}"
    if update.site not in current.sites:
        return "is of a site that does not take part"
    if update.round != current.number:
        return f"is of round {update.round}, this is {current.number}"
    if update.digest != digest:
        return "was made against other weights or settings"
    if len(update.values) != len(current.weights):
        return f"has {len(update.values)} values, not {len(current.weights)}"
    if current.masked:
        if sorted(update.with_sites) != sorted(current.sites):
            return "carries masks of other sites than those of the round"
        if not all(0 <= value < WHOLE for value in update.values):
            return "has values outside 64 bits"
        return ""
    if update.with_sites:
        return "carries masks in a round without"
    if not _plausible(current, update.values, [update.site]):
        return "is longer than clipping and noise allow"
    return ""


def _plausible(current: Round, sums: Sequence[int], sites: Sequence[str]) -> bool:
    """Whether an honest sum of these sites could be that long."""
    people = sum(current.sites[site] for site in sites)
    noise = TAILS * current.noise * sqrt(len(sites) * len(sums))
    most = (people + noise + len(sums)) * GRID
    return all(abs(value) < MOST_UNITS for value in sums) and (
        sum(value * value for value in sums) <= int(most) ** 2
    )


def _signed(total: int) -> int:
    total %= WHOLE
    return total - WHOLE if total >= WHOLE // 2 else total


def _step(current: Round, sums: Sequence[int], used: Sequence[str]) -> Round:
    people = sum(current.sites[site] for site in used) * current.sampled
    weights, squares = [], []
    for total, weight, before in zip(sums, current.weights, current.squares, strict=True):
        slope = total * current.clip / GRID / people
        square = before + slope * slope
        weights.append(weight - current.rate * slope / sqrt(square))
        squares.append(square)
    return msgspec.structs.replace(
        current, number=current.number + 1, weights=weights, squares=squares
    )
