"""The words of conditions: which paths and functions there are, and how each is read.

    data.<field>      the event: the fields of its type; `data.interest`: the score of its category;
                      `data.age`: how long ago it happened
    entry.<field>     the same of the event the journey was entered by; `entry.age` since then
    profile.<name>    the person: see PROFILE; `profile.city` and other attributes they told
    step.<id>.arm     the arm that was drawn at a step
    now.<name>        hour, minute and weekday (1 to 7) in the person's zone; `now.birthday_in`
    brand.mood        how people speak of the event's brand
    count, last, entered, has_tag; of models score, interest, next, uplift (model_words.py); of a
    step sent, delivered, opened, clicked

The last events of a type are remembered for the types that some journey asks for, since it does,
and at most MOST_RECENT of them: `count` reads to that, and asking for more is an error.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, get_type_hints

from streams.contract.events import TYPES
from streams.contract.policy import DAY_MS
from streams.contract.reductions import REDUCED
from streams.engine.insight import Insight
from streams.engine.journeys.model_words import ModelWords
from streams.engine.journeys.view import View
from streams.engine.moment import DAILY_CHECK
from streams.engine.profile import attributes
from streams.engine.profile.hours import local_day, offset_ms
from streams.engine.profile.lifecycle import LIFECYCLES
from streams.engine.state import NO, YES
from streams.expressions.scope import Function, Kind, Value

ATTRIBUTES: Final = ("sex", "age_band", "region", "city", "zone", "birthday")
ANSWERS: Final = {"delivered": 1, "opened": 2, "clicked": 4}  # bits of Pending.answers
CLEANED: Final = {"category": "text", "price_fen": "number", "item_id": "text"}

Read = Callable[[View], object]


def _local(view: View, zone: str) -> int:
    return view.now_ms + offset_ms(attributes.zone(view.state, zone), view.now_ms)


class Vocabulary:
    """What is the same for every journey of a deployment."""

    def __init__(self, insight: Insight, zone: str) -> None:
        self.insight = insight
        self.zone = zone
        self.models = ModelWords(insight)
        self.profile: dict[str, Value] = {
            "orders": Value("number", lambda view: view.state.activity.orders),
            "spend_fen": Value("number", lambda view: view.state.activity.spend_fen),
            "events": Value("number", lambda view: view.state.events),
            "active_days": Value("number", lambda view: view.state.activity.days),
            "silence": Value("duration", _silence),
            "age": Value("duration", lambda view: view.now_ms - view.state.first_seen_ms),
            "order_age": Value("duration", _order_age),
            "lifecycle": Value("text", lambda view: LIFECYCLES[view.state.lifecycle]),
            "followed": Value("boolean", lambda view: view.state.followed == YES),
            "unfollowed": Value("boolean", lambda view: view.state.followed == NO),
            "contact": Value("boolean", lambda view: view.state.contact == YES),
            "messages": Value("number", lambda view: len(view.state.sends)),
            **{name: Value("text", _attribute(name)) for name in ATTRIBUTES},
            **self.models.profile,
        }
        self.now: dict[str, Value] = {
            "hour": Value("number", lambda view: _local(view, zone) // 3_600_000 % 24),
            "minute": Value("number", lambda view: _local(view, zone) // 60_000 % 60),
            "weekday": Value("number", lambda view: (_local(view, zone) // DAY_MS + 3) % 7 + 1),
            "date": Value("text", self._date),
            "birthday_in": Value("duration", self._birthday_in),
        }

    def _date(self, view: View) -> str:
        day = local_day(attributes.zone(view.state, self.zone), view.now_ms)
        return date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()[5:]

    def _birthday_in(self, view: View) -> int | None:
        """Until the next birthday begins, in the person's zone; on the day itself 0."""
        told = view.state.attributes.get("birthday")
        if told is None:
            return None
        local_ms = _local(view, self.zone)
        today = datetime.fromtimestamp(local_ms / 1000, UTC).date()
        days = _days_to(told.value, today)
        return None if days is None else max(0, days * DAY_MS - (local_ms % DAY_MS if days else 0))


def _days_to(birthday: str, today: date) -> int | None:
    """Days until MM-DD comes next; 29 February is the 28th in other years. None: no such day."""
    try:
        month, day = (int(part) for part in birthday.split("-")[-2:])
    except ValueError:
        return None
    for year in (today.year, today.year + 1):
        for shown in (day, 28) if (month, day) == (2, 29) else (day,):
            try:
                found = date(year, month, shown)
            except ValueError:
                continue
            if found >= today:
                return (found - today).days
            break
    return None


