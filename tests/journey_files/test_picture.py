"""The picture is one well-formed SVG that shows every step and runs nothing."""

from xml.etree import ElementTree

import pytest

from streams.contract.journeys import JourneySpec
from streams.contract.reports import ArmTally
from streams.journey_files.load import shipped
from streams.journey_files.picture import picture
from streams.journey_files.picture_text import length_zh, wrapped

from .builders import journey


def words(svg: str) -> str:
    return " ".join(ElementTree.fromstring(svg).itertext())


@pytest.mark.parametrize("spec", shipped(), ids=lambda spec: spec.id)
def test_every_step_and_arm_stands_in_the_picture(spec: JourneySpec) -> None:
    svg = picture(spec)
    found = words(svg)
    for step in spec.steps:
        assert step.id in found
        assert all(arm.id in found for arm in step.arms)
    assert spec.title in found
    assert "<script" not in svg


def test_goal_exits_control_group_and_money_stand_beside_the_steps() -> None:
    found = words(picture(journey()))
    for said in ("目标", "付款", "随时退出", "取关", "对照组", "本旅程 10%", "总共 ¥10,000"):
        assert said in found


def test_tallies_are_shown_with_their_arms_and_the_control_group() -> None:
    tally = ArmTally(decided=300, sent=280, first_settled=200, first_reached=42)
    found = words(picture(journey(), {"remind": tally, "hold": ArmTally(first_settled=100)}))
    assert "发出 280" in found
    assert "达成 21.0% / 200 人" in found
    assert "达成 0.0% / 100 人" in found


def test_ways_have_names() -> None:
    wait = '[[step]]\nid = "cool"\nwait = "30m"'
    awaited = (
        '[[step]]\nid = "cool"\nwait_for = {on = "message.received", within = "2d"}\nelse = "exit"'
    )
    found = words(picture(journey((wait, awaited))))
    assert "超时" in found
    assert "来了" in found


def test_text_of_the_file_cannot_break_the_picture() -> None:
    svg = picture(journey(("购物车", "<b>&'\\\"")))
    assert "<b>&'\"" in words(svg)


def test_lengths_of_time_are_said_in_chinese() -> None:
    assert length_zh("1h30m") == "1 小时 30 分钟"
    assert length_zh("47h") == "1 天 23 小时"


def test_long_text_is_broken_and_cut() -> None:
    lines = wrapped("很长的条件 " * 60, 200)
    assert len(lines) == 4
    assert lines[-1].endswith("…")
