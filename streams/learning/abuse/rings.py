"""How many different people stand behind one device, address or inviter, and how many of them live
on coupons: small exact sets, the youngest 48 members each, of a bounded number of groups.

A member is 16 bits of a keyed hash: enough to count a small set (one in a hundred full sets counts
one too few), too little to name anybody. Members not told of again within 30 days drop out.
Source of the bounded table: Metwally, Agrawal, El Abbadi, Efficient computation of frequent and
top-k elements in data streams (2005), with eviction of the smallest among the oldest.
"""

from struct import Struct as Layout
from struct import iter_unpack
from typing import Final, NamedTuple

PLAIN, HOLLOW, LIVING = 0, 1, 2  # how a member takes coupons; see `standing`
MEMBERS: Final = 48
MEMBER_DAYS: Final = 30
KEPT_DAYS: Final = 10

CLAIM_SAYS: Final = 1.83  # log(0.25 / 0.04): of those who farm every fourth act is a claim,
OTHER_SAYS: Final = -0.247  # log(0.75 / 0.96): of others every twenty-fifth

_HEAD: Final = Layout("<BIQB")  # kind, verdict until (s), last told of (a sequence), name's bytes
_MEMBER: Final = "<HHB"  # tag, day, standing
_member: Final = Layout(_MEMBER)


class Bar(NamedTuple):
    """What makes a ring: so many members, of whom so many live on coupons. One who is only hollow
    counts `hollow`, and nothing until `hollow_days` after that was told; at least `living` are not
    only hollow. Together they make `weight`, and at least `share` of all. From the standing
    `marks` on a member is suspected."""

    people: int
    weight: float
    living: int
    hollow: float
    hollow_days: int
    share: float
    marks: int


class Group(NamedTuple):
    """A row: `touched` orders the groups by when they were last told of."""

    kind: int
    until_s: int
    touched: int
    name: str  # what staff finds it by
    members: tuple[tuple[int, int, int], ...]  # tag, day, standing; the latest last


def standing(claims: float, others: float, bought: float) -> int:
    """How somebody takes coupons, by the log-odds of living on them: `claims` and `others` are acts
    with a half-life of 28 days, `bought` orders paid without a coupon."""
    said = CLAIM_SAYS * claims + OTHER_SAYS * max(others, 0.0) - 2.0 * max(bought, 0.0)
    if claims >= 1.9 and said >= 2.0:
        return LIVING
    return HOLLOW if claims >= 0.9 and said >= 1.0 else PLAIN


def joined(group: Group, tag: int, day: int, said: int, touched: int) -> Group:
    """The group with this member as of now. Who is told of again unchanged keeps the first day for
    a while."""
    since = day
    for other, told, before in group.members:
        if other == tag and before == said and day - told < KEPT_DAYS:
            since = told
    kept = [one for one in group.members if one[0] != tag and day - one[1] < MEMBER_DAYS]
    kept.append((tag, since & 0xFFFF, said))
    return group._replace(touched=touched, members=tuple(kept[-MEMBERS:]))


def is_ring(group: Group, bar: Bar, day: int) -> bool:
    people = len(group.members)
    if people < bar.people or sum(said == LIVING for _, _, said in group.members) < bar.living:
        return False
    weight = weight_of(group, bar, day)
    return weight >= bar.weight and weight >= bar.share * people


def weight_of(group: Group, bar: Bar, day: int) -> float:
    """How many members live on coupons, the hollow ones counted in part."""
    weight = 0.0
    for _, told, said in group.members:
        if said == LIVING:
            weight += 1.0
        elif said == HOLLOW and (day - told) & 0xFFFF >= bar.hollow_days:
            weight += bar.hollow
    return weight


def pack(group: Group) -> bytes:
    name = group.name.encode()[:255]
    head = _HEAD.pack(group.kind, group.until_s, group.touched, len(name))
    return head + name + b"".join(_member.pack(*one) for one in group.members)


def unpack(row: bytes) -> Group:
    """Raises ValueError for a row that is broken."""
    if len(row) < _HEAD.size:
        raise ValueError(f"a group's row of {len(row)} bytes is broken")
    kind, until_s, touched, size = _HEAD.unpack_from(row)
    name, members = row[_HEAD.size : _HEAD.size + size], row[_HEAD.size + size :]
    if len(name) < size or len(members) % _member.size:
        raise ValueError(f"a group's row of {len(row)} bytes is broken")
    return Group(kind, until_s, touched, name.decode(), tuple(iter_unpack(_MEMBER, members)))
