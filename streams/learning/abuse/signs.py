"""What pace and claims say: how near each rule somebody is. A sign of 1 or more is the rule."""

from math import log2
from operator import truediv
from typing import Final

from streams.learning.abuse.pace import Claims, Pace

CLAIM_LIMITS: Final = (5.0, 6.0, 12.0, 24.0)  # coupons in a minute, ten, an hour, a day
EVENT_LIMITS: Final = (120.0, 480.0, 1_400.0, 5_000.0)
CLAIM_SHARE: Final = 0.75  # of all events of a window: people look before they take
BLATANT: Final = 3.0  # times the limit, whatever else was done
MOST_CREDIT: Final = 2.0  # so many times the limits, for who buys without coupons too
RHYTHM_GAPS: Final = 24
RHYTHM_DEVIATION: Final = 0.22  # of the logarithm of gaps: people have about one
RHYTHM_PAUSE: Final = 4.5  # mean logarithm of ms: below 90 ms it is one act told in parts
MOST_REFUNDS: Final = 4.0
REFUND_SHARE: Final = 0.6


def coupon_velocity(claims: Claims, pace: Pace, bought: float) -> float:
    """More coupons than a limit, and hardly anything else meanwhile; or three times as many.
    `bought`: orders paid without a coupon; five of them earn twice the limits."""
    credit = 1.0 + min(max(bought, 0.0) / 5.0, MOST_CREDIT - 1.0)
    most = 0.0
    for count, events, limit in zip(claims.counts, pace.counts, CLAIM_LIMITS, strict=True):
        if count:
            over = count / (limit * credit)
            alone = count / max(events, count) / CLAIM_SHARE
            most = max(most, min(_sign(over), alone), min(over / BLATANT, 2.0))
    return most


def event_velocity(pace: Pace) -> float:
    return _sign(max(map(truediv, pace.counts, EVENT_LIMITS)))


def machine_rhythm(pace: Pace) -> float:
    """An even beat, kept up for long, of more than the parts of one act."""
    if pace.gaps < RHYTHM_GAPS or pace.mean < RHYTHM_PAUSE:
        return 0.0
    return min(RHYTHM_DEVIATION / max(pace.deviation, RHYTHM_DEVIATION / 2.0), 2.0)


def refund_abuse(claims: Claims, orders: int) -> float:
    """Orders are refunded again and again while their coupons were used."""
    if not claims.used or not claims.refunded:
        return 0.0
    share = claims.refunded / max(orders, claims.refunded)
    return min(claims.refunded / MOST_REFUNDS, share / REFUND_SHARE, 2.0)


def _sign(over: float) -> float:
    """1 at a limit, 2 at four times it."""
    return over**2 if over < 1.0 else 1.0 + log2(over) / 2.0
