"""Through which channels a person meets us, which they prefer, and which reach them now."""

from typing import Final

from streams.contract.policy import DAY_MS
from streams.engine.moment import Moment
from streams.engine.profile.hours import halve
from streams.engine.state import NO, UNKNOWN, YES, UserState

CHANNELS: Final = (
    "official_account",
    "mini_programme",
    "customer_service",
    "group",
    "wecom",
    "ads",
)
PLACES: Final = {channel: place for place, channel in enumerate(CHANNELS)}
RECENT_USE_MS: Final = (
    7 * DAY_MS
)  # so long after its last use the mini-programme can show something

_BY_CHANNEL: Final = {
    "official_account": (
        "user.followed",
        "qr.scanned",
        "menu.clicked",
        "message.received",
        "article.read",
    ),
    "mini_programme": (
        "subscription.credit_granted",
        "page.viewed",
        "product.viewed",
        "item.liked",
        "item.favourited",
        "item.commented",
        "cart.added",
        "cart.removed",
        "search.performed",
        "share.initiated",
        "share.opened",
        "form.opened",
        "form.submitted",
        "order.created",
        "order.rated",
        "item.reviewed",
    ),
    "customer_service": ("service.session_started",),
    "group": ("group.entered", "group.member_joined"),
    "wecom": ("contact.added",),
    "ads": ("ad.clicked",),
}
CHANNEL_OF: Final = {
    kind: PLACES[channel] for channel, kinds in _BY_CHANNEL.items() for kind in kinds
}
OFFICIAL_ACCOUNT: Final = PLACES["official_account"]
MINI_PROGRAMME: Final = PLACES["mini_programme"]
CUSTOMER_SERVICE: Final = PLACES["customer_service"]
GROUP: Final = PLACES["group"]
ANSWERS: Final = frozenset({"push.opened", "push.clicked"})


def count_channel(state: UserState, moment: Moment) -> None:
    """Count the channel of an activity."""
    place = CHANNEL_OF.get(moment.type)
    if place is None:
        if moment.type not in ANSWERS:
            return
        place = PLACES.get(moment.data.channel)
        if place is None:
            return
    counts = state.channels
    if counts[place] == 255:
        halve(counts)
    counts[place] += 1
    if place == MINI_PROGRAMME:
        state.mini_ms = max(state.mini_ms, moment.time_ms)
    elif place == OFFICIAL_ACCOUNT and state.followed == UNKNOWN:
        state.followed = YES  # who writes to the account or reads in it follows it


def relate(state: UserState, moment: Moment) -> None:
    """Follow and contact events. The latest by event time wins."""
    kind, time_ms = moment.type, moment.time_ms
    if kind in ("user.followed", "user.unfollowed"):
        if time_ms >= state.followed_ms:
            state.followed = YES if kind == "user.followed" else NO
            state.followed_ms = time_ms
    elif time_ms >= state.contact_ms:
        state.contact = _CONTACT[kind]
        state.contact_ms = time_ms


_CONTACT: Final = {
    "contact.added": YES,
    "contact.removed_by_customer": NO,
    "contact.removed_by_staff": UNKNOWN,
}
RELATIONS: Final = frozenset({"user.followed", "user.unfollowed", *_CONTACT})


def reachable(state: UserState, now_ms: int) -> list[str]:
    """The channels by which the person can be found now, the most used first. Ads find anybody, by
    an audience, and are not among them; whether we are entitled to write is the policy's question.
    """
    found = []
    counts = state.channels
    mini = now_ms - state.mini_ms <= RECENT_USE_MS
    if state.followed == YES:
        found.append("official_account")
    if mini or _granted(state, MINI_PROGRAMME):
        found.append("mini_programme")
    if mini or state.followed == YES or _granted(state, CUSTOMER_SERVICE):
        found.append("customer_service")
    if counts[GROUP]:
        found.append("group")
    if state.contact == YES:
        found.append("wecom")
    if len(found) > 1:
        found.sort(key=lambda channel: (-counts[PLACES[channel]], PLACES[channel]))
    return found


def _granted(state: UserState, channel: int) -> bool:
    return any(
        grant.channel == channel and grant.span >= 0 and grant.count > 0 for grant in state.grants
    )


def ended(state: UserState) -> bool:
    """The person has ended a relation: unfollowed, or removed the contact."""
    return NO in (state.followed, state.contact)
