"""Whom and what the report shows: a person with much to tell, a decision that sent, one that not.

Read from the files of a run as streams; ties are broken by id, so the same run shows the same.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from streams.contract.decisions import Decision
from streams.contract.events import ACTIVITY
from streams.contract.journeys import HOLD
from streams.contract.profiles import Profile
from streams.contract.triggers import Trigger
from streams.explain import CHINA
from streams.report.person import Moment, Person
from streams.report.words import CHANNELS, EVENTS, KINDS, Words, pick

VISIT_GAP_MS = 1_800_000
AFTERWARDS_MS = 3 * 86_400_000  # of the timeline after the last trigger
REFUSED = ("CAP_GAP", "CAP_PERSON", "HOLDOUT_JOURNEY", "NO_CONSENT", "BUDGET_DAY")
UNSEEN = ("push.accepted", "push.delivered", "push.requested", "ad.shown")  # not done by the person
_SOURCES = {"oa": "official_account", "mp": "mini_programme", "shop": "mini_programme"}
_PREFIXES = {"wecom": "wecom", "wxpay": "payment", "ads": "ads"}


class Chosen(NamedTuple):
    person: Person | None
    decisions: list[tuple[Decision, Trigger | None]]


class _Event(msgspec.Struct):
    """What the story needs of a raw event."""

    subject: str
    type: str
    source: str
    time_ms: int
    data: dict[str, Any] = {}


class _Tally(msgspec.Struct):
    kinds: dict[str, int] = {}
    coupon: Trigger | None = None


def choose(folder: Path, native_ids: Callable[[str], Sequence[str]]) -> Chosen:
    """`native_ids` gives the subjects of a user's events in events.ndjson."""
    tallies: dict[str, _Tally] = {}
    for trigger in _records(folder / "triggers.ndjson", Trigger):
        tally = tallies.setdefault(trigger.user_id, _Tally(kinds={}))
        tally.kinds[trigger.kind] = tally.kinds.get(trigger.kind, 0) + 1
        if trigger.kind == "coupon" and (tally.coupon is None or trigger.explanation.top):
            tally.coupon = trigger
    profile = _best_profile(folder, tallies)
    if profile is None:
        return Chosen(None, _decisions(folder, None))
    coupon = tallies[profile.user_id].coupon
    person = _person(folder, profile, coupon, frozenset(native_ids(profile.user_id)))
    return Chosen(person, _decisions(folder, profile.user_id))


def _best_profile(folder: Path, tallies: dict[str, _Tally]) -> Profile | None:
    best, best_rank = None, (-1, -1, -1, -1)
    for profile in _records(folder / "profiles.ndjson", Profile):
        tally = tallies.get(profile.user_id)
        if tally is None:
            continue
        rank = (
            0 if tally.coupon is None else 1 + bool(tally.coupon.explanation.top),
            len(tally.kinds),
            int(profile.orders > 0) + int(bool(profile.attributes)),
            min(profile.events, 400),
        )
        if rank > best_rank:
            best, best_rank = profile, rank
    return best


def _person(
    folder: Path, profile: Profile, coupon: Trigger | None, subjects: frozenset[str]
) -> Person:
    events = list(_events_of(folder / "events.ndjson", subjects))
    hours: dict[str, list[int]] = {}
    for event in events:
        channel = _channel(event.source)
        if event.type in ACTIVITY and channel:
            hour = datetime.fromtimestamp(event.time_ms / 1000, CHINA).hour
            hours.setdefault(channel, [0] * 24)[hour] += 1
    moments = _collapsed(events)
    last_ms = 0
    for trigger in _records(folder / "triggers.ndjson", Trigger):
        if trigger.user_id == profile.user_id:
            moments.append(_sent(trigger))
            last_ms = trigger.created_at_ms
    moments.sort(key=lambda moment: moment.at_ms)
    shown = [moment for moment in moments if moment.at_ms <= last_ms + AFTERWARDS_MS]
    return Person(profile, coupon, dict(sorted(hours.items())), shown)


