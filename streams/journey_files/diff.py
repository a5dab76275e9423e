"""What changes between two versions of a journey, in a marketer's words, Chinese and English."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from streams.contract.journeys import NOTHING, JourneySpec
from streams.contract.policy import Cap
from streams.journey_files.words import FIELDS, Words, shown

STEPS: Final = "step.order"


class Change(NamedTuple):
    """`place`: a path of the file. `before`, `after`: in a marketer's words; empty: not there."""

    place: str
    zh: str
    en: str
    before: str
    after: str

    @property
    def line(self) -> str:
        if not self.before:
            return f"+ {self.zh} · {self.en}: {self.after}"
        if not self.after:
            return f"- {self.zh} · {self.en}: {self.before}"
        return f"~ {self.zh} · {self.en}: {self.before} → {self.after}"


def diff(older: JourneySpec, newer: JourneySpec) -> list[Change]:
    """Every change, in the order of the newer file, what went last; tests are counted only. What
    only one of them says is compared with what the other has by default."""
    before, after = _flat(older), _flat(newer)
    before_all, after_all = _flat(older, defaults=True), _flat(newer, defaults=True)
    found = []
    for place in [*after, *(place for place in before if place not in after)]:
        was, becomes = before.get(place, ""), after.get(place, "")
        was = was or before_all.get(place, "")
        becomes = becomes or after_all.get(place, "")
        if was != becomes:
            found.append(_change(place, was, becomes))
    return found


def _change(place: str, before: str, after: str) -> Change:
    label = _label(place)
    return Change(place, label.zh, label.en, before, after)


def _label(place: str) -> Words:
    """`step.offer.arm.coupon.weight` -> 步骤 offer 选项 coupon 权重."""
    if place == STEPS:
        return FIELDS[place]
    parts = place.split(".")
    zh, en = [], []
    if parts[0] == "step" and len(parts) > 1:
        zh.append(f"步骤 {parts[1]}")
        en.append(f"step {parts[1]}")
        parts = parts[2:]
        if parts and parts[0] == "arm" and len(parts) > 1:
            zh.append(f"选项 {parts[1]}")
            en.append(f"arm {parts[1]}")
            parts = parts[2:]
    rest = ".".join(parts)
    words = FIELDS.get(rest) or FIELDS.get(parts[-1] if parts else "") or Words(rest, rest)
    if rest:
        zh.append(words.zh)
        en.append(words.en)
    return Words(" ".join(zh), " ".join(en))


def _flat(spec: JourneySpec, *, defaults: bool = False) -> dict[str, str]:
    """Each leaf by its place, steps and arms by their id, as text."""
    found: dict[str, str] = {}
    tables: dict[str, Any] = _all_fields(spec) if defaults else msgspec.to_builtins(spec)
    tests = tables.pop("test", [])
    steps = tables.pop("step")
    for name in ("spec", "id"):
        tables.pop(name, None)
    _walk("", tables, found)
    found[STEPS] = " → ".join(step["id"] for step in steps)
    for step in steps:
        place = f"step.{step['id']}"
        arms = step.pop("arm", [])
        _walk(place, {key: value for key, value in step.items() if key != "id"}, found)
        for arm in arms:
            inner = {key: value for key, value in arm.items() if key != "id"}
            name = arm.get("id", NOTHING)
            _walk(f"{place}.arm.{name}", inner or {"weight": 1.0}, found)
    if tests:
        found["test"] = str(len(tests))
    return found


def _all_fields(value: Any) -> Any:
    """As `msgspec.to_builtins`, with the defaults."""
    if isinstance(value, Cap):
        return msgspec.to_builtins(value)
    if isinstance(value, msgspec.Struct):
        return {
            field.encode_name: _all_fields(getattr(value, field.name))
            for field in msgspec.structs.fields(value)
        }
    return [_all_fields(one) for one in value] if isinstance(value, list) else value


def _walk(place: str, table: Mapping[str, Any], found: dict[str, str]) -> None:
    for name, value in _leaves(place, table):
        text = shown(name, value)
        if text:
            found[name] = text


def _leaves(place: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in table.items():
        name = f"{place}.{key}" if place else key
        if isinstance(value, dict) and key != "split":
            yield from _leaves(name, value)
        else:
            yield name, value
