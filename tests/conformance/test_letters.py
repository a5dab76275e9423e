"""Every model of the list keeps the rules of letters: what is none changes nothing, and stops
nobody."""

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from math import inf, isfinite, nan
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.contract.records import Mail, Origin
from streams.engine.fold import EngineFold
from streams.engine.insight import MODELS
from streams.engine.models.abuse_rings import GROUP_PREFIX
from streams.engine.models.letters import NewerLetterError
from streams.engine.models.segments import FEATURES
from streams.engine.state import decode_user
from tests.engine.journeys import CART, journey
from tests.engine.test_determinism import DATA
from tests.engine.world import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NOON_MS,
    OPEN,
    World,
    alias_in,
    altered,
    genesis,
)

NAMES = ("churn", *(model.NAME for model in MODELS))
CONFIG = altered(OPEN, partitions=2, journeys=(journey(CART),))
PEOPLE = tuple(alias_in(place % 2, 2, f"person{place}-") for place in range(10))
KINDS = (
    "qr.scanned",
    "share.initiated",
    "share.opened",
    "user.followed",
    "product.viewed",
    "cart.added",
    "message.received",
    "service.session_started",
    "coupon.claimed",
    "order.paid",
    "item.reviewed",
    "abuse.confirmed",
)
# What takes more people or days to be written.
SELDOM: list[dict[str, Any]] = [
    *(
        {"model": "growth", "letter": {"to": PEOPLE[0], **letter}}
        for letter in (
            {"said": "answer", "known": True, "settled": 3, "succeeded": 1},
            {"said": "settled", "of": PEOPLE[1], "converted": True},
            {"said": "gone", "of": PEOPLE[1]},
            {"said": "left", "hops": 1},
            {"said": "brought", "of": PEOPLE[1], "at_ms": NOON_MS},
        )
    ),
    {"model": "shares", "letter": {"said": "word", "ref": "wechat"}},
    {"model": "shares", "letter": {"said": "erased", "of": PEOPLE[0]}},
    {"model": "abuse", "letter": {"ring": 2**40 - 1, "kind": 2, "until_s": 2**31}},
    {
        "model": "segments",
        "letter": {
            "common": [3, [[0.5] * len(FEATURES)] * 6, [0.1] * len(FEATURES), [1] * len(FEATURES)],
            "names": [f"active#{number}" for number in range(6)],
        },
    },
    {"learned": {"growth": {"conversion": [[3, 1.0], [0, 0], [2.0, 2.0]]}}},
    {"learned": {"churn": {"m:churn/calibration": [1, 0.2, 0.1, 0.1, 0.3, -0.2, 2, 1]}}},
    {"learned": {"churn": {"m:churn/weights": [1, [0, -1], ["recency"], [0.1, -0.1], [1, 2]]}}},
]

each_model = pytest.mark.parametrize("name", NAMES)


@cache
def told() -> dict[str, list[Any]]:
    """What models wrote to each other in two days of two partitions: bodies of mails by model,
    those of many models taken apart."""
    it, found = World(CONFIG), dict[str, list[Any]]()
    for body in SELDOM:
        name = body["model"] if "model" in body else next(iter(body["learned"]))
        found.setdefault(name, []).append(body)
    for day in range(2):
        for number, alias in enumerate(PEOPLE):
            for place, kind in enumerate(KINDS):
                device = "device" if number % 2 else f"device{number}"
                data = {
                    **DATA,
                    "address": "address",
                    "stars": 5,
                    "ref": f"r{number - place % 2}",
                    "device": device,
                }
                data |= {"grams": [place + 100, number + 200], "invited_by": PEOPLE[number - 1]}
                it.see(alias, kind, data)
                keep(it, found)
        it.wait(DAY_MS + 2 * HOUR_MS * day)
        keep(it, found)
    return found


def keep(it: World, found: dict[str, list[Any]]) -> None:
    for _, _, mail in it.mail:
        body = msgspec.json.decode(msgspec.json.encode(mail.body))
        if mail.kind != "model":
            continue
        if "model" in body:
            found.setdefault(body["model"], []).append(body)
        for name, delta in body.get("learned", {}).items():
            versions = {name: body["versions"][name]}
            found.setdefault(name, []).append({"learned": {name: delta}, "versions": versions})
    it.deliver()
    it.wait(MINUTE_MS)


class Partition:
    """One of two, where people live already. `deliver` says whether a mail was taken."""

    def __init__(self, partition: int = 0) -> None:
        self.fold = EngineFold(partition)
        self.fold.handle_record(genesis(CONFIG, partition))
        self._offset = 0
        world = World(CONFIG)
        for alias in PEOPLE[partition::2]:
            for kind in ("qr.scanned", "user.followed", "message.received"):
                self.fold.handle_record(world.event(alias, kind, {"grams": [101, 207]}))
        self.now_ms = world.now_ms
        self.fold.changed_rows()

    @property
    def refused(self) -> float:
        return sum(n for name, n in self.fold.counters().items() if name.startswith("letter."))

    def deliver(self, body: object) -> dict[bytes, bytes | None]:
        """The rows that it changed, beside those that say that it came."""
        self._offset += 1
        origin = Origin("mail", 0, 1, self._offset)
        self.fold.handle_record(Mail(self.now_ms, origin, "model", "", "", body, 0))
        rows = {row.key: row.value for row in self.fold.changed_rows()}
        return {key: row for key, row in rows.items() if key[:2] not in (b"c:", b"s:")}


