"""Through which channels a person meets us, which they prefer, and which reach them now."""

from typing import Final

from streams.engine.config import DAY_MS
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
MAX_CREDITS: Final = 1_000

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
    """Follow, contact and subscription events. The latest by event time wins."""
    kind, time_ms = moment.type, moment.time_ms
    if kind in ("user.followed", "user.unfollowed"):
        if time_ms >= state.followed_ms:
            state.followed = YES if kind == "user.followed" else NO
            state.followed_ms = time_ms
    elif kind in ("contact.added", "contact.removed_by_customer", "contact.removed_by_staff"):
        if time_ms >= state.contact_ms:
            state.contact = _CONTACT[kind]
            state.contact_ms = time_ms
    elif kind == "subscription.credit_granted":
        state.credits = min(state.credits + 1, MAX_CREDITS)
    else:
        state.credits = 0  # refused or revoked


_CONTACT: Final = {
    "contact.added": YES,
    "contact.removed_by_customer": NO,
    "contact.removed_by_staff": UNKNOWN,
}
RELATIONS: Final = frozenset(
    {
        "user.followed",
        "user.unfollowed",
        "subscription.credit_granted",
        "subscription.credit_refused",
        "subscription.revoked",
        *_CONTACT,
    }
)


def reachable(state: UserState, now_ms: int) -> list[str]:
    """The channels that reach the person now, the preferred one first."""
    found = []
    if state.followed == YES:
        found.append("official_account")
    if state.credits > 0 or now_ms - state.mini_ms <= RECENT_USE_MS:
        found.append("mini_programme")
    if state.contact == YES:
        found.append("wecom")
    counts = state.channels
    found.sort(key=lambda channel: (-counts[PLACES[channel]], PLACES[channel]))
    return found


def ended(state: UserState) -> bool:
    """The person has ended a relation: unfollowed, or removed the contact."""
    return NO in (state.followed, state.contact)
