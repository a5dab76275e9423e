"""The choosers of all `decide` steps: one per journey and step, with what it has learned.

Arms are known by id: those of every version published so far have a place, so a version that people
are still in and a newer one with another arm share what they have in common.
"""

from collections.abc import Callable, Sequence
from typing import Final

from streams.contract.journeys import HOLD, NOTHING
from streams.engine.choices import CHOOSERS
from streams.engine.choices.choice import Candidate, Chooser, Step
from streams.engine.choices.linear import LinearThompson
from streams.engine.features import WIDTH
from streams.engine.journeys.journey import Due
from streams.engine.state import Pending, decode_row, encode_row

PREFIX: Final = b"l:"
OF_ARM: Final = "#"  # stands in no name: an arm's own row follows that of its step
MOST_ARMS: Final = 16
LEARNS: Final = ("thompson", "linear_thompson", "linucb")


class Choosers:
    """`price_of` tells what a fen of a journey's cost counts for."""

    def __init__(self, changed: dict[bytes, None], price_of: Callable[[str], float]) -> None:
        self._price_of = price_of
        self._changed = changed
        self._named: dict[str, tuple[str, Step, Chooser]] = {}
        self._rows: dict[str, tuple[str, list[str], bytes]] = {}  # loaded and not asked for yet
        self._bends: dict[str, dict[str, bytes]] = {}  # likewise, by arm

    def choose(self, due: Due, passing: Sequence[int]) -> list[float]:
        """The probabilities of the arms that pass, in their order."""
        candidates = [Candidate(due.arms[place].arm, due.arms[place].cost_fen) for place in passing]
        weights = tuple(arm.weight for arm in due.arms)
        price = self._price_of(due.journey.name)
        if due.chooser not in LEARNS:
            step = Step(tuple(arm.arm for arm in due.arms), len(due.features), weights)
            chooser: Chooser = CHOOSERS[due.chooser](step)
        else:
            chooser = self._chooser(due)
        return chooser.propensities(candidates, due.features, floor=due.floor, price=price)

    def look(self, due: Due, passing: Sequence[int]) -> list[float]:
        """As `choose`, for who only asks: nothing is kept."""
        apart = Choosers({}, self._price_of)
        name = f"{due.journey.name}/{due.step}"
        if name in self._rows:
            apart._rows[name] = self._rows[name]
            apart._bends[name] = dict(self._bends.get(name, {}))
        elif name in self._named:
            kind, step, chooser = self._named[name]
            apart._rows[name] = (kind, list(step.arms), chooser.to_row())
        return apart.choose(due, passing)

    def learn_from(self, pending: Pending, *, value_fen: int, cost_fen: int) -> None:
        """What a decision came to. Who was held out got nothing: the same as the arm that sends
        nothing."""
        name = f"{pending.journey}/{pending.step}"
        arm = NOTHING if pending.arm == HOLD else pending.arm
        features = pending.features
        self._wake(name)
        known = self._named.get(name)
        if known is None or arm not in known[1].arms or len(features) != known[1].width:
            return
        known[2].learn(known[1].arms.index(arm), features, value_fen=value_fen, cost_fen=cost_fen)
        self._changed[PREFIX + name.encode()] = None
        if isinstance(known[2], LinearThompson):
            self._changed[PREFIX + f"{name}{OF_ARM}{arm}".encode()] = None

    def row(self, key: bytes) -> bytes | None:
        name, _, arm = key[len(PREFIX) :].decode().partition(OF_ARM)
        kind, step, chooser = self._named[name]
        if not isinstance(chooser, LinearThompson):
            return None if arm else encode_row((kind, list(step.arms), chooser.to_row()))
        if arm:
            bend = chooser.bend_row(arm)
            return None if bend is None else encode_row(bend)
        return encode_row((kind, list(step.arms), chooser.head_row()))

    def load(self, key: bytes, row: bytes) -> None:
        name, _, arm = key[len(PREFIX) :].decode().partition(OF_ARM)
        if arm:
            self._bends.setdefault(name, {})[arm] = decode_row(key, row, bytes)
            return
        self._rows[name] = decode_row(key, row, tuple[str, list[str], bytes])

    def _chooser(self, due: Due) -> Chooser:
        name = f"{due.journey.name}/{due.step}"
        self._wake(name)
        known = self._named.get(name)
        wanted = [arm.arm for arm in due.arms]
        if known is not None and known[0] == due.chooser:
            arms = known[1].arms
            if all(arm in arms for arm in wanted):
                return known[2]
            wanted = [*arms, *(arm for arm in wanted if arm not in arms)][-MOST_ARMS:]
            row = known[2].to_row()
        else:
            row = b""
        step = Step(tuple(wanted), WIDTH)
        chooser: Chooser = CHOOSERS[due.chooser](step)
        if row:
            chooser.from_row(row)
        self._named[name] = (due.chooser, step, chooser)
        self._changed[PREFIX + name.encode()] = None
        if known is not None:
            for arm in known[1].arms:
                if arm not in step.arms or known[0] != due.chooser:  # its row is no more needed
                    self._changed[PREFIX + f"{name}{OF_ARM}{arm}".encode()] = None
        return chooser

    def _wake(self, name: str) -> None:
        loaded = self._rows.pop(name, None)
        if loaded is None:
            return
        kind, arms, row = loaded
        step = Step(tuple(arms), WIDTH)
        chooser: Chooser = CHOOSERS[kind](step)
        chooser.from_row(row)
        if isinstance(chooser, LinearThompson):
            for arm, bend in sorted(self._bends.pop(name, {}).items()):
                if arm in arms:
                    chooser.take_bend(arm, bend)
        self._named[name] = (kind, step, chooser)
