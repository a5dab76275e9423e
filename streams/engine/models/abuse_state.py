"""What a person's row holds about abuse: nothing at all of who did nothing lately."""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from streams.learning.abuse.pace import added

MOST_LINKS: Final = 4
LINK_BYTES: Final = 8
_GROUP_BYTES: Final = 5
_BITS: Final = 2  # of the last byte for each of kind, claims and standing
MOST_CLAIMS: Final = 3


class Link(Struct, frozen=True):
    """The person was seen with a device, an address or an inviter, and its home partition told so:
    on which day, and how the person took coupons then. `claims`: with it, up to MOST_CLAIMS."""

    group: int  # 40 bits of a keyed hash
    day: int
    kind: int
    claims: int
    standing: int


class Watched(Struct, array_like=True, gc=False):
    """`marks`: index in REASONS to when the mark ends, in seconds. `signs`: those of the latest
    mark, a byte each, for the label that may come. `exempt_s`: cleared until then."""

    pace: bytes = b""
    claims: bytes = b""
    links: bytes = b""
    marks: dict[int, int] = {}
    signs: bytes = b""
    exempt_s: int = 0

    def is_empty(self) -> bool:
        return not (self.pace or self.claims or self.links or self.marks or self.exempt_s)


def links_of(packed: bytes) -> Iterator[Link]:
    for at in range(0, len(packed), LINK_BYTES):
        one = packed[at : at + LINK_BYTES]
        yield Link(
            int.from_bytes(one[:_GROUP_BYTES], "big"),
            int.from_bytes(one[_GROUP_BYTES:7], "big"),
            one[7] >> 2 * _BITS,
            one[7] >> _BITS & 3,
            one[7] & 3,
        )


def linked(packed: bytes, link: Link) -> bytes:
    """The links with this one told last; the one told longest ago makes room."""
    kept = b"".join(_packed(one) for one in links_of(packed) if one.group != link.group)
    return (kept + _packed(link))[-MOST_LINKS * LINK_BYTES :]


def merge(into: Watched | None, other: Watched | None) -> Watched | None:
    """Two people turn out to be one. Marks stay, and so does an exemption."""
    if into is None or other is None:
        return other if into is None else into
    links = other.links
    for link in links_of(into.links):
        links = linked(links, link)
    marks = dict(into.marks)
    for reason, until_s in other.marks.items():
        marks[reason] = max(marks.get(reason, 0), until_s)
    return Watched(
        into.pace or other.pace,
        added(into.claims, other.claims),
        links,
        marks,
        into.signs or other.signs,
        max(into.exempt_s, other.exempt_s),
    )


def _packed(link: Link) -> bytes:
    head = link.group.to_bytes(_GROUP_BYTES, "big") + (link.day & 0xFFFF).to_bytes(2, "big")
    return head + bytes((link.kind << 2 * _BITS | link.claims << _BITS | link.standing,))
