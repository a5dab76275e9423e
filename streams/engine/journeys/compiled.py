"""A journey's file made ready to run: durations in milliseconds, conditions as functions, steps by
number. Raises JourneyError, which names the place in the file.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from msgspec.structs import asdict

from streams.contract.journeys import END, Arm, JourneySpec, Step, listed
from streams.engine.journeys.journey import Rules
from streams.engine.journeys.view import View
from streams.engine.journeys.vocabulary import (
    Vocabulary,
    Words,
    check_type,
    fields_of,
    kept_fields,
    others_in,
)
from streams.engine.moment import DAILY_CHECK
from streams.expressions import Expression, ExpressionError, Kind, compile_expression
from streams.expressions.durations import duration_ms

ENTRY: Final = "enter"  # the step of decisions about an entry
MOST_STEPS: Final = 64
RESERVED: Final = (ENTRY, END)
WAITS: Final = ("wait", "until", "wait_for")  # kinds of step at which time passes
ALWAYS: Final[Callable[[View], object]] = lambda _: True  # noqa: E731


class JourneyError(ValueError):
    """What is wrong in a journey's file, and where."""


class CompiledArm(NamedTuple):
    spec: Arm
    when: Callable[[View], object]


class CompiledStep(NamedTuple):
    """`after`, `then`, `otherwise` and `failed` are numbers of steps; the last one's number plus
    one is the end."""

    id: str
    kind: str
    after: int
    wait_ms: int = 0
    until: str = ""
    waits_on: frozenset[str] = frozenset()
    within_ms: int = 0
    condition: Callable[[View], object] = ALWAYS
    then: int = 0
    otherwise: int = 0
    failed: int = 0
    paths: tuple[tuple[int, str, float], ...] = ()  # of a split: step, its id, weight
    arms: tuple[CompiledArm, ...] = ()
    chooser: str = "fixed"
    floor: float = 0.0
    expires_ms: int = 0


class Reward(NamedTuple):
    """When a decision's result is known, and what it is worth."""

    on: frozenset[str]
    where: Callable[[View], object]
    value: Callable[[View], object] | None
    window_ms: int


