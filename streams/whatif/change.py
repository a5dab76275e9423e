"""What would be put in force: journeys, policy, content, single settings.

    policy.gap="8h"                              policy.daily_budget_fen=-20%
    policy.cap.0.max=2                           journey.cart_rescue.budget.daily_fen=100000
    journey.cart_rescue.step.offer.explore_floor=0.1

A path goes through tables by key and through lists by number (from 0) or by the `id` of an entry; a
value is written as in TOML, or as a percentage added to the number that is there.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from streams.contract.content import Library
from streams.contract.control import digest
from streams.contract.journeys import JourneySpec
from streams.contract.policy import Policy
from streams.contract.records import Control, Genesis, Origin
from streams.contract.topics import CONTROL
from streams.engine.config import Config
from streams.engine.insight import Insight
from streams.engine.journeys.compiled import Journey, JourneyError
from streams.engine.journeys.vocabulary import Vocabulary
from streams.faults import UserFault

_PERCENT: Final = re.compile(r"([+-]\d+(?:\.\d+)?)%")
# A length of time that is said in words goes before one that was said in milliseconds.
_SAID_TWICE: Final = {"per": "window_ms"}


class InForce(NamedTuple):
    """What the log has in force at its end, published commands included."""

    journeys: Mapping[str, JourneySpec]
    policy: Policy
    content: Library


class Change(NamedTuple):
    """`since_ms`: when it is put in force; None: from the beginning. `texts` tell it to people,
    `notes` what is done differently from what the files say."""

    journeys: tuple[JourneySpec, ...] = ()
    policy: Policy | None = None
    content: Library | None = None
    since_ms: int | None = None
    texts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def concerns_all(self) -> bool:
        """Whether journeys that are not named may decide differently too."""
        return self.policy is not None or self.content is not None


def change(
    base: InForce,
    *,
    journeys: Sequence[JourneySpec] = (),
    policy: Policy | None = None,
    content: Library | None = None,
    sets: Sequence[str] = (),
    since_ms: int | None = None,
) -> Change:
    """Raises UserFault for a setting that cannot be made and for journeys that do not fit."""
    texts = [_told(spec, base) for spec in journeys]
    texts += ["policy"] * (policy is not None) + ["content"] * (content is not None)
    known = {**base.journeys, **{spec.id: spec for spec in journeys}}
    changed = dict.fromkeys(spec.id for spec in journeys)
    for text in sets:
        path, value = _setting(text)
        texts.append(text)
        if path[0] == "policy":
            before = base.policy if policy is None else policy
            policy = _set(before, Policy, path[1:], value, text)
        else:
            before_journey = known.get(path[1])
            if before_journey is None:
                names = ", ".join(sorted(known)) or "none"
                raise UserFault(f"--set {text}: no journey {path[1]!r}; there are: {names}")
            known[path[1]] = _set(before_journey, JourneySpec, path[2:], value, text)
            changed[path[1]] = None
    if not texts:
        raise UserFault(
            "nothing is changed: give --journey FILE, --policy FILE, --content DIR or --set"
        )
    specs, notes = [], []
    for name in changed:
        spec = known[name]
        if spec.status == "draft":
            spec = replace(spec, status="live")
            notes.append(f"{name}: a draft is tried as if it were live")
        elif spec.status == "shadow":
            notes.append(f"{name}: a shadow decides and sends nothing; try it with status live")
        specs.append(spec)
    made = Change(tuple(specs), policy, content, since_ms, tuple(texts), tuple(notes))
    _check(made, base)
    return made


def changed_config(
    config: Config, made: Change, *, published: frozenset[tuple[str, str]]
) -> Config:
    """The configuration with the change in it. What the log publishes later by a command, named
    by kind and id in `published`, is changed there."""
    news = {spec.id: spec for spec in made.journeys}
    journeys = [news.pop(spec.id, spec) for spec in config.journeys]
    journeys += [spec for spec in news.values() if ("journey", spec.id) not in published]
    config = replace(config, journeys=tuple(journeys))
    if made.policy is not None and ("policy", "policy") not in published:
        config = replace(config, policy=made.policy)
    if made.content is not None and ("content", "content") not in published:
        config = replace(config, content=made.content)
    return config


def changed_genesis(
    genesis: Genesis, made: Change, *, published: frozenset[tuple[str, str]]
) -> Genesis:
    config = changed_config(msgspec.convert(genesis.config, Config), made, published=published)
    return replace(genesis, config=msgspec.to_builtins(config))


def body_of(made: Change, kind: str, name: str) -> Any:
    """What the change says in place of a command of the log; None: nothing."""
    if kind == "journey":
        for spec in made.journeys:
            if spec.id == name:
                body = msgspec.to_builtins(spec)
                body.pop("test", None)
                return body
    said = made.policy if kind == "policy" else made.content if kind == "content" else None
    return None if said is None else msgspec.to_builtins(said)


def commands(made: Change, versions: Mapping[tuple[str, str], int]) -> list[Control]:
    """The change as commands, each above the version that is in force; stamped by the caller."""
    named = [("journey", spec.id) for spec in made.journeys]
    named += [("policy", "policy")] * (made.policy is not None)
    named += [("content", "content")] * (made.content is not None)
    found = []
    for kind, name in named:
        body = body_of(made, kind, name)
        version = max(body.get("version", 1), versions.get((kind, name), 0) + 1)
        found.append(command(kind, name, {**body, "version": version}))
    return found


def command(kind: str, name: str, body: Any) -> Control:
    """Not stamped yet."""
    return Control(
        0, Origin(CONTROL, 0, 0, 0), kind, name, body.get("version", 1), digest(body), body
    )


def _check(made: Change, base: InForce) -> None:
    """Every name a journey sends by has to be in the content library."""
    content = base.content if made.content is None else made.content
    policy = base.policy if made.policy is None else made.policy
    vocabulary = Vocabulary(Insight(Config()), policy.quiet.zone)
    known = {
        "template": {one.id for one in content.templates},
        "coupon": {one.sku for one in content.coupons},
        "ad": {one.ad_id for one in content.ads},
    }
    for spec in made.journeys:
        try:
            journey = Journey(spec, vocabulary)
        except JourneyError as error:
            raise UserFault(f"journey {spec.id}: {error}") from None
        for step in journey.steps:
            for arm in step.arms:
                for what, names in known.items():
                    name = getattr(arm.spec, what).partition("/")[0]
                    if name and name not in names:
                        raise UserFault(
                            f"journey {spec.id}: step.{step.id}: the content library has no "
                            f"{what} {name!r}; add it to a library and give --content"
                        )


def _told(spec: JourneySpec, base: InForce) -> str:
    known = base.journeys.get(spec.id)
    if known is None:
        return f"journey {spec.id} v{spec.version} (new)"
    return f"journey {spec.id} v{known.version} -> v{spec.version}"


def _setting(text: str) -> tuple[list[str], str]:
    name, equals, value = text.partition("=")
    path = [part for part in name.strip().split(".") if part]
    if (
        not equals
        or not path
        or path[0] not in ("policy", "journey")
        or (len(path) < (3 if path[0] == "journey" else 2))
    ):
        raise UserFault(
            f"--set {text}: write policy.<key>=<value> or journey.<id>.<key>=<value>, "
            'as policy.gap="8h"'
        )
    return path, value.strip()


def _set(before: Any, what: Any, path: list[str], value: str, text: str) -> Any:
    table = msgspec.json.decode(msgspec.json.encode(before))
    inside, key = _table_of(table, path, text)
    said = _value(value, inside, key, text)
    if isinstance(inside, list):
        inside[int(key)] = said
    else:
        inside[key] = said
        if key in _SAID_TWICE:
            inside[_SAID_TWICE[key]] = 0
    try:
        return msgspec.convert(table, what)
    except msgspec.ValidationError as error:
        raise UserFault(f"--set {text}: {error}; keys are those of the file") from None


def _table_of(table: Any, path: list[str], text: str) -> tuple[Any, Any]:
    """The table or list that the last part of the path is in, and its key there."""
    for part in path[:-1]:
        if isinstance(table, dict):
            table = table.setdefault(part, {})
        elif isinstance(table, list):
            table = table[_place(table, part, text)]
        else:
            raise UserFault(f"--set {text}: {part} is in no table; see the file's structure")
        if table is None:
            raise UserFault(f"--set {text}: {part} is not said; say it in a file")
    if isinstance(table, list):
        return table, _place(table, path[-1], text)
    if not isinstance(table, dict):
        raise UserFault(f"--set {text}: {path[-1]} is in no table; see the file's structure")
    return table, path[-1]


def _place(entries: list[Any], part: str, text: str) -> int:
    if part.isdecimal() and int(part) < len(entries):
        return int(part)
    for number, entry in enumerate(entries):
        if isinstance(entry, dict) and entry.get("id") == part:
            return number
    ids = [
        str(one.get("id", number)) if isinstance(one, dict) else str(number)
        for number, one in enumerate(entries)
    ]
    raise UserFault(f"--set {text}: no entry {part!r}; there are: {', '.join(ids) or 'none'}")


def _value(value: str, inside: Any, key: Any, text: str) -> Any:
    percent = _PERCENT.fullmatch(value)
    if percent:
        now = inside[key] if isinstance(inside, list) else inside.get(key)
        if not isinstance(now, int | float) or isinstance(now, bool):
            raise UserFault(f"--set {text}: {key} is no number to change by a percentage")
        found = now * (1 + float(percent.group(1)) / 100)
        return round(found) if isinstance(now, int) else found
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return value  # a text whose quotes the shell took off
