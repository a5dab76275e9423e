"""Two people turn out to be one: sums add, the latest counts, consent is the stricter by its own
rules, what was sent to either was sent to the person.
"""

from math import ldexp

from streams.engine import entitlements
from streams.engine.cleaning import duplicates
from streams.engine.models import abuse_state, growth_state, said_state, visited
from streams.engine.profile import consent, refusals, tags
from streams.engine.profile.activity import BITMAP, BITMAP_DAYS, PERIOD_MS, Activity
from streams.engine.profile.hours import add_counts
from streams.engine.profile.interests import CATEGORIES, FAST_MS, SLOW_MS, Interests, Leaning
from streams.engine.state import MOST_ENTRIES, MOST_RECENT, Standing, UserState

PERIOD_DAYS = 28
SUMS = ("days", "orders", "spend_fen", "ratings", "stars", "approaches", "responses")


def merge(into: UserState, other: UserState) -> None:
    """Everything but waiting journeys and the anchor, which the stages of journeys and people
    merge."""
    into.first_seen_ms = min(into.first_seen_ms, other.first_seen_ms)
    into.events += other.events
    into.fingerprints, into.forgotten = duplicates.union(
        other.fingerprints,
        into.fingerprints,
        duplicates.later(other.forgotten, into.forgotten),
    )
    merge_activity(into.activity, other.activity)
    merge_interests(into.interests, other.interests)
    tags.merge(into.tags, other.tags)
    add_counts(into.hours, other.hours)
    add_counts(into.channels, other.channels)
    if other.followed_ms > into.followed_ms or not into.followed:
        into.followed, into.followed_ms = other.followed, other.followed_ms
    if other.contact_ms > into.contact_ms or not into.contact:
        into.contact, into.contact_ms = other.contact, other.contact_ms
    entitlements.merge(into, other)
    into.mini_ms = max(into.mini_ms, other.mini_ms)
    for said in other.consents:
        consent.put(into, said)
    refusals.merge(into, other)
    into.sends[:] = sorted(
        [*into.sends, *other.sends], key=lambda sent: (sent.created_ms, sent.mark)
    )
    for name, their_standing in other.standings.items():
        _merge_standing(into.standings.setdefault(name, Standing()), their_standing)
    for kind, seconds in other.recent.items():
        into.recent[kind] = sorted([*into.recent.get(kind, ()), *seconds])[-MOST_RECENT:]
    into.grown = growth_state.merge(into.grown, other.grown)
    into.abuse = abuse_state.merge(into.abuse, other.abuse)
    for name, theirs in other.attributes.items():
        ours = into.attributes.get(name)
        if ours is None or theirs.time_ms > ours.time_ms:
            into.attributes[name] = theirs
    into.visited = visited.merge(into.visited, other.visited)
    into.mood = said_state.merge_moods(into.mood, other.mood)
    into.asked = said_state.merge_asked(into.asked, other.asked)
    _merge_doing(into, other)


def _merge_doing(into: UserState, other: UserState) -> None:
    """The later actions are the person's; of two predictions on record the one made first."""
    if other.doing is not None and (into.doing is None or other.doing.last_s > into.doing.last_s):
        into.doing = other.doing
    theirs, ours = other.purchase, into.purchase
    if theirs is not None and (ours is None or theirs.made_s < ours.made_s):
        into.purchase = theirs


def _merge_standing(into: Standing, other: Standing) -> None:
    into.entered = sorted([*into.entered, *other.entered])[-MOST_ENTRIES:]
    into.measured = into.measured or other.measured
    into.rests_s = max(into.rests_s, other.rests_s)
    if other.decided_s > into.decided_s:
        into.outcome, into.decided_s = other.outcome, other.decided_s


def merge_activity(into: Activity, other: Activity) -> None:
    """Decayed sums are named by their half-life in days (`count_7`) and add at the later
    landmark."""
    landmark_ms = max(into.landmark_ms, other.landmark_ms)
    ours = (landmark_ms - into.landmark_ms) // PERIOD_MS if into.landmark_ms else 0
    theirs = (landmark_ms - other.landmark_ms) // PERIOD_MS if other.landmark_ms else 0
    for name in Activity.__struct_fields__:
        days = name.rpartition("_")[2]
        if days.isdecimal():
            halvings = PERIOD_DAYS // int(days)
            left = ldexp(getattr(into, name), -halvings * ours)
            setattr(into, name, left + ldexp(getattr(other, name), -halvings * theirs))
    into.landmark_ms = landmark_ms
    for name in SUMS:
        setattr(into, name, getattr(into, name) + getattr(other, name))
    _merge_days(into, other)
    into.first_ms = min(filter(None, (into.first_ms, other.first_ms)), default=0)
    into.last_ms = max(into.last_ms, other.last_ms)
    into.last_order_ms = max(into.last_order_ms, other.last_order_ms)


def merge_interests(into: Interests, other: Interests) -> None:
    landmark_ms = max(into.landmark_ms, other.landmark_ms)
    for interests in (into, other):
        periods = (landmark_ms - interests.landmark_ms) // SLOW_MS
        for leaning in interests.leanings.values():
            leaning.slow = ldexp(leaning.slow, -periods)
            leaning.fast = ldexp(leaning.fast, -periods * (SLOW_MS // FAST_MS))
    into.landmark_ms = landmark_ms
    for category, theirs in other.leanings.items():
        ours = into.leanings.setdefault(category, Leaning())
        debt = max(ours.debt, theirs.debt)
        fast, slow = ours.fast + theirs.fast, ours.slow + theirs.slow
        into.leanings[category] = Leaning(0.0, 0.0, debt) if debt else Leaning(fast, slow, 0)
    while len(into.leanings) > CATEGORIES:
        leanings = into.leanings
        del leanings[
            min(leanings, key=lambda name: (leanings[name].debt > 0, leanings[name].slow, name))
        ]


def _merge_days(into: Activity, other: Activity) -> None:
    """Days on which both were active count once, as far back as days are remembered singly."""
    older, newer = sorted((into, other), key=lambda one: one.last_day)
    ago = newer.last_day - older.last_day
    shifted = older.bitmap << ago & BITMAP if ago < BITMAP_DAYS else 0
    into.days -= (shifted & newer.bitmap).bit_count()
    into.bitmap = shifted | newer.bitmap
    into.last_day = newer.last_day
