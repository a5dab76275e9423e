"""What the fields of insights mean, with examples: a part of the glossary."""

from typing import Any, Final

INSIGHTS: Final[dict[str, tuple[str, Any]]] = {
    "family": ("Which way of dividing people: rfm or cluster.", "rfm"),
    "left": ("The segment the person was in; empty for the first.", "promising"),
    "entered": ("The segment the person is in now.", "champions"),
    "SegmentChanged.why": ("The figures that decided.", {"recency_days": 2.0, "orders": 9.0}),
    "alert_id": ("From what it is about and the day: the same alert has the same id.", "a1b2c3"),
    "Alert.kind": ("brand_sentiment, model_gate, abuse_ring or stock.", "brand_sentiment"),
    "Alert.name": ("The brand, model, ring or item.", "flagship"),
    "level": ("What was seen.", 0.41),
    "reference": ("What was expected.", 0.62),
    "Alert.detail": ("What to do.", "look at the latest reviews of this brand"),
    "series": ("What is counted, e.g. item:skincare or coupon:stock_17.", "item:skincare"),
    "start_ms": ("When the first of the periods begins.", 1_763_798_400_000),
    "step_ms": ("How long a period is.", 3_600_000),
    "mean": ("Expected counts, one per period.", [12.5, 14.0]),
    "low": ("Lower bounds of 90 % intervals.", [7.0, 8.0]),
    "high": ("Upper bounds of 90 % intervals.", [19.0, 21.0]),
    "mase": ("Mean absolute scaled error of earlier forecasts; below 1 beats naive.", 0.82),
    "coverage": ("Share of earlier periods within their interval.", 0.9),
    "judged": ("How many periods these figures are over.", 168),
}
