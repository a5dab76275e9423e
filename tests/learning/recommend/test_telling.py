"""Recommenders of people apart tell each other sums, so each knows what all their people met."""

import msgspec
import numpy as np
import pytest

from streams.learning.recommend import telling
from streams.learning.recommend.catalogue import key_of
from streams.learning.recommend.recommender import Recommender
from streams.learning.recommend.telling import Told
from tests.learning.recommend.shop import SMALL, START_MS, Visit, loaded, saved, taught, visits

STREAM = visits(400)
LETTER = 4_096  # bytes


def sharing() -> Recommender:
    recommender = Recommender(b"seed", SMALL)
    recommender.begin_sharing()
    return recommender


def halves() -> tuple[Recommender, Recommender, Recommender]:
    """Of the people with even keys, of those with odd ones, of all."""
    split: tuple[list[Visit], list[Visit]] = ([], [])
    for visit in STREAM:
        split[visit.person % 2].append(visit)
    return taught(split[0], sharing()), taught(split[1], sharing()), taught(STREAM)


def letters(recommender: Recommender, most_bytes: int = LETTER) -> list[Told]:
    found = []
    while (told := recommender.share(most_bytes)) is not None:
        found.append(told)
    return found


def counts(recommender: Recommender) -> dict[str, float]:
    catalogue = recommender.catalogue
    return {item.id: catalogue.visits[place] for place, item in enumerate(catalogue.items) if item}


def test_who_is_told_has_counted_as_many_visits_as_one_for_all() -> None:
    even, odd, both = halves()
    for told in letters(odd):
        even.absorb(told)
    assert counts(even) == counts(both)


def together(recommender: Recommender) -> float:
    one, other = (recommender.catalogue.place(name) for name in ("cups-0", "cups-1"))
    if one is None or other is None:
        return 0.0
    return recommender.covisits.weights(one, [other])[0]


def test_pairs_are_told_as_often_as_they_were_met() -> None:
    even, odd, _ = halves()
    before, theirs = together(even), together(odd)
    for told in letters(odd):
        even.absorb(told)
    assert theirs > 0.0
    # What fades within a letter's time is not told.
    assert together(even) == pytest.approx(before + theirs, rel=0.02)


def test_a_letter_keeps_to_its_bytes_and_nothing_is_told_twice() -> None:
    small, large = (taught(STREAM, sharing()) for _ in range(2))
    told = letters(small, 1_024)
    assert len(told) > 3
    assert max(len(msgspec.json.encode(letter)) for letter in told) <= 1_024
    one = Recommender(b"seed", SMALL)
    for letter in told:
        one.absorb(letter)
    other = Recommender(b"seed", SMALL)
    for letter in letters(large, 1 << 20):
        other.absorb(letter)
    assert counts(one) == counts(other)
    assert sum(len(letter.pairs) for letter in told) == len({*pairs_of(told)})


def pairs_of(told: list[Told]) -> list[frozenset[str]]:
    return [
        frozenset((letter.items[one][0], letter.items[other][0]))
        for letter in told
        for one, other, _ in letter.pairs
    ]


def test_what_is_heard_is_not_told_on() -> None:
    even, odd, _ = halves()
    letters(even)
    for told in letters(odd):
        even.absorb(told)
    assert even.share(LETTER) is None


def test_who_shares_with_nobody_keeps_nothing_for_letters() -> None:
    recommender = taught(STREAM)
    assert recommender.share(LETTER) is None
    assert not any(name.startswith(b"waiting/") for name in saved(recommender))


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "MOST_PAIRS", 20)
    recommender = taught(STREAM, sharing())
    assert recommender.waiting is not None
    assert len(recommender.waiting.pairs) == 20
    assert len(recommender.waiting.visits) <= SMALL.capacity


def test_saved_and_loaded_between_two_letters_the_next_says_the_same() -> None:
    straight, half = sharing(), sharing()
    taught(STREAM[:200], straight)
    taught(STREAM[:200], half)
    assert straight.share(1_024) == half.share(1_024)
    resumed = loaded(saved(half))
    taught(STREAM[200:], straight)
    taught(STREAM[200:], resumed)
    assert letters(resumed) == letters(straight)


def test_an_item_that_left_is_not_told() -> None:
    recommender = taught(STREAM, sharing())
    recommender.forget_item("tea-1")
    told = letters(recommender)
    assert all(item_id != "tea-1" for letter in told for item_id, _ in letter.items)


def test_a_new_item_is_told_with_its_tags() -> None:
    even, odd, _ = halves()
    odd.learn_one("tea-new", [key_of("tea-1")], START_MS, tags=["tea", "green"])
    for told in letters(odd):
        even.absorb(told)
    place = even.catalogue.place("tea-new")
    assert place is not None
    item = even.catalogue.items[place]
    assert item is not None
    assert (item.tags, item.first_ms) == (["tea", "green"], START_MS)
    assert np.count_nonzero(even.latents.own[place]) > 0