def _decisions(folder: Path, user_id: str | None) -> list[tuple[Decision, Trigger | None]]:
    """One drawn among arms, the coupon of the person shown, and a refusal of a telling kind."""
    drawn: Decision | None = None
    sent: Decision | None = None
    refused: Decision | None = None
    for decision in _records(folder / "decisions.ndjson", Decision):
        if decision.trigger_id and _choices(decision) > (0 if drawn is None else _choices(drawn)):
            drawn = decision
        if decision.trigger_id and decision.user_id == user_id:
            if sent is None or _explains(decision) > _explains(sent):
                sent = decision
        elif decision.outcome in REFUSED and (refused is None or _tells_more(decision, refused)):
            refused = decision
    found = [one for one in (drawn, sent, refused) if one is not None]
    wanted = {one.trigger_id for one in found}
    triggers = {
        trigger.trigger_id: trigger
        for trigger in _records(folder / "triggers.ndjson", Trigger)
        if trigger.trigger_id in wanted
    }
    shown = {one.decision_id: (one, triggers.get(one.trigger_id)) for one in found}
    return list(shown.values())


def _explains(decision: Decision) -> tuple[bool, bool]:
    why = decision.explanation
    return why is not None and bool(why.top), bool(decision.cost_fen)


def _choices(decision: Decision) -> int:
    """How much a decision tells about how it was drawn; 0 where it was no choice."""
    arms = [one for one in decision.candidates if one.arm != HOLD]
    refused = sum(bool(one.refused_by) for one in arms)
    if len(arms) - refused < 2:
        return 0
    return 100 * min(refused, 1) + 10 * len(arms) + int(bool(decision.cost_fen))


def _tells_more(one: Decision, other: Decision) -> bool:
    return REFUSED.index(one.outcome) < REFUSED.index(other.outcome)


def _events_of(path: Path, subjects: frozenset[str]) -> Iterator[_Event]:
    needles = sorted(msgspec.json.encode(subject) for subject in subjects)
    decoder = msgspec.json.Decoder(_Event)
    with path.open("rb", buffering=1 << 20) as file:
        for line in file:
            if not any(needle in line for needle in needles):
                continue
            try:
                event = decoder.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue  # one of the broken ones; the dead letters show them
            if event.subject in subjects:
                yield event


def _collapsed(events: list[_Event]) -> list[Moment]:
    """What stands out by itself; everything else of one visit is one moment."""
    moments: list[Moment] = []
    visit: list[_Event] = []
    for event in sorted(events, key=lambda event: event.time_ms):
        if event.type in UNSEEN:
            continue
        if visit and event.time_ms - visit[-1].time_ms > VISIT_GAP_MS:
            moments.append(_visit(visit))
            visit = []
        if event.type in EVENTS:
            moments.append(Moment(event.time_ms, EVENTS[event.type]))
        else:
            visit.append(event)
    return [*moments, _visit(visit)] if visit else moments


def _visit(events: list[_Event]) -> Moment:
    counts: dict[Words, int] = {}
    categories: dict[str, None] = {}
    for event in events:
        words = pick(EVENTS, event.type.partition(".")[0])
        counts[words] = counts.get(words, 0) + 1
        if category := event.data.get("category"):
            categories[str(category)] = None
    what = f"（{'、'.join(list(categories)[:3])}）" if categories else ""
    return Moment(
        events[0].time_ms,
        Words(
            "、".join(f"{words.zh}{_times(n)}" for words, n in counts.items()) + what,
            ", ".join(f"{words.en}{_times(n)}" for words, n in counts.items()),
        ),
    )


def _times(count: int) -> str:
    return f" ×{count}" if count > 1 else ""


def _sent(trigger: Trigger) -> Moment:
    kind, channel = pick(KINDS, trigger.kind), pick(CHANNELS, trigger.channel)
    detail = ""
    if trigger.coupon is not None:
        detail = f" ¥{trigger.coupon.face_value_fen / 100:,.0f}"
    elif trigger.content is not None:
        detail = f"（{trigger.content.category}）"
    words = Words(f"→ 触达：{kind.zh}{detail}，{channel.zh}", f"we sent: {kind.en}, {channel.en}")
    return Moment(trigger.created_at_ms, words, sent=True)


def _channel(source: str) -> str:
    parts = source.split(":")
    if parts[0] == "wx" and len(parts) > 1:
        return _SOURCES.get(parts[1], "")
    return _PREFIXES.get(parts[0], "")


def _records(path: Path, what: type[Any]) -> Iterator[Any]:
    decoder = msgspec.json.Decoder(what)
    with path.open("rb", buffering=1 << 20) as file:
        for line in file:
            yield decoder.decode(line)
