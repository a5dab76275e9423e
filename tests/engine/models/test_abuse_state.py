"""What stands in a person's row about abuse."""

from streams.engine.models.abuse_state import MOST_LINKS, Link, Watched, linked, links_of, merge
from streams.learning.abuse.pace import claimed


def test_links_are_few_and_the_one_told_longest_ago_goes() -> None:
    packed = b""
    for number in range(10):
        packed = linked(packed, Link(number, 20_000 + number, number % 3, 2, 1))
    found = list(links_of(packed))
    assert [link.group for link in found] == [6, 7, 8, 9]
    assert found[-1] == Link(9, 20_009, 0, 2, 1)
    assert len(found) == MOST_LINKS


def test_two_who_are_one_keep_the_marks_the_links_and_the_exemption_of_both() -> None:
    ours = Watched(links=linked(b"", Link(1, 2, 0, 1, 0)), marks={0: 50}, exempt_s=9)
    theirs = Watched(claims=claimed(b"", 10**12), marks={0: 70, 2: 60})
    both = merge(ours, theirs)
    assert both is not None
    assert (both.marks, both.exempt_s) == ({0: 70, 2: 60}, 9)
    assert both.claims == theirs.claims
    assert both.links == ours.links
    assert merge(None, theirs) is theirs
    assert merge(ours, None) is ours
