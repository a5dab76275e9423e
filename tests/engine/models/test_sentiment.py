"""What people say is learned from reviews with stars; a brand that falls is an alert."""

from typing import Any

import pytest

from streams.contract.codec import decode
from streams.contract.insights import Alert
from streams.contract.partitioning import partition_of
from streams.contract.topics import INSIGHTS
from streams.engine.insight import MODELS, Insight
from streams.engine.models.brand_mood import BrandMood, Brands
from streams.engine.models.sentiment import PREFIX, SentimentModel
from streams.learning.text.grams import grams
from tests.engine.world import DAY_MS, HOUR_MS, OPEN, World, alias_in, altered
from tests.learning.text.reviews import reviews

QUIET = altered(OPEN, journeys=())


def model(world: World, partition: int = 0) -> SentimentModel:
    insight: Insight = world.folds[partition].engine.insight
    return insight.model(SentimentModel)


def review(world: World, alias: str, text: str, stars: int, **fields: Any) -> None:
    world.see(alias, "item.reviewed", {"stars": stars, "grams": grams(text)}, **fields)


def rate(world: World, count: int, seed: int, alias: str = "ann") -> None:
    for number, (text, positive) in enumerate(reviews(count, seed)):
        review(world, f"{alias}{number}", text, 5 if positive else 1)


def alerts(world: World) -> list[Alert]:
    told = [one.value for one in world.outputs if one.topic == INSIGHTS and one.value]
    return [decode(raw, Alert) for raw in told if b'"brand_sentiment"' in raw]


def test_the_model_stands_in_the_list() -> None:
    assert SentimentModel in MODELS


def test_stars_teach_what_words_mean() -> None:
    world = World(QUIET)
    before = model(world).probability(grams("雷品"))
    rate(world, 150, seed=1)
    assert model(world).probability(grams("雷品")) < before - 0.1
    assert world.count("model.sentiment.examples") == 150
    assert world.count("model.sentiment.auc") > 0.85


def test_three_stars_and_reviews_without_text_teach_nothing() -> None:
    world = World(QUIET)
    review(world, "ann", "很好", 3)
    world.see("bob", "order.rated", {"stars": 5})
    world.see("eve", "message.received", {"grams": grams("很好")})
    assert world.count("model.sentiment.examples") == 0


def test_a_person_s_mood_follows_what_they_say_and_fades() -> None:
    world = World(QUIET)
    world.see("ann", "message.received", {"grams": grams("太差了，失望，骗子")})
    world.see("bob", "item.reviewed", {"stars": 5})
    world.see("eve", "message.received", {"length": 9})
    moods = {}
    for alias in ("ann", "bob", "eve"):
        person = world.folds[0].engine.store.get(alias)
        assert person is not None
        moods[alias] = [
            model(world).mood(person.state, world.now_ms + days * DAY_MS) for days in (0, 7)
        ]
    assert moods["ann"][0] < -0.2
    assert moods["ann"][1] == pytest.approx(moods["ann"][0] / 2, abs=0.01)
    assert moods["bob"][0] == 1.0
    assert moods["eve"] == [0.0, 0.0]


def fallen(world: World, **fields: Any) -> None:
    """A fortnight of praise, then a day of complaint."""
    for _ in range(14):
        for number in range(8):
            world.see(f"p{number}", "order.rated", {"stars": 5 if number else 3}, **fields)
        world.wait(DAY_MS)
    for number in range(40):
        world.see(f"q{number}", "order.rated", {"stars": 1}, **fields)


def test_a_brand_that_falls_is_one_alert_a_day() -> None:
    world = World(QUIET)
    fallen(world, brand="云上")
    found = alerts(world)
    assert [(one.name, one.kind) for one in found] == [("云上", "brand_sentiment")]
    assert found[0].level < found[0].reference - 0.15
    world.wait(24 * HOUR_MS)
    for number in range(40):
        world.see(f"r{number}", "order.rated", {"stars": 1}, brand="云上")
    assert len(alerts(world)) == 2


def test_history_teaches_and_alerts_nobody() -> None:
    world = World(QUIET)
    fallen(world, brand="云上", backfill=True)
    review(world, "ann", "很好", 5, backfill=True)
    assert alerts(world) == []
    assert world.count("model.sentiment.examples") == 1


def test_few_voices_are_no_fall() -> None:
    mood = BrandMood()
    for _ in range(200):
        mood.add(0.9, 1.0, 1_000)
    for _ in range(8):
        mood.add(0.0, 1.0, 1_000 + 20 * DAY_MS)
    assert mood.fall() is None
    for _ in range(20):
        mood.add(0.0, 1.0, 1_000 + 20 * DAY_MS)
    fall = mood.fall()
    assert fall is not None
    assert fall.reference == pytest.approx(0.9, abs=0.02)


def test_the_brand_least_lately_spoken_of_leaves_for_a_new_one() -> None:
    brands = Brands()
    for number in range(100):
        brands.of(f"brand {number}").add(0.5, 1.0, 1_000 + number)
    assert len(brands.moods) == 32
    assert "brand 99" in brands.moods


def test_other_partitions_learn_the_reviews_and_one_of_them_alerts() -> None:
    world = World(altered(QUIET, partitions=2))
    brand, one = "云上", partition_of("云上", 2)
    speakers = [alias_in(1 - one, 2, f"p{number}-") for number in range(30)]
    for _ in range(14):
        for alias in speakers[:8]:
            world.see(alias, "order.rated", {"stars": 5, "grams": grams("绝绝子")}, brand=brand)
        world.wait(DAY_MS)
        world.deliver()
    for alias in speakers:
        world.see(alias, "order.rated", {"stars": 1, "grams": grams("雷品")}, brand=brand)
    world.wait(2 * HOUR_MS)
    world.deliver()
    world.wait(HOUR_MS)
    world.deliver()
    assert model(world, one).probability(grams("绝绝子")) > 0.5
    assert [(found.partition, found.name) for found in alerts(world)] == [(one, brand)]


def test_rows_stay_below_16_kilobytes_and_bring_back_the_model() -> None:
    world = World(altered(QUIET, partitions=2))
    ours, alias = model(world), alias_in(0, 2)
    for number, (text, positive) in enumerate(reviews(40, seed=4)):
        said = text * 12 + "".join(chr(0x4E00 + 7 * number + i) for i in range(60))
        review(world, alias, said, 5 if positive else 1, brand="品" * 60 + str(number))
    rows = {key: row for key, row in world.rows()[0].items() if key.startswith(PREFIX)}
    assert max(map(len, rows.values())) <= 16_384
    copy = SentimentModel(ours.around)
    for key, row in rows.items():
        copy.load_row(key, row)
    assert copy.metrics() == ours.metrics()
    assert copy.probability(grams("失望")) == ours.probability(grams("失望"))
    assert copy.share() == ours.share()


def test_a_row_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no row"):
        model(World(QUIET)).load_row(PREFIX + b"other", b"")
    with pytest.raises(ValueError, match="no row"):
        model(World(QUIET)).load_row(b"m:other/x", b"")