def numbers(value: object) -> Iterator[float]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from (*numbers(key), *numbers(part))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, int | float):
        yield value


def content(key: bytes, row: bytes) -> object:
    if key[:2] == b"u:":
        return msgspec.to_builtins(decode_user(row))
    if key[:2] != b"m:" or key.startswith(GROUP_PREFIX):  # groups are whole numbers, packed
        return None
    return msgspec.msgpack.decode(row)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Of everything in a body."""
    parts: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    return [path, *(found for key, part in parts for found in places(part, (*path, key)))]


def with_another(body: Any, path: tuple[Any, ...], value: object) -> Any:
    if not path:
        return value
    body = deepcopy(body)
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return body


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from((nan, inf, -1.0, 1e308, 2**53, 10**15, -(10**400)))
)
values = st.recursive(
    scalars,
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=4), parts),
    max_leaves=8,
)


@each_model
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_letter_whatever_it_says_breaks_a_model(name: str, data: st.DataObject) -> None:
    partition = part(name)
    sound = data.draw(st.sampled_from(told().get(name, [{"model": name, "letter": {}}])))
    where = [path for path in places(sound) if path not in ((), ("version",), ("versions", name))]
    mails = st.sampled_from(where).flatmap(
        lambda path: values.map(lambda value: with_another(sound, path, value))
    )
    plain = values.map(lambda value: {"model": name, "letter": value})
    learned = values.map(lambda value: {"learned": {name: value}})
    before = partition.refused
    changed = partition.deliver(data.draw(mails | mails | mails | plain | learned | values))
    assert partition.refused == before or not changed
    for key, row in changed.items():
        assert all(map(isfinite, numbers(content(key, row or b"\x00")))) or row is None
    assert all(map(isfinite, partition.fold.counters().values()))


@cache
def part(name: str) -> Partition:
    """One for all that is told to a model: what was taken stays, as it would."""
    return Partition()


@each_model
def test_what_models_write_is_taken(name: str) -> None:
    partitions = (Partition(0), Partition(1))
    for body in told().get(name, []):
        before = [one.refused for one in partitions]
        for one in partitions:
            one.deliver(body)
        refused = [one.refused - n for one, n in zip(partitions, before, strict=True)]
        assert 0.0 in refused  # segments alone tell some letters to one partition only


def test_models_wrote_each_other() -> None:
    assert set(NAMES) - set(told()) <= {"recommend", "uplift"}


@each_model
def test_a_letter_of_a_newer_version_stops_the_fold_before_anything_is_changed(name: str) -> None:
    partition = Partition()
    churn = told()["churn"][-1]["learned"]["churn"]
    learned = {"learned": {"churn": churn, name: {}}, "versions": {name: 99}}
    for body in ({"model": name, "version": 99, "letter": {}}, learned):
        with pytest.raises(NewerLetterError, match="run the release that wrote it"):
            partition.deliver(body)
    keys = {row.key[:2] for row in partition.fold.changed_rows()}
    assert keys <= {b"c:", b"s:"}
    assert partition.refused == 0


@each_model
@pytest.mark.parametrize("version", [0, -1, 1.0, True, "1", None, []])
def test_a_version_that_is_none_is_refused(name: str, version: object) -> None:
    partition = Partition()
    assert partition.deliver({"model": name, "version": version, "letter": {}}) == {}
    assert partition.fold.counters()[f"letter.{name}"] == 1


def test_a_letter_without_a_version_is_of_the_first() -> None:
    partition = Partition()
    body = {"learned": told()["churn"][-1]["learned"]}
    assert partition.deliver(body)
    assert partition.refused == 0


def test_a_letter_to_a_model_that_is_not_here_is_counted() -> None:
    partition = Partition()
    assert partition.deliver({"model": "astrology", "version": 7, "letter": {}}) == {}
    assert partition.deliver({"learned": {"astrology": {"stars": 5}}}) == {}
    assert partition.fold.counters()["letter.unknown"] == 2


def test_a_malformed_letter_keeps_nobody_elses_from_being_taken() -> None:
    sound, other, alone = (Partition() for _ in range(3))
    churn, purchase = told()["churn"][-1]["learned"], told()["purchase"][-1]["learned"]
    broken = {"growth": {"conversion": [[nan, 1.0]]}}
    found = sound.deliver({"learned": {**churn, **broken, **purchase}})
    assert found == other.deliver({"learned": {**churn, **purchase}})
    assert found.keys() > alone.deliver({"learned": purchase}).keys()
    assert sound.fold.counters()["letter.growth"] == 1
