"""What changes between two versions, in a marketer's words."""

from streams.journey_files.diff import diff

from .builders import journey


def lines(*changes: tuple[str, str]) -> list[str]:
    return [change.line for change in diff(journey(), journey(*changes))]


def test_equal_versions_differ_in_nothing() -> None:
    assert lines() == []


def test_money_is_shown_in_yuan() -> None:
    assert lines(("total_fen = 1_000_000", "total_fen = 850_050")) == [
        "~ 总预算 · budget in all: ¥10,000 → ¥8,500.50"
    ]


def test_a_step_that_waits_longer_is_told() -> None:
    assert lines(('wait = "30m"', 'wait = "1h"')) == ["~ 步骤 cool 等待 · step cool wait: 30m → 1h"]


def test_what_was_left_to_the_default_is_compared_with_it() -> None:
    assert lines((' id = "remind"', ' id = "remind"\n  weight = 2.0')) == [
        "~ 步骤 offer 选项 remind 权重 · step offer arm remind weight: 1.0 → 2.0"
    ]


def test_a_share_is_shown_in_per_cent() -> None:
    assert lines(("share = 0.1", "share = 0.05")) == ["~ 对照组比例 · control group: 10.0% → 5.0%"]


def test_a_new_arm_and_one_that_went_are_told() -> None:
    gone = '  [[step.arm]]\n  id = "remind"\n  template = "cart_remind_v1"\n'
    new = '  [[step.arm]]\n  id = "last"\n  template = "cart_last_v1"\n'
    assert lines((gone, new)) == [
        "+ 步骤 offer 选项 last 文案 · step offer arm last template: cart_last_v1",
        "- 步骤 offer 选项 remind 文案 · step offer arm remind template: cart_remind_v1",
    ]


def test_tests_are_counted_only() -> None:
    found = lines(("+30m SENT arm=remind", "+30m SENT"))
    assert found == []


def test_a_cap_is_shown_in_words() -> None:
    assert lines(("[budget]", '[limits]\ncaps = [{ max = 1, per = "7d" }]\n[budget]')) == [
        "+ 频次上限 · caps: marketing * 1 / 7d"
    ]
