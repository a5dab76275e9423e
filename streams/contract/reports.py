"""What is told on `wechat.reports`: which commands took effect, and what came of each journey.

Reports of journeys are sums since the journey began, per partition: the latest of every partition
and journey, added up, is the whole. Sums of squares stand beside sums for intervals.
"""

from msgspec import Struct, field


class Applied(Struct, tag_field="report", tag="applied", kw_only=True, omit_defaults=True):
    """A partition has folded a command. `problem`: why it was refused, empty where it took
    effect."""

    partition: int
    at_ms: int
    kind: str
    id: str
    version: int = 0
    sha256: str = ""
    problem: str = ""


class ArmTally(Struct, omit_defaults=True):
    """Decisions with one arm. `settled` ones are those whose goal window has ended: `reached`,
    `value_fen`, `spent_fen` and the squares are sums over them. `first_*`: the same of each
    person's first decision for which the control groups were drawn, which is what effects are
    measured on. `credited`: messages that were the person's latest before a goal within their
    window. `reads`, `dwell_ms`: articles of the category that was shown, credited in the same
    way."""

    decided: int = 0
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    redeemed: int = 0
    failed: int = 0
    cost_fen: int = 0  # what the coupons sent may cost
    settled: int = 0
    reached: int = 0
    value_fen: int = 0
    spent_fen: int = 0  # what the coupons redeemed did cost
    first_settled: int = 0
    first_reached: int = 0
    first_value_fen: int = 0
    first_value_squares: float = 0.0
    first_spent_fen: int = 0
    first_spent_squares: float = 0.0
    first_products: float = 0.0  # value times what the coupon cost
    credited: int = 0
    credited_fen: int = 0
    reads: int = 0
    dwell_ms: int = 0


class JourneyReport(Struct, tag_field="report", tag="journey", kw_only=True, omit_defaults=True):
    """One journey in one partition, all versions; title, goal and its window are the newest's.
    `arms`: `hold` is the control groups, an empty name those whom a gate refused. `outcomes`:
    decisions by code. `by_lifecycle`: of the first decisions, by the stage before them."""

    partition: int
    at_ms: int
    journey: str
    version: int
    arms: dict[str, ArmTally] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)
    by_lifecycle: dict[str, list[int]] = field(
        default_factory=dict
    )  # [treated, reached, held, reached]
    title: str = ""
    goal: list[str] = []  # event types
    window_ms: int = 0


Report = Applied | JourneyReport
