"""How people answer what our triggers send them. Nothing here happens before `not_before_ms`.

What an order gains from each kind of message, beyond what would have come anyway, by group: the
persuadable order because of a coupon (PERSUADED) or, less often, of a reminder of their cart; sure
things may be reminded of a cart, but a coupon they only take along (SURE) to an order they would
have made anyway, so it costs and gains nothing; lost causes do neither; sleeping dogs are annoyed
by any message, and some leave. So no arm is the best for everybody, and most coupons gain nothing.
"""

from random import Random
from typing import NamedTuple

from streams.contract.triggers import Trigger
from streams.simulation.person import Person

MINUTE_MS = 60_000
SEND_FAILS = 0.02
PERSUADED = 0.35  # of the persuadable claim a coupon and come because of it
SURE = 0.5  # of the sure things claim one on a visit they would have made anyway
RETURNS = 0.5  # of the persuadable who had left silently and would have claimed come back
IRRITATION = 0.9  # of a sleeping dog by any message, as annoyance
BOTHER = 0.25  # of everyone else
DOG_UNFOLLOWS = 0.04  # of sleeping dogs unfollow on the spot
GOODWILL = -0.4  # a coupon that was wanted makes up for part of a disappointment

# Chance of opening, relative to the person's openness.
OPENS = {
    "persuadable": 1.2,
    "sure_thing": 1.2,
    "lost_cause": 0.35,
    "sleeping_dog": 0.5,
}


class Answer(NamedTuple):
    """What the person or the push service does at a time."""

    at_ms: int
    kind: str  # "push" | "claim" | "shop" | "read" | "unfollow" | "annoyed"
    type: str = ""
    code: str = ""


def answers(trigger: Trigger, person: Person | None, rng: Random, from_ms: int) -> list[Answer]:
    """In order of time, all at or after both `from_ms` and the trigger's `not_before_ms`."""
    at_ms = max(trigger.not_before_ms, from_ms) + 500 + int(rng.expovariate(1 / 2_000))
    if at_ms >= trigger.expires_at_ms:
        return [Answer(at_ms, "push", "push.suppressed", "expired")]
    plan = [Answer(at_ms, "push", "push.accepted")]
    at_ms += 1_000 + int(rng.expovariate(1 / 20_000))
    if person is None or person.erased_ms or person.left_how == "unfollow":
        return [*plan, Answer(at_ms, "push", "push.failed", "43004")]
    if rng.random() < SEND_FAILS:
        return [*plan, Answer(at_ms, "push", "push.failed", "45009")]
    plan.append(Answer(at_ms, "push", "push.delivered"))
    plan.append(Answer(at_ms, "annoyed"))
    gone = person.left_day is not None
    dog = person.response == "sleeping_dog"
    if dog and not gone and rng.random() < DOG_UNFOLLOWS:
        return [*plan, Answer(at_ms + int(rng.uniform(1, 90) * MINUTE_MS), "unfollow")]
    if gone and person.response != "persuadable":
        return plan
    open_ms = at_ms + int(min(rng.lognormvariate(3.7, 1.1), 600.0) * MINUTE_MS)  # median 40 minutes
    if open_ms >= trigger.expires_at_ms:
        return plan
    if trigger.kind == "coupon":
        return plan + _to_coupon(person, rng, open_ms, gone=gone)
    return plan + ([] if gone else _to_message(trigger, person, rng, open_ms))


def _to_coupon(person: Person, rng: Random, open_ms: int, *, gone: bool) -> list[Answer]:
    opened = Answer(open_ms, "push", "push.opened")
    lot = rng.random()
    if person.response == "persuadable" and lot < (PERSUADED * RETURNS if gone else PERSUADED):
        clicked = Answer(open_ms + 5_000, "push", "push.clicked")
        shop = Answer(open_ms + 60_000, "shop", "coupon")
        return [opened, clicked, Answer(open_ms + 20_000, "claim"), shop]
    if gone:
        return []
    if person.response == "sure_thing" and lot < SURE:
        return [Answer(open_ms, "claim", "later")]
    return [opened] if rng.random() < person.openness * OPENS[person.response] * 0.5 else []


def _to_message(trigger: Trigger, person: Person, rng: Random, open_ms: int) -> list[Answer]:
    if rng.random() >= person.openness * OPENS[person.response]:
        return []
    plan = [Answer(open_ms, "push", "push.opened")]
    if person.response in ("lost_cause", "sleeping_dog") or rng.random() < 0.4:
        return plan
    plan.append(Answer(open_ms + 4_000, "push", "push.clicked"))
    if trigger.kind == "content":
        category = trigger.content.category if trigger.content is not None else ""
        return [*plan, Answer(open_ms + 10_000, "read", code=category)]
    if person.cart is not None and rng.random() < 0.5:
        plan.append(Answer(open_ms + 30_000, "shop", "cart"))
    return plan


def annoyance(person: Person) -> float:
    """What one delivered message weighs."""
    return IRRITATION if person.response == "sleeping_dog" else BOTHER
