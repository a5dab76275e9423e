"""What people do next: learned at each action, asked by journeys and profiles."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from streams.engine.models.doing import NAMES, TYPES, Doing
from streams.engine.models.model import Body, Model, Surroundings
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.state import UserState
from streams.learning.next_action import GAPS_MS, MOST_OWN, NextAction

CART, ORDER, PAY = NAMES.index("cart"), NAMES.index("order"), NAMES.index("pay")
PREFIX = b"m:next_action/"
CODES = (len(NAMES) + 1) ** 2 * (len(GAPS_MS) + 1) * len(NAMES)  # a context and an action each


class Counted(Struct):
    """Contexts and counts, one after the other."""

    counted: Annotated[list[Annotated[int, Meta(ge=0, le=10**9)]], Meta(max_length=2 * MOST_OWN)]

    def __post_init__(self) -> None:
        if len(self.counted) % 2 or any(code >= CODES for code in self.counted[::2]):
            raise ValueError("contexts that are none, or without a count")


class NextActionModel(Model):
    NAME = "next_action"
    LISTENS = frozenset(TYPES)

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._actions = NextAction(NAMES)
        if around.partitions > 1:
            self._actions.begin_sharing()

    def learn(self, moment: Moment) -> list[Effect]:
        """Late actions are not counted: they did not come next."""
        state, second = moment.person.state, moment.time_ms // 1000
        doing, action = state.doing, TYPES[moment.type]
        if doing is None:
            doing = state.doing = Doing()
        if second < doing.last_s:
            return []
        gap_ms = (second - doing.last_s) * 1000 if doing.last_s else 0
        self._actions.learn(doing.before, doing.last, gap_ms, action)
        doing.before, doing.last, doing.last_s = doing.last, action, second
        if action == CART:
            doing.cart_s = second
        elif action in (ORDER, PAY):
            doing.cart_s = 0
        return []

    def probability(self, state: UserState, action: str, now_ms: int) -> float:
        """P(the next thing the person does is this). Raises ValueError for no such action."""
        if action not in NAMES:
            raise ValueError(f"no action {action!r}; there is: {', '.join(NAMES)}")
        return self._of(state, now_ms)[NAMES.index(action)]

    def likeliest(self, state: UserState, now_ms: int) -> tuple[str, float]:
        """The action that is most probable next, and its probability."""
        found = self._of(state, now_ms)
        place = max(range(len(found)), key=found.__getitem__)
        return NAMES[place], found[place]

    def _of(self, state: UserState, now_ms: int) -> list[float]:
        doing = state.doing or Doing()
        gap_ms = max(now_ms - doing.last_s * 1000, 0)
        return self._actions.probabilities(doing.before, doing.last, gap_ms)

    def share(self) -> Body | None:
        counted = self._actions.share()
        return None if counted is None else {"counted": counted}

    def read_delta(self, delta: Body) -> Counted:
        return msgspec.convert(delta, Counted)

    def absorb(self, delta: Counted, now_ms: int) -> None:
        self._actions.absorb(delta.counted)

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        return self._actions.changed_rows(PREFIX)

    def load_row(self, key: bytes, row: bytes) -> None:
        self._actions.load_row(key[len(PREFIX) :], row)

    def metrics(self) -> dict[str, float]:
        return self._actions.metrics()
