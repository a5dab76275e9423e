"""After an erasure nobody's row and no row of a model names the person, in any partition."""

import msgspec
import pytest

from streams.contract.reports import Applied
from streams.engine.state import decode_user
from tests.engine.journeys import CART, journey
from tests.engine.test_determinism import DATA
from tests.engine.world import HOUR_MS, MINUTE_MS, OPEN, World, alias_in, altered

ERASED = alias_in(0, 2, "erased-one-")
LINKED = alias_in(1, 2, "linked-one-")
OTHERS = tuple(alias_in(place % 2, 2, f"other{place}-") for place in range(4))
KINDS = (
    "user.followed",
    "product.viewed",
    "cart.added",
    "order.paid",
    "message.received",
    "item.reviewed",
    "coupon.claimed",
    "order.created",
    "share.initiated",
    "share.opened",
    "group.member_joined",
    "abuse.confirmed",
    "service.session_started",
)


def world() -> World:
    return World(altered(OPEN, partitions=2, journeys=(journey(CART),)))


def live(it: World, people: tuple[str, ...]) -> None:
    for alias in people:
        it.see(alias, "qr.scanned")
    for number, alias in enumerate(people):
        for place, kind in enumerate(KINDS):
            inviter = people[(number + 1) % len(people)]
            data = {**DATA, "invited_by": inviter, "device": "device", "group_id": "group"}
            data |= {"ref": f"ref{number}-{place}", "grams": [number, place], "stars": 5}
            it.see(alias, kind, {**data, "address": "address"})
            it.deliver()
            it.wait(MINUTE_MS)


def named(it: World, name: str) -> list[bytes]:
    """Keys of the rows that name the person, but for the row that remembers the erasure."""
    found = []
    for rows in it.rows():
        for key, row in rows.items():
            plain = msgspec.msgpack.encode(decode_user(row)) if key[:2] == b"u:" else row
            if name.encode() in key + plain and key[:2] != b"a:":
                found.append(key)
    return found


def test_the_erased_person_is_in_no_row() -> None:
    it = world()
    live(it, (ERASED, *OTHERS))
    assert named(it, ERASED)
    it.see(ERASED, "user.erasure_requested")
    it.deliver()
    assert named(it, ERASED) == []


ENTRY = {"on": "user.followed", "key": "data.invited_by", "reentry": {"by": "key"}}
WELCOME = journey(
    CART,
    entry=ENTRY,
    exit={"on": ["user.followed"], "where": "data.invited_by == entry.invited_by"},
    goal={"on": "user.followed", "window": "72h", "where": "entry.invited_by != ''"},
    step=[{"id": "cool", "wait": "3d"}, {"id": "remind", "send": {"template": "cart_remind_v1"}}],
)


def test_no_journey_keeps_who_brought_somebody() -> None:
    it = World(altered(OPEN, partitions=2, journeys=(WELCOME,)))
    it.see(OTHERS[0], "user.followed", {"invited_by": ERASED})
    it.deliver()
    it.see(ERASED, "qr.scanned")
    it.see(ERASED, "user.erasure_requested")
    it.deliver()
    assert it.outcomes == ["ENTERED"]
    assert named(it, ERASED) == []


def test_a_journey_that_would_is_refused_when_it_is_published() -> None:
    it = World(altered(OPEN, partitions=2, journeys=()))
    it.publish(WELCOME)
    faults = [one.problem for one in it.reports if isinstance(one, Applied)]
    assert all(fault.startswith("entry.key: would keep who another person is") for fault in faults)
    assert len(faults) == 2


@pytest.mark.parametrize(("first", "second"), [(ERASED, LINKED), (LINKED, ERASED)])
def test_neither_is_an_alias_that_had_become_part_of_the_person(first: str, second: str) -> None:
    it = world()
    live(it, (ERASED, OTHERS[0], LINKED, *OTHERS[1:]))
    assert any(key[:2] == b"u:" for key in named(it, LINKED))
    it.see(first, "identity.linked", {"other": second, "method": "phone"})
    it.deliver()
    it.wait(HOUR_MS)
    it.see(second, "user.erasure_requested")
    it.deliver()
    assert named(it, ERASED) == []
    assert named(it, LINKED) == []
