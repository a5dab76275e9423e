"""What abuse models write to each other."""

from typing import Annotated

from msgspec import Meta, Struct

from streams.learning.abuse.suspicion import REASONS

MOST_NAME = 63  # characters of any alphabet; a pseudonym has 22

Number = Annotated[int, Meta(ge=0, lt=2**40)]  # of a device, an address or an inviter
Kind = Annotated[int, Meta(ge=0, le=2)]  # place in abuse_rings.KINDS


class Met(Struct):
    """To a group's home: a member, or one that takes coupons otherwise now. `tag`: of the person;
    `said`: a standing of learning/abuse/rings.py."""

    group: Number
    kind: Kind
    name: Annotated[str, Meta(max_length=MOST_NAME)]
    tag: Annotated[int, Meta(ge=0, lt=2**16)]
    said: Annotated[int, Meta(ge=0, le=2)]


class Found(Struct):
    """To all: a ring, and until when it is one."""

    ring: Number
    kind: Kind
    until_s: Annotated[int, Meta(ge=0, lt=2**32)]


class Verdict(Struct):
    """To all: what staff found out about somebody with these signs, a byte each."""

    signs: Annotated[bytes, Meta(max_length=len(REASONS))]
    abusive: bool


AbuseLetter = Met | Found | Verdict
