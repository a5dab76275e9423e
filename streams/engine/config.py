"""What a deployment decides, as one value that stands in each log's genesis record.

Policy, journeys and content may be replaced later by commands on the log.
"""

from msgspec import Struct

from streams.contract.content import Library
from streams.contract.journeys import JourneySpec
from streams.contract.policy import DAY_MS, Policy


class Churn(Struct, frozen=True):
    """Soft churn: no activity within `horizon_days`; hard: unfollow. People silent for longer than
    `watch_days` are lost and no longer scored; from `at_risk` on a person counts as at risk."""

    horizon_days: int = 7
    watch_days: int = 21
    at_risk: float = 0.6


class Config(Struct, frozen=True):
    tenant: str = "default"
    brand: str = ""
    partitions: int = 4
    seed: str = "wechat"
    scenario: str = "ecommerce"
    policy: Policy = Policy()
    churn: Churn = Churn()
    journeys: tuple[JourneySpec, ...] = ()
    content: Library = Library(spec="content/1")
    late_ms: int = 7 * DAY_MS
    timers_per_record: int = 64
    users_in_memory: int = 8_000  # decoded (5.5 KB each) in each partition; the rest stays encoded