class Journey:
    """One version of a journey. `keeps`: which fields of the entry event its instances keep;
    `wants`: places that ask it to keep who another person is, which it does not."""

    def __init__(self, spec: JourneySpec, vocabulary: Vocabulary) -> None:
        self.spec = spec
        self.name = spec.id
        self.version = spec.version
        self.rules = _rules(spec)
        self.on = tuple(listed(spec.entry.on))
        self.exits = frozenset(spec.exit.on)
        self.expressions: list[tuple[str, Expression]] = []
        self._vocabulary = vocabulary
        self._step_ids = [step.id for step in spec.steps]
        self._check_shape()
        entry = spec.entry
        self.enter = self._condition("entry.where", entry.where, on=self.on, inside=False)
        self.guard = self._condition("entry.guard", entry.guard)
        others = others_in(self.on)
        self.key = self._key(entry.key)
        keyed = entry.key.partition(".")[2] in others
        if keyed:  # one was published before that was refused: its people have one instance each
            self.key = None
        self.late_ms = duration_ms(entry.late)
        self.cooldown_ms = duration_ms(entry.reentry.cooldown)
        self.retry_ms = duration_ms(entry.reentry.retry)
        self.per_ms = duration_ms(entry.reentry.per)
        self._leaves = self._exits()
        self.after_ms = duration_ms(spec.exit.after)
        self.reward = self._reward()
        self.steps = tuple(self._step(number, step) for number, step in enumerate(spec.steps))
        self._refuse_loops()
        self.waits_on = frozenset().union(*(step.waits_on for step in self.steps))
        self.kinds: Mapping[str, Kind] = kept_fields(self.on)
        self.keeps = tuple(sorted(self._kept() - others))
        asking = [place for place, one in self.expressions if _asks_for(one, others)]
        self.wants = ("entry.key", *asking) if keyed else tuple(asking)
        self.asks_for = frozenset(str(args[0]) for args in self._calls("count", "last"))
        self.rewarded_by = self._kept_for("goal.")
        self.equalities = self._equalities()
        self.scores = self._scores()

    def leave(self, view: View) -> bool:
        """Whether an event of one of the exit types ends the journey."""
        return all(term(view) for term in self._leaves[view.moment.type])

    def step_id(self, number: int) -> str:
        return self.steps[number].id if number < len(self.steps) else END

    def _check_shape(self) -> None:
        spec = self.spec
        if not 1 <= len(spec.steps) <= MOST_STEPS:
            raise JourneyError(f"step: {len(spec.steps)} steps; 1 to {MOST_STEPS} are possible")
        for name in self._step_ids:
            if name in RESERVED:
                raise JourneyError(f"step.{name}: {' and '.join(RESERVED)} are no step's names")
            if self._step_ids.count(name) > 1:
                raise JourneyError(f"step.{name}: two steps have this id")
        for where, types in (
            ("entry.on", self.on),
            ("exit.on", self.exits),
            ("goal.on", listed(spec.goal.on) if spec.goal else ()),
        ):
            self._check_types(where, types)
        if DAILY_CHECK in self.exits:
            raise JourneyError(f"exit.on: {DAILY_CHECK} is no event; use exit.after")
        if not self.on:
            raise JourneyError("entry.on: names no event type")

    def _condition(
        self, where: str, text: str, *, on: Iterable[str] = (), inside: bool = True
    ) -> Callable[[View], object]:
        return self._compile(where, text, on=on, inside=inside).read if text else ALWAYS

    def _compile(
        self, where: str, text: str, *, on: Iterable[str], inside: bool, kind: Kind = "boolean"
    ) -> Expression:
        words = Words(
            self._vocabulary,
            on=tuple(on),
            entered_on=self.on if inside else (),
            steps=self._step_ids if inside else (),
            journey=self.name,
        )
        try:
            found = compile_expression(text, words, kind=kind)
        except ExpressionError as error:
            raise JourneyError(f"{where}: {error}") from None
        self.expressions.append((where, found))
        return found

    def _exits(self) -> dict[str, list[Callable[[View], object]]]:
        """What each exit type is asked: those of the joined terms whose fields it has. So a
        condition on the item does not keep an unfollow from ending the journey."""
        spec = self.spec.exit
        if not spec.where:
            return {name: [] for name in spec.on}
        found = self._compile("exit.where", spec.where, on=spec.on, inside=True)
        parts = [(part.read, [name for name, _ in part.seen]) for part in found.parts]
        if found.alternatives:
            parts = [(found.read, [name for _, names in parts for name in names])]
        leaves: dict[str, list[Callable[[View], object]]] = {}
        for kind in spec.on:
            has = {f"data.{field}" for field in fields_of((kind,))}
            leaves[kind] = [
                read
                for read, names in parts
                if all(name in has for name in names if name.startswith("data."))
            ]
        return leaves

    def _key(self, path: str) -> Callable[[View], object] | None:
        if not path:
            return None
        parts = tuple(path.split("."))
        if parts[0] != "data":
            raise JourneyError(f"entry.key: {path} is not of the event; write data.<field>")
        try:
            return Words(self._vocabulary, on=self.on).path(parts).read
        except ValueError as error:
            raise JourneyError(f"entry.key: {error}") from None

    def _reward(self) -> Reward | None:
        goal = self.spec.goal
        if goal is None:
            return None
        on = listed(goal.on)
        value = None
        if goal.value:
            value = self._compile("goal.value", goal.value, on=on, inside=True, kind="number").read
        return Reward(
            frozenset(on),
            self._condition("goal.where", goal.where, on=on),
            value,
            duration_ms(goal.window),
        )

    def _step(self, number: int, step: Step) -> CompiledStep:
        where = f"step.{step.id}"
        if len(step.kinds) != 1:
            said = " and ".join(step.kinds) or "nothing to do"
            raise JourneyError(f"{where}: has {said}; a step is exactly one thing")
        kind = step.kinds[0]
        after = self._place(where, step.goto) if step.goto else number + 1
        made = CompiledStep(
            step.id,
            kind,
            after,
            wait_ms=duration_ms(step.wait) if step.wait else 0,
            until=step.until,
            then=self._place(where, step.then) if step.then else after,
            otherwise=self._place(where, step.otherwise) if step.otherwise else after,
            failed=self._place(where, step.on_fail) if step.on_fail else after,
            expires_ms=duration_ms(step.expire),
        )
        if step.wait_for is not None:
            waits_on = listed(step.wait_for.on)
            self._check_types(f"{where}.wait_for.on", waits_on)
            return made._replace(
                waits_on=frozenset(waits_on),
                within_ms=duration_ms(step.wait_for.within),
                condition=self._condition(f"{where}.wait_for", step.wait_for.where, on=waits_on),
            )
        if kind == "if":
            return made._replace(condition=self._condition(f"{where}.if", step.condition))
        if kind == "split":
            places = tuple(
                (self._place(where, name), name, weight) for name, weight in step.split.items()
            )
            return made._replace(paths=places)
        if kind == "send":
            assert step.send is not None
            arm = Arm(id="send", **asdict(step.send))
            return made._replace(arms=(CompiledArm(arm, ALWAYS),))
        if kind == "decide":
            return self._decide(where, step, made)
        return made

    def _decide(self, where: str, step: Step, made: CompiledStep) -> CompiledStep:
        ids = [arm.id for arm in step.arms]
        if len(ids) < 2:
            raise JourneyError(f"{where}: decides between {len(ids)} arms; give at least two")
        for name in ids:
            if ids.count(name) > 1:
                raise JourneyError(f"{where}.arm.{name}: two arms have this id")
        arms = tuple(
            CompiledArm(arm, self._condition(f"{where}.arm.{arm.id}.when", arm.when))
            for arm in step.arms
        )
        return made._replace(arms=arms, chooser=step.decide, floor=step.explore_floor)

    def _place(self, where: str, name: str) -> int:
        if name == END:
            return len(self._step_ids)
        if name not in self._step_ids:
            raise JourneyError(
                f"{where}: goes to {name}, which is no step; there are: "
                f"{', '.join(self._step_ids)}, {END}"
            )
        return self._step_ids.index(name)

    def _refuse_loops(self) -> None:
        """A way back that passes no wait would go round for ever in one moment."""
        ways = {
            number: () if step.kind in WAITS else _ways(step)
            for number, step in enumerate(self.steps)
        }
        for start, first in ways.items():
            seen: set[int] = set()
            ahead = list(first)
            while ahead:
                number = ahead.pop()
                if number == start:
                    raise JourneyError(
                        f"step.{self.steps[start].id}: leads back to itself without a wait"
                    )
                if number not in seen:
                    seen.add(number)
                    ahead += ways.get(number, ())

    def _kept(self) -> set[str]:
        """Fields of the entry event that conditions or templates ask for later."""
        found = {
            path[1]
            for _, expression in self.expressions
            for path in expression.paths
            if path[0] == "entry" and path[1] in self.kinds
        }
        return found | (set(self.kinds) & {"category", "item_id", "price_fen", "value_fen"})

    def _kept_for(self, place: str) -> frozenset[str]:
        """Fields of the entry event that the conditions of this place ask for."""
        return frozenset(
            path[1]
            for where, expression in self.expressions
            for path in expression.paths
            if where.startswith(place) and path[0] == "entry"
        )

    def _calls(self, *names: str) -> list[tuple[object, ...]]:
        return [
            arguments
            for _, expression in self.expressions
            for name, arguments in expression.calls
            if name in names
        ]

    def _equalities(self) -> tuple[tuple[str, object], ...]:
        """`data.<field> == literal` that the entry condition demands."""
        for where, expression in self.expressions:
            if where == "entry.where":
                return tuple(
                    (path[1], value)
                    for path, value in expression.equalities
                    if len(path) == 2 and path[0] == "data"
                )
        return ()

    def _scores(self) -> str:
        """Which model's score the entry condition asks for, `interest` or none."""
        for where, expression in self.expressions:
            if where == "entry.where":
                names = [name for name, _ in expression.calls]
                for name, arguments in expression.calls:
                    if name == "score":
                        return str(arguments[0])
                if "interest" in names or ("data", "interest") in expression.paths:
                    return "interest"
        return ""

    @staticmethod
    def _check_types(where: str, types: Iterable[str]) -> None:
        for name in types:
            try:
                check_type(name)
            except ValueError as error:
                raise JourneyError(f"{where}: {error}") from None


def _asks_for(expression: Expression, fields: frozenset[str]) -> bool:
    """Of the entry event."""
    return any(path[0] == "entry" and path[1] in fields for path in expression.paths)


def _ways(step: CompiledStep) -> tuple[int, ...]:
    """The steps that may follow."""
    if step.kind == "if":
        return step.then, step.otherwise
    if step.kind == "split":
        return tuple(place for place, _, _ in step.paths)
    return step.after, step.failed


def _rules(spec: JourneySpec) -> Rules:
    person = spec.budget.person
    return Rules(
        name=spec.id,
        version=spec.version,
        purpose=spec.purpose,
        priority=spec.priority,
        shadow=spec.status == "shadow",
        honours_global=spec.holdout.everyone,
        holdout=spec.holdout.share,
        salt=spec.holdout.salt,
        caps=tuple(spec.limits.caps),
        person_fen=person.fen if person else 0,
        person_ms=duration_ms(person.per) if person else 0,
        has_budget=bool(spec.budget.total_fen or spec.budget.daily_fen),
        exhausted=spec.budget.exhausted,
    )
