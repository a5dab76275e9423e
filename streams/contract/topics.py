"""The topics, by short name; the deployment's prefix (`wechat.`) stands before each."""

from typing import Final

EVENTS: Final = "events"
LOG: Final = "log"
STATE: Final = "state"
MAIL: Final = "mail"
DECISIONS: Final = "decisions"
PROFILES: Final = "profiles"
DEAD_LETTERS: Final = "dead-letters"
TRIGGERS: Final = {kind: f"triggers.{kind}" for kind in ("coupon", "message", "content", "ad")}
CONTROL: Final = "control"  # one partition: commands of operators and marketers
REPORTS: Final = "reports"  # what came of journeys, and which commands took effect
INSIGHTS: Final = "insights"  # what models found out: segments, alerts, forecasts

ONE_PARTITION: Final = (CONTROL,)  # all others have the deployment's partition count

# How long the contract promises to keep a topic's records; None: the last of each key, for ever.
# Raw ids stand in events only, hence days; the log outlives the longest what-if; commands are rare.
RETENTION_DAYS: Final[dict[str, int | None]] = {
    EVENTS: 3,
    LOG: 35,
    STATE: None,
    MAIL: 7,
    DECISIONS: 90,
    PROFILES: None,
    DEAD_LETTERS: 14,
    **dict.fromkeys(TRIGGERS.values(), 7),
    CONTROL: 365,
    REPORTS: 90,
    INSIGHTS: 90,
}