def _silence(view: View) -> int | None:
    last_ms = view.state.activity.last_ms
    return view.now_ms - last_ms if last_ms else None


def _order_age(view: View) -> int | None:
    last_ms = view.state.activity.last_order_ms
    return view.now_ms - last_ms if last_ms else None


def _attribute(name: str) -> Read:
    def read(view: View) -> object:
        told = view.state.attributes.get(name)
        return None if told is None else told.value

    return read


class Words:
    """The scope of one condition. `on`: the types `data.` is of, empty where there is no event;
    `entered_on`: those `entry.` is of, empty before the entry; `steps`: what `step.` may name."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        on: Iterable[str] = (),
        entered_on: Iterable[str] = (),
        steps: Iterable[str] = (),
        journey: str = "",
    ) -> None:
        self._known = vocabulary
        self._data = fields_of(on)
        self._entry = kept_fields(entered_on)
        self._inside = bool(list(entered_on))
        self._steps = tuple(steps)
        self._functions = {
            "score": Function(("text",), vocabulary.models.score),
            "interest": Function(("text",), vocabulary.models.interest),
            "next": Function(("text",), vocabulary.models.next),
            "uplift": Function(("text",), vocabulary.models.uplift),
            "count": Function(("text", "duration"), _count),
            "last": Function(("text",), _last),
            "has_tag": Function(("text",), _has_tag),
            "entered": Function(("duration",), _entered(journey)),
        }
        if self._inside:
            self._functions["sent"] = Function(("text",), self._sent)
            for name, bit in ANSWERS.items():
                self._functions[name] = Function(("text",), self._answered(bit))

    def path(self, parts: tuple[str, ...]) -> Value:
        root, name = parts[0], ".".join(parts[1:])
        if root == "data":
            return self._event(name, self._data)
        if root == "entry" and self._inside:
            if name == "age":
                return Value("duration", lambda view: view.now_ms - view.entered_ms)
            kind = self._entry.get(name)
            if kind is None:
                raise ValueError(_unknown("entry." + name, (f"entry.{x}" for x in self._entry)))
            return Value(kind, lambda view: view.entry.get(name))
        if root == "step" and len(parts) == 3 and parts[2] == "arm":
            step = self._step(parts[1])
            return Value("text", lambda view: view.instance and view.instance.arms.get(step))
        known = self._known
        places = {"profile": known.profile, "now": known.now, "brand": known.models.brand}
        if root in places:
            found = places[root].get(name)
            if found is not None:
                return found
        raise ValueError(_unknown(".".join(parts), self._paths()))

    def function(self, name: str) -> Function:
        found = self._functions.get(name)
        if found is None:
            raise ValueError(_unknown(name + "()", (f"{known}()" for known in self._functions)))
        return found

    def _event(self, name: str, kinds: Mapping[str, Kind]) -> Value:
        kind = kinds.get(name)
        if kind is None:
            raise ValueError(_unknown("data." + name, (f"data.{known}" for known in kinds)))
        if name == "interest":
            return Value("number", self._interest)
        if name == "value_fen":
            return Value("number", _value_fen)
        if name == "age":
            return Value("duration", lambda view: view.now_ms - view.moment.time_ms)
        if name in CLEANED:
            return Value(kind, lambda view: getattr(view.moment, name) or None)
        return Value(kind, lambda view: getattr(view.moment.data, name, None))

    def _interest(self, view: View) -> object:
        category = view.moment.category
        if not category:
            return None
        return self._known.insight.interest(view.state, category, view.now_ms)

    def _step(self, step: str) -> str:
        if step not in self._steps:
            raise ValueError(_unknown(step, self._steps))
        return step

    def _sent(self, step: str) -> Value:
        self._step(step)
        return Value(
            "boolean", lambda view: view.instance is not None and step in view.instance.marks
        )

    def _answered(self, bit: int) -> Callable[[str], Value]:
        def bind(step: str) -> Value:
            self._step(step)

            def read(view: View) -> bool:
                mark = 0 if view.instance is None else view.instance.marks.get(step, 0)
                return bool(mark) and any(
                    one.mark == mark and one.answers & bit for one in view.state.pending
                )

            return Value("boolean", read)

        return bind

    def _paths(self) -> list[str]:
        return [
            *(f"profile.{name}" for name in self._known.profile),
            *(f"now.{name}" for name in self._known.now),
            *(f"brand.{name}" for name in self._known.models.brand),
            *(f"data.{name}" for name in self._data),
            *(f"entry.{name}" for name in self._entry),
            *(f"step.{name}.arm" for name in self._steps),
        ]


def fields_of(types: Iterable[str]) -> dict[str, Kind]:
    """The fields the events of these types may have, and of what kind. Raises ValueError."""
    found: dict[str, Kind] = {}
    for name in types:
        if name == DAILY_CHECK:
            continue
        check_type(name)
        structure = TYPES[name]
        hints = get_type_hints(structure)
        for field in structure.__struct_fields__:
            kind = _kind(hints[field])
            if kind is not None:
                found[field] = "duration" if kind == "number" and field.endswith("_ms") else kind
        if "category" in found:
            found["interest"] = "number"
        if {"price_fen", "quantity"} <= set(found) or "amount_fen" in found:
            found["value_fen"] = "number"
        found["age"] = "duration"
    return found


def kept_fields(types: Iterable[str]) -> dict[str, Kind]:
    """What `entry.` may name: as `data.`, but for what changes with time."""
    passing = ("interest", "age")
    return {name: kind for name, kind in fields_of(types).items() if name not in passing}


def others_in(types: Iterable[str]) -> frozenset[str]:
    """Fields of the events of these types that say who another person is. No row keeps them: an
    erasure of that person would not reach it."""
    reduced = [REDUCED.get(TYPES[name], {}) for name in types if name in TYPES]
    return frozenset(name for rules in reduced for name, rule in rules.items() if rule == "alias")


def check_type(name: str) -> None:
    """Raises ValueError for an event type the contract does not know."""
    if name not in TYPES and name != DAILY_CHECK:
        raise ValueError("event type " + _unknown(name, [*TYPES, DAILY_CHECK]))


def captured(name: str, view: View) -> object:
    """The value of `data.<name>` at the event, as `entry.<name>` keeps it."""
    if name == "value_fen":
        return _value_fen(view)
    if name in CLEANED:
        return getattr(view.moment, name) or None
    return getattr(view.moment.data, name, None)


def _value_fen(view: View) -> object:
    moment = view.moment
    amount = getattr(moment.data, "amount_fen", None)
    return moment.price_fen * moment.quantity if amount is None else amount


def _kind(hint: Any) -> Kind | None:
    kinds: dict[Any, Kind] = {int: "number", float: "number", str: "text", bool: "boolean"}
    return kinds.get(hint) if isinstance(hint, type) else None


def _count(name: str, window_ms: float) -> Value:
    check_type(name)

    def read(view: View) -> int:
        since = (view.now_ms - window_ms) // 1000
        return sum(second > since for second in view.state.recent.get(name, ()))

    return Value("number", read)


def _last(name: str) -> Mapping[str, Value]:
    check_type(name)

    def age(view: View) -> int | None:
        seconds = view.state.recent.get(name)
        return view.now_ms - seconds[-1] * 1000 if seconds else None

    return {"age": Value("duration", age)}


def _entered(journey: str) -> Callable[[float], Value]:
    """Whether the person has entered this journey within so long, is inside, or rests after an
    entry that led to nothing."""

    def bind(window_ms: float) -> Value:
        def read(view: View) -> bool:
            state = view.state
            standing = state.standings.get(journey)
            since = (view.now_ms - window_ms) // 1000
            if standing is not None:
                if standing.entered and standing.entered[-1] > since:
                    return True
                if standing.rests_s * 1000 > view.now_ms:
                    return True
            return any(one.journey == journey for one in state.inside)

        return Value("boolean", read)

    return bind


def _has_tag(tag: str) -> Value:
    return Value("boolean", lambda view: tag in view.state.tags)


def _unknown(what: str, known: Iterable[str]) -> str:
    names = sorted(set(known))
    near = difflib.get_close_matches(what, names, n=1, cutoff=0.6)
    meant = (
        f"did you mean {near[0]}?" if near else f"there is: {', '.join(names[:12]) or 'nothing'}"
    )
    return f"{what} is not known; {meant}"
