"""What the fields of commands and reports mean, with examples: a part of the glossary."""

from hashlib import sha256
from typing import Any, Final

import msgspec

_JOURNEY: Final = {
    "spec": "journey/1",
    "id": "cart_rescue",
    "version": 3,
    "title": "购物车挽回",
    "status": "live",
    "entry": {"on": "cart.added"},
    "step": [{"id": "remind", "send": {"template": "cart_remind_v1"}}],
}
_SHA256: Final = sha256(msgspec.json.encode(_JOURNEY, order="deterministic")).hexdigest()
_KIND: Final = ("journey, policy, content, pause or resume.", "journey")
_ID: Final = (
    "The journey, or * for all; policy and content have the id of their kind.",
    _JOURNEY["id"],
)
_VERSION: Final = ("Of the body; it only rises. Pauses have none.", 3)

REPORTS: Final[dict[str, tuple[str, Any]]] = {
    "sha256": ("Digest of the body as JSON with sorted keys, in hex.", _SHA256),
    "problem": ("Why the partition refused it; empty where it took effect.", ""),
    # sums of one journey in one partition, or of one of its arms
    "arms": ("Sums by arm; `hold` is the control groups.", {"remind": {"decided": 40, "sent": 38}}),
    "outcomes": ("Decisions by outcome.", {"SENT": 38, "CAP_GAP": 2}),
    "by_lifecycle": (
        "By lifecycle: treated, of them reached the goal, held out, of them reached it.",
        {"active": [30, 6, 2, 0]},
    ),
    "decided": ("Decisions with this arm.", 40),
    "sent": ("Triggers emitted.", 38),
    "delivered": ("Of them delivered.", 37),
    "opened": ("Of them opened.", 20),
    "clicked": ("Of them clicked.", 9),
    "redeemed": ("Coupons redeemed.", 4),
    "failed": ("Triggers that could not be delivered.", 1),
    "ArmTally.cost_fen": ("What the coupons sent may cost.", 38_000),
    "settled": ("Decisions whose goal window has ended; the sums below are over them.", 35),
    "reached": ("Of them those that reached the goal.", 7),
    "value_fen": ("What the goals were worth.", 61_000),
    "spent_fen": ("What the coupons redeemed did cost.", 4_000),
    "first_settled": ("Settled decisions that were their person's first in the journey.", 30),
    "first_reached": ("Of them those that reached the goal.", 6),
    "first_value_fen": ("What their goals were worth.", 52_000),
    "first_value_squares": ("Sum of the squares of these values, for intervals.", 5.1e8),
    "first_spent_fen": ("What their coupons did cost.", 3_000),
    "first_spent_squares": ("Sum of the squares of these costs.", 3.0e6),
    "first_products": ("Sum of value times cost, for the interval of their ratio.", 2.4e7),
    "credited": ("Messages that were the person's latest before a goal (last touch).", 8),
    "credited_fen": ("What these goals were worth.", 66_000),
    "reads": ("Articles read of the category that was shown.", 5),
    "ArmTally.dwell_ms": ("For how long they were read.", 410_000),
    "JourneyReport.title": ("Of the newest version.", _JOURNEY["title"]),
    "JourneyReport.goal": ("The event types that are its goal.", ["order.paid"]),
    "JourneyReport.window_ms": ("So long after a decision the goal counts.", 259_200_000),
}
for _structure in ("Command", "Control", "Applied"):
    REPORTS[f"{_structure}.kind"] = _KIND
    REPORTS[f"{_structure}.id"] = _ID
    REPORTS[f"{_structure}.version"] = _VERSION
for _structure in ("Command", "Control"):
    REPORTS[f"{_structure}.body"] = ("The whole body; pauses have none.", _JOURNEY)
REPORTS["JourneyReport.version"] = ("The newest version.", 3)
