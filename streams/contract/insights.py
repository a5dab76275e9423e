"""What is told on `wechat.insights`: what models found out, beside profiles and decisions.

Keyed by user id where a record is about a person, else by the name of what it is about.
"""

from typing import Literal

from msgspec import Struct

AlertKind = Literal["brand_sentiment", "model_gate", "abuse_ring", "stock"]


class SegmentChanged(
    Struct, tag_field="insight", tag="segment", kw_only=True, omit_defaults=True, frozen=True
):
    """A person left a segment and entered another. `why`: the figures that decided."""

    user_id: str
    at_ms: int
    family: str  # rfm | cluster
    left: str = ""  # empty: the first segment of this person
    entered: str
    why: dict[str, float] = {}
    tenant: str = "default"


class Alert(
    Struct, tag_field="insight", tag="alert", kw_only=True, omit_defaults=True, frozen=True
):
    """Something a person should look at. `level` is what was seen, `reference` what was expected;
    `detail` names what to do. Of each kind and name one a day at most, but for gates: each move."""

    alert_id: str
    at_ms: int
    partition: int
    kind: AlertKind
    name: str  # of the brand, model, ring or item
    level: float = 0.0
    reference: float = 0.0
    detail: str = ""
    tenant: str = "default"


class Forecast(
    Struct, tag_field="insight", tag="forecast", kw_only=True, omit_defaults=True, frozen=True
):
    """Expected counts of the coming periods, the first of them beginning at `start_ms`, with the
    bounds of 90 % intervals. `mase` and `coverage` say how good earlier forecasts of the series
    were, over `judged` periods."""

    series: str  # e.g. item:skincare, channel:miniprogram, coupon:stock_17
    at_ms: int
    partition: int
    start_ms: int
    step_ms: int
    mean: list[float]
    low: list[float]
    high: list[float]
    mase: float = 0.0
    coverage: float = 0.0
    judged: int = 0
    tenant: str = "default"


InsightRecord = SegmentChanged | Alert | Forecast
