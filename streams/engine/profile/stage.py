"""The profile stage: how an event changes what is known of the person.

What seldom comes is dispatched by type; the common path counts activity, channel and hour.
"""

from collections.abc import Callable
from zlib import crc32

from streams.contract.events import ACTIVITY, Order, Payment
from streams.engine.cleaning.duplicates import later, remember
from streams.engine.config import Config
from streams.engine.moment import Moment
from streams.engine.profile import attributes, consent, refusals
from streams.engine.profile.channels import RELATIONS, count_channel, relate
from streams.engine.profile.hours import count_hour
from streams.engine.profile.tags import count_tag
from streams.engine.state import UserState

MATERIAL = frozenset(
    {
        "user.followed",
        "user.unfollowed",
        "contact.added",
        "contact.removed_by_customer",
        "order.paid",
        "order.refunded",
        "push.failed",
        "consent.granted",
        "consent.withdrawn",
        "user.attributes_given",
        "feedback.not_interested",
        "identity.linked",
    }
)


class ProfileStage:
    def __init__(self, config: Config, counts: dict[str, int]) -> None:
        self._zone = config.policy.quiet.zone
        self._counts = counts
        self._seldom: dict[str, Callable[[UserState, Moment], None]] = {
            "order.paid": self._paid,
            "order.refunded": self._refunded,
            "payment.succeeded": self._paid,
            "consent.granted": _granted,
            "consent.withdrawn": _withdrawn,
            "user.attributes_given": self._attributes,
            "feedback.not_interested": _not_interested,
            **dict.fromkeys(RELATIONS, relate),
        }

    def update(self, moment: Moment, mark: bytes) -> None:
        """Take the event over; `mark` is its fingerprint."""
        state, kind, time_ms = moment.person.state, moment.type, moment.time_ms
        state.fingerprints, gone = remember(state.fingerprints, mark)
        if gone:
            state.forgotten = later(state.forgotten, gone)
        state.events += 1
        state.first_seen_ms = min(state.first_seen_ms, time_ms)
        seldom = self._seldom.get(kind)
        if seldom is not None:
            seldom(state, moment)
        state.activity.record(kind, time_ms, moment.spend_fen, moment.stars)
        if kind in ACTIVITY:
            count_channel(state, moment)
            zone = attributes.zone(state, self._zone) if state.attributes else self._zone
            count_hour(state.hours, zone, time_ms)
        if moment.tags and moment.weight > 0.0:
            for tag in moment.tags:
                count_tag(state.tags, tag)
        moment.material = kind in MATERIAL

    def _paid(self, state: UserState, moment: Moment) -> None:
        """Money counts once per order, whether the order or the payment tells of it first."""
        data = moment.data
        assert isinstance(data, Order | Payment)
        mark = crc32(data.order_id.encode()) if data.order_id else 0
        if mark and mark == state.order_mark:
            moment.spend_fen = 0
        state.order_mark = mark

    def _refunded(self, state: UserState, moment: Moment) -> None:
        moment.spend_fen = -min(moment.spend_fen, max(0, state.activity.spend_fen))

    def _attributes(self, state: UserState, moment: Moment) -> None:
        refused = attributes.record(state, moment.data, moment.time_ms)
        if refused:
            self._counts["clean.attribute"] = self._counts.get("clean.attribute", 0) + refused


def _granted(state: UserState, moment: Moment) -> None:
    consent.record(state, moment.data, granted=True, time_ms=moment.time_ms)


def _withdrawn(state: UserState, moment: Moment) -> None:
    consent.record(state, moment.data, granted=False, time_ms=moment.time_ms)


def _not_interested(state: UserState, moment: Moment) -> None:
    data = moment.data
    refusals.refuse(state, category=moment.category, item_id=data.item_id, campaign=data.campaign)
    if moment.category:
        state.interests.refuse(moment.category)
