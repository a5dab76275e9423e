"""The synthetic people: the same for the same seed, and answering only what they received."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contract.events import TYPES
from streams.contract.records import Observed, Origin, Rejected
from streams.contract.triggers import Coupon, Experiment, Explanation, Trigger
from streams.intake import Intake
from streams.simulation.hazard import DAY_MS
from streams.simulation.hours import HABITS, HOUR_MS, Hours
from streams.simulation.population import Population
from streams.simulation.run import START_MS, simulate
from streams.simulation.scenarios import SCENARIOS

UNKNOWN_TYPE = "channels.live_entered"


def alias_of(subject: str, source: str) -> str:
    return hashlib.sha256(f"{subject} {source}".encode()).hexdigest()[:22]


def population(users: int = 30, scenario: str = "ecommerce", seed: str = "s") -> Population:
    return Population(users, scenario, seed, START_MS, alias_of)


def live(crowd: Population, *, from_hour: int = 0, to_hour: int) -> list:
    return [event for h in range(from_hour, to_hour) for event in crowd.hour(h)]


def coupon(crowd: Population, index: int, *, at_ms: int, wait_ms: int = 0, expires_ms=2 * DAY_MS):
    user_id = alias_of(*crowd.people[index].ids[0])
    return Trigger(
        trigger_id=f"t-{index}",
        kind="coupon",
        user_id=user_id,
        channel="mini_programme",
        purpose="marketing",
        created_at_ms=at_ms,
        not_before_ms=at_ms + wait_ms,
        expires_at_ms=at_ms + expires_ms,
        campaign="churn_coupon",
        campaign_version=1,
        decision_id=f"d-{index}",
        cause_event_id="e",
        experiment=Experiment("send", 1.0, holdout=False),
        explanation=Explanation("churn", 0.5, []),
        coupon=Coupon("WINBACK10", 1_000, 1_000),
    )


def test_the_same_arguments_give_the_same_bytes_under_any_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from streams.simulation.run import simulate;"
        "simulate(15, 4, 's', 'catering', Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    digests = set()
    for hash_seed in ("0", "7"):
        out, truth = tmp_path / f"e{hash_seed}", tmp_path / f"t{hash_seed}"
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        subprocess.run([sys.executable, "-c", code, out, truth], check=True, env=environment)
        digests.add(hashlib.sha256(out.read_bytes() + truth.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_another_seed_gives_other_events() -> None:
    assert live(population(seed="a"), to_hour=30) != live(population(seed="b"), to_hour=30)


def test_a_person_does_not_depend_on_the_size_of_the_crowd() -> None:
    few, many = population(5), population(40)
    subjects = {subject for person in few.people for subject, _ in person.ids}
    of_few = [e for e in live(few, to_hour=72) if isinstance(e, dict)]
    of_many = [e for e in live(many, to_hour=72) if isinstance(e, dict)]
    assert of_few == [event for event in of_many if event["subject"] in subjects]


def test_every_user_has_one_row_of_truth_and_every_event_is_of_a_user() -> None:
    crowd = population(40)
    events = live(crowd, to_hour=100)
    rows = list(crowd.truth())
    assert [row.user for row in rows] == list(range(40))
    known = {subject for row in rows for subject, _ in row.ids}
    assert {event["subject"] for event in events if isinstance(event, dict)} <= known


def test_events_come_in_order_of_arrival_within_their_hour() -> None:
    crowd = population()
    for h in range(60):
        times = [event["ingest_ms"] for event in crowd.hour(h) if isinstance(event, dict)]
        assert times == sorted(times)
        assert all(START_MS + h * HOUR_MS <= t < START_MS + (h + 1) * HOUR_MS for t in times)


def test_hours_out_of_order_are_refused() -> None:
    crowd = population(1)
    with pytest.raises(ValueError, match="0 is next"):
        crowd.hour(1)


def test_an_unknown_scenario_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match="ecommerce, catering"):
        population(scenario="shop")


def test_an_empty_population_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        population(0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_intake_accepts_all_events_of_a_scenario_and_rejects_what_is_broken(
    scenario: str,
) -> None:
    crowd = population(60, scenario)
    intake = Intake(key=b"k" * 32, tenant="default", partitions=4)
    for number, event in enumerate(live(crowd, to_hour=24 * 5)):
        raw = event if isinstance(event, bytes) else orjson.dumps(event)
        at_ms = START_MS if isinstance(event, bytes) else event["ingest_ms"]
        _, record = intake.take(raw, at_ms=at_ms, origin=Origin("events", 0, 0, number))
        if isinstance(event, bytes):
            assert isinstance(record, Rejected), raw
        else:
            assert isinstance(record, Observed), record
            assert record.unknown == 0
            assert record.type in TYPES or record.type == UNKNOWN_TYPE


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_names_only_its_own_categories(scenario: str) -> None:
    story = SCENARIOS[scenario]
    names = {category.name for category in story.categories}
    assert {like for segment in story.segments for like in segment.likes} <= names
    assert sum(segment.share for segment in story.segments) == pytest.approx(1.0)
    assert sum(category.share for category in story.categories) == pytest.approx(1.0)
    assert sum(story.weekdays) / 7 == pytest.approx(1.0, abs=0.01)
    assert story.config.scenario == scenario


def test_events_are_late_repeated_out_of_order_and_broken_now_and_then() -> None:
    events = live(population(300), to_hour=24 * 12)
    whole = [event for event in events if isinstance(event, dict)]
    delays = [event["ingest_ms"] - event["time_ms"] for event in whole]
    times = [event["time_ms"] for event in whole]
    assert 0.0003 < (len(events) - len(whole)) / len(events) < 0.003
    assert 0.002 < 1 - len({event["id"] for event in whole}) / len(whole) < 0.01
    assert 0.001 < sum(HOUR_MS / 2 < delay < DAY_MS for delay in delays) / len(whole) < 0.01
    assert any(delay > 7 * DAY_MS for delay in delays)
    assert times != sorted(times)


def test_a_run_into_files_tells_its_progress(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    out, truth = tmp_path / "events.ndjson", tmp_path / "truth.ndjson"
    made = simulate(10, 2, "s", "bank", out, truth, lambda *done: told.append(done))
    assert told[-1] == (48, 48)
    assert out.read_bytes().count(b"\n") == made.events
    assert truth.read_bytes().count(b"\n") == 10


def test_without_triggers_nobody_answers_any() -> None:
    types = {event["type"] for event in live(population(), to_hour=200) if isinstance(event, dict)}
    assert not any(type.startswith(("push.", "coupon.")) for type in types)


def test_people_answer_only_what_they_received_and_not_before_its_time() -> None:
    crowd = population(80)
    live(crowd, to_hour=96)
    at_ms = START_MS + 96 * HOUR_MS - 1
    triggers = {
        f"t-{i}": coupon(crowd, i, at_ms=at_ms, wait_ms=5 * HOUR_MS) for i in range(0, 80, 2)
    }
    crowd.receive(triggers.values())
    answered = set()
    for event in live(crowd, from_hour=96, to_hour=240):
        if isinstance(event, dict) and (id := event["data"].get("trigger_id")):
            assert event["time_ms"] >= triggers[id].not_before_ms
            answered.add((id, event["type"]))
    assert {id for id, type in answered if type == "push.accepted"} == triggers.keys()
    assert {"push.opened", "coupon.claimed"} <= {type for _, type in answered}


def test_an_expired_trigger_is_suppressed() -> None:
    crowd = population(1)
    live(crowd, to_hour=5)
    crowd.receive([coupon(crowd, 0, at_ms=START_MS, expires_ms=HOUR_MS)])
    events = live(crowd, from_hour=5, to_hour=40)
    pushes = [e["type"] for e in events if isinstance(e, dict) and e["type"].startswith("push.")]
    assert pushes == ["push.suppressed"]


def test_a_trigger_to_a_stranger_fails() -> None:
    crowd = population(1)
    stranger = coupon(crowd, 0, at_ms=START_MS)
    stranger.user_id = "nobody"
    crowd.receive([stranger])
    events = [event for event in crowd.hour(0) if isinstance(event, dict)]
    pushes = {event["type"] for event in events if event["subject"] == "user:nobody"}
    assert pushes == {"push.accepted", "push.failed"}


def test_triggers_need_to_know_who_is_who() -> None:
    with pytest.raises(ValueError, match="alias_of"):
        Population(1, "ecommerce", "s", START_MS).receive([])


def test_coupons_move_the_persuadable_annoy_sleeping_dogs_and_leave_lost_causes_cold() -> None:
    """The same people twice: with a coupon every second day, and without any."""
    treated, untouched = population(500, seed="c"), population(500, seed="c")
    for day in range(16):
        live(treated, from_hour=day * 24, to_hour=day * 24 + 24)
        live(untouched, from_hour=day * 24, to_hour=day * 24 + 24)
        if day >= 4 and day % 2 == 0:
            at_ms = START_MS + (day + 1) * DAY_MS
            coupons = [coupon(treated, i, at_ms=at_ms) for i in range(500)]
            for given_coupon in coupons:
                given_coupon.trigger_id += f"-{day}"
            treated.receive(coupons)

    def change(response: str, what: str) -> float:
        pairs = [
            (getattr(a, what), getattr(b, what))
            for a, b in zip(treated.people, untouched.people, strict=True)
            if a.response == response
        ]
        return sum(with_it - without for with_it, without in pairs) / len(pairs)

    assert change("persuadable", "orders") > 0.5
    assert abs(change("lost_cause", "orders")) < 0.2
    dogs = [
        sum(p.left_how == "unfollow" for p in crowd.people if p.response == "sleeping_dog")
        for crowd in (treated, untouched)
    ]
    assert dogs[0] > dogs[1]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(HABITS), st.integers(0, DAY_MS - 1))
def test_visits_before_a_time_are_as_many_as_the_hours_say(habit: int, time_ms: int) -> None:
    hours = Hours(SCENARIOS["catering"].hours, habit)
    total = sum(hours.weights)
    earlier = sum(hours.time_ms(slot + (500_000 << 16)) < time_ms for slot in range(total))
    assert hours.share_before(time_ms) == pytest.approx(
        earlier / total, abs=max(hours.weights) / total
    )
