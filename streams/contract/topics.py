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
