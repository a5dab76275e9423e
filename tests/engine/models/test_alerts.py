"""Alerts: an id names what is told, so that who reads twice counts once."""

from streams.engine.insight import Insight
from streams.engine.models.model import Model, alert
from tests.engine.world import DAY_MS, HOUR_MS, NOON_MS, OPEN, World, altered


def told(model: Model, detail: str, now_ms: int) -> str:
    around = model.around
    found = alert(around, "model_gate", "churn", now_ms, level=0.0, reference=0.0, detail=detail)
    return found.alert_id


def model() -> Model:
    insight: Insight = World(altered(OPEN, journeys=())).folds[0].engine.insight
    return insight._models[0]


def test_the_same_alert_has_one_id_a_day_of_the_marketers() -> None:
    it, morning_ms = model(), NOON_MS - 11 * HOUR_MS
    assert told(it, "suspended", morning_ms) == told(it, "suspended", NOON_MS + 11 * HOUR_MS)
    assert told(it, "suspended", morning_ms) != told(it, "suspended", morning_ms + DAY_MS)
    assert told(it, "suspended", morning_ms) != told(it, "suspended", morning_ms - 2 * HOUR_MS)


def test_a_model_that_leaves_and_comes_back_on_one_day_is_two_alerts() -> None:
    it = model()
    assert told(it, "suspended", NOON_MS) != told(it, "serving", NOON_MS)
