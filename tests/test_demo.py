"""The demo: a closed loop of people and engine, measured, and a report that needs no network."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.demo import Demo
from streams.faults import UserFault
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay, replay_file
from streams.report import words
from streams.report.choose import Chosen
from streams.report.figures import points
from streams.report.page import render
from streams.report.parts import Bar, bars
from streams.report.words import Words
from streams.simulation.scenarios import SCENARIOS
from streams.summary import FATES

KEYS = (
    *(*FATES, "events_in", "triggers", "decisions", "events_per_s", "churn_auc", "churn_auc_best"),
    *("interest_hit_at_3", "interest_hit_at_3_popularity", "interest_hit_at_3_last_seen"),
)


class Ran:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.days: list[int] = []
        demo = Demo(scenario="ecommerce", users=200, days=10, seed="t", out=folder, key=TRIAL_KEY)
        self.summary = demo.run(lambda at: self.days.append(at.day))
        self.html = (folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return Ran(tmp_path_factory.mktemp("demo"))


def test_its_summary_has_every_figure(ran: Ran) -> None:
    written = msgspec.json.decode((ran.folder / "summary.json").read_bytes())
    assert [key for key in KEYS if not isinstance(written[key], int | float)] == []


def test_its_fates_sum_to_the_events(ran: Ran) -> None:
    lines = (ran.folder / "events.ndjson").read_bytes().count(b"\n")
    assert lines == ran.summary["events_in"] == sum(ran.summary[fate] for fate in FATES)


def test_triggers_go_out_and_people_answer_them(ran: Ran) -> None:
    assert {"coupon", "message", "content"} == set(ran.summary["triggers_by_kind"])
    assert b'"push.opened"' in (ran.folder / "events.ndjson").read_bytes()


def test_it_tells_its_progress_day_by_day(ran: Ran) -> None:
    assert list(range(1, 11)) == ran.days


def test_its_interests_beat_popularity(ran: Ran) -> None:
    assert ran.summary["interest_hit_at_3"] > ran.summary["interest_hit_at_3_popularity"]


def test_replaying_its_events_gives_the_same_outputs(ran: Ran, tmp_path: Path) -> None:
    replay = Replay(SCENARIOS["ecommerce"].config, key=TRIAL_KEY, outputs=Outputs(tmp_path))
    replay_file(ran.folder / "events.ndjson", replay)
    for name in ("triggers", "decisions", "profiles", "dead-letters", "reports"):
        file = f"{name}.ndjson"
        assert (ran.folder / file).read_bytes() == (tmp_path / file).read_bytes()


class Tags(HTMLParser):
    """Checks that what is opened is closed, in order."""

    VOID = ("meta", "br")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        """`<line/>` opens nothing."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"{tag} at {self.getpos()}")


def test_its_report_is_one_whole_page_without_the_network(ran: Ran) -> None:
    tags = Tags(ran.html)
    assert (tags.wrong, tags.open) == ([], [])
    html = ran.html.replace('xmlns="http://www.w3.org/2000/svg"', "")  # a name, not an address
    assert not re.findall(r"(?:src|href)\s*=|url\(|@import|https?://|<script", html)


def test_its_report_tells_each_part_of_the_story(ran: Ran) -> None:
    for title in (
        *("从事件到触达", "每条事件的去向", "为什么发、为什么没发", "用户画像", "逐步说明"),
        *("旅程：", "旅程真的有用吗", "候选方案", "末次触点"),
    ):
        assert title in ran.html


def test_every_entry_match_due_step_and_end_has_one_decision(ran: Ran) -> None:
    counted_in = sum(ran.summary[name] for name in ("matched", "due", "ended"))
    assert counted_in == ran.summary["decisions"] == sum(ran.summary["outcomes"].values())


def test_its_journeys_are_measured_and_named_as_in_their_files(ran: Ran) -> None:
    titles = {spec.id: spec.title for spec in SCENARIOS["ecommerce"].config.journeys}
    assert ran.summary["titles"] == titles
    found = {one["journey"]: one for one in ran.summary["effects"]}
    assert {name: one["title"] for name, one in found.items()} == {
        name: titles[name] for name in found
    }
    assert found["cart_rescue"]["effect"]["held_out"]["people"] > 0


def test_the_report_draws_a_journey_with_what_came_of_it(ran: Ran) -> None:
    assert '<div class="picture"><svg' in ran.html
    (cart,) = [one for one in ran.summary["effects"] if one["journey"] == "cart_rescue"]
    assert points(cart["effect"]["conversion"]) in ran.html


def test_a_coupon_redeemed_says_which_message_it_came_from(ran: Ran) -> None:
    events = [
        msgspec.json.decode(line)
        for line in (ran.folder / "events.ndjson").read_bytes().splitlines()
        if b'"coupon.claimed"' in line
    ]
    sent = (ran.folder / "triggers.ndjson").read_bytes()
    assert events
    assert all(event["data"]["trigger_id"].encode() in sent for event in events)


def test_its_report_says_what_the_summary_says(ran: Ran) -> None:
    for key in ("events_in", "triggers", "decisions"):
        assert f"{ran.summary[key]:,}" in ran.html


def test_text_from_events_is_escaped_in_the_report() -> None:
    hostile = "<script>alert(1)</script>"
    shown = bars([Bar(Words(hostile, hostile), 1.0, hostile)])
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 3


def test_a_report_of_a_run_without_triggers_is_a_report() -> None:
    summary: dict[str, Any] = dict.fromkeys((*FATES, "events_in", "triggers", "decisions"), 0)
    summary |= {"scenario": "ecommerce", "users": 1, "days": 1, "events_per_s": 0.0}
    summary |= {"matched": 0, "due": 0, "ended": 0, "effects": []}
    names = ("triggers_by_kind", "triggers_by_channel", "triggers_by_day", "outcomes", "titles")
    html = render(summary | {name: {} for name in names}, Chosen(None, []))
    assert (Tags(html).wrong, Tags(html).open) == ([], [])


def test_every_scenario_has_a_name_in_the_report() -> None:
    assert set(SCENARIOS) == set(words.SCENARIOS)


@pytest.mark.parametrize(
    ("users", "days", "scenario", "expected"),
    [(0, 3, "ecommerce", "at least 1"), (3, 0, "ecommerce", "at least 1"), (3, 3, "x", "catering")],
)
def test_arguments_that_make_no_run_are_refused(
    users: int, days: int, scenario: str, expected: str, tmp_path: Path
) -> None:
    with pytest.raises(UserFault, match=expected):
        Demo(scenario=scenario, users=users, days=days, seed="t", out=tmp_path, key=TRIAL_KEY)
