"""`streams report`: what came of journeys, from a run's folder, the same however it was folded."""

from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from streams.cli import run
from streams.contract.codec import decode
from streams.contract.reports import ArmTally, JourneyReport
from streams.evaluation.effect import Measured, results
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay, replay_file
from streams.report import figures
from streams.report.results import journey_card, results_page
from streams.simulation.run import simulate
from streams.simulation.scenarios import SCENARIOS
from tests.engine.journeys import CART, journey
from tests.engine.world import DAY_MS, MINUTE_MS, OPEN, World, altered

CONFIG = SCENARIOS["ecommerce"].config
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    simulate(60, 8, "report", "ecommerce", folder / "events.ndjson", folder / "truth.ndjson")
    return folder / "events.ndjson"


@pytest.fixture(scope="module")
def replayed(events: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("replayed")
    replay_file(events, Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(out)))
    return out


def journey_reports(out: Path) -> list[JourneyReport]:
    return [decode(line, JourneyReport) for line in (out / "reports.ndjson").open("rb")]


def ran(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = run([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def made(**arms: ArmTally) -> dict[str, Any]:
    """The result of one journey, as the pages take it."""
    report = JourneyReport(
        partition=0,
        at_ms=1,
        journey="cart",
        version=1,
        title=HOSTILE,
        arms=arms,
        goal=["order.paid"],
    )
    found: list[dict[str, Any]] = msgspec.to_builtins(results([report]))
    return found[0]


def test_one_line_stands_for_each_journey_and_partition(replayed: Path) -> None:
    whose = [(report.journey, report.partition) for report in journey_reports(replayed)]
    assert whose == sorted(set(whose))
    assert {"cart_rescue", "welcome"} <= {name for name, _ in whose}


@pytest.mark.parametrize("batch", [1, 97])
def test_batches_change_no_byte_of_the_results(
    batch: int, events: Path, replayed: Path, tmp_path: Path
) -> None:
    replay_file(events, Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(tmp_path), batch=batch))
    assert (tmp_path / "reports.ndjson").read_bytes() == (replayed / "reports.ndjson").read_bytes()


def test_a_run_resumed_from_a_snapshot_tells_the_results_of_the_whole(
    events: Path, replayed: Path, tmp_path: Path
) -> None:
    lines = events.read_bytes().splitlines(keepends=True)
    first, rest = tmp_path / "first.ndjson", tmp_path / "rest.ndjson"
    first.write_bytes(b"".join(lines[:700]))
    rest.write_bytes(b"".join(lines[700:]))
    begun = Replay(CONFIG, key=TRIAL_KEY, outputs=Outputs(tmp_path / "a"), keep_rows=True)
    replay_file(first, begun)
    begun.save(tmp_path / "snapshot")
    resumed = Replay.resume(tmp_path / "snapshot", key=TRIAL_KEY, outputs=Outputs(tmp_path / "b"))
    replay_file(rest, resumed)
    whole = (replayed / "reports.ndjson").read_bytes()
    assert (tmp_path / "b" / "reports.ndjson").read_bytes() == whole


def test_the_sums_are_those_of_a_count_by_hand() -> None:
    """Everybody's cart is left behind; every third person orders, whatever they got."""
    config = altered(OPEN, journeys=(journey(CART, holdout={"share": 0.3}),))
    world = World(config)
    people = [f"p{number}" for number in range(60)]
    for person in people:
        world.see(person, "user.followed")
        world.see(person, "cart.added", {"item_id": "tea", "category": "c"})
    world.wait(40 * MINUTE_MS)
    for number, person in enumerate(people):
        if number % 3 == 0:
            order = {"order_id": f"o{number}", "amount_fen": 1_000 + number}
            world.see(person, "order.paid", order)
    world.wait(4 * DAY_MS)
    buyers = {person: 1_000 + n for n, person in enumerate(people) if n % 3 == 0}
    due = [one for one in world.decisions if one.step == "remind" and one.arm]
    held = [one.user_id for one in due if one.arm == "hold"]
    treated = [one.user_id for one in due if one.arm != "hold"]
    assert len(held) + len(treated) == 60
    reports = [
        decode(one.value or b"", JourneyReport) for fold in world.folds for one in fold.reports()
    ]
    (found,) = results(reports)
    assert found.effect.held_out.people == len(held)
    assert found.effect.held_out.reached == len(set(held) & set(buyers))
    assert found.effect.treated.reached == len(set(treated) & set(buyers))
    arm = next(one for one in found.arms if one.arm == "send")
    assert arm.value_fen == sum(buyers[person] for person in treated if person in buyers)
    assert found.last_touch.credited == len(set(treated) & set(buyers))


def test_json_has_the_whole_result(replayed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, "report", "--in", replayed, "--json")
    found = msgspec.json.decode(out)
    assert code == 0
    assert found == msgspec.to_builtins(results(journey_reports(replayed)))


def test_the_terminal_shows_effect_beside_last_touch(
    replayed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = ran(capsys, "report", "--in", replayed, "--journey", "cart_rescue")
    assert code == 0
    for text in ("购物车挽回", "增量 effect", "末次触点 last touch", "order.paid, 3 天 days"):
        assert text in out


def test_a_journey_without_results_is_named(
    replayed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = ran(capsys, "report", "--in", replayed, "--journey", "carts")
    assert code == 1
    assert "no results of a journey 'carts'; there are: " in err


def test_the_page_is_one_file_without_the_network(
    replayed: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "reports" / "page.html"
    code, out, _ = ran(capsys, "report", "--in", replayed, "--html", page)
    html = page.read_text("utf-8")
    assert (code, str(page) in out) == (0, True)
    assert "旅程真的有用吗" in html
    assert "http" not in html


def test_titles_are_escaped_on_the_page() -> None:
    assert "<script>" not in results_page([made(send=ArmTally(decided=1))])


def test_too_few_people_get_words_and_no_number() -> None:
    one = made(send=ArmTally(first_settled=900, first_reached=90), hold=ArmTally(first_settled=3))
    assert figures.points(one["effect"]["conversion"]) == "不足 not enough: 3 人 people"
    assert "人太少，不下结论" in journey_card(one)


def test_an_interval_with_zero_in_it_claims_nothing() -> None:
    one = made(
        send=ArmTally(first_settled=300, first_reached=31, sent=200, credited=80),
        hold=ArmTally(first_settled=100, first_reached=10),
    )
    card = journey_card(one)
    assert "看不出有没有效果" in card
    assert "末次触点会说 40.0%" in card


def measured_world(seed: int) -> list[JourneyReport]:
    """Reports of a world where the message lifts orders from 20 % to 40 %."""
    rng = Random(seed)
    spec = journey(CART, holdout={"share": 0.35, "salt": str(seed)})
    world = World(altered(OPEN, journeys=(spec,)))
    people = [f"{seed}-{number}" for number in range(110)]
    for person in people:
        world.see(person, "user.followed")
        world.see(person, "cart.added", {"item_id": "tea", "category": "c"})
    world.wait(40 * MINUTE_MS)
    reached = {trigger.user_id for trigger in world.triggers}
    for person in people:
        if rng.random() < (0.4 if person in reached else 0.2):
            order = {"order_id": f"o{person}", "amount_fen": 1_000 + rng.randrange(9_000)}
            world.see(person, "order.paid", order)
    world.wait(4 * DAY_MS)
    told = [report for fold in world.folds for report in fold.reports()]
    return [decode(one.value or b"", JourneyReport) for one in told]


def test_the_effect_the_engine_reports_covers_the_true_one() -> None:
    found = [results(measured_world(seed))[0].effect.conversion for seed in range(8)]
    measured = [one for one in found if isinstance(one, Measured)]
    assert len(measured) == 8
    assert sum(one.low <= 0.2 <= one.high for one in measured) >= 7
