"""A coupon's value never follows an estimate of what the person would pay."""

import pytest

from streams.engine.content.fairness import LadderArm, ladder, value_discrimination_faults


@pytest.mark.parametrize(
    "path",
    [
        *("profile.spend_fen", "profile.income", "segment.price_sensitivity"),
        *("profile.segment", "profile.cluster"),
    ],
)
def test_paths_that_tell_what_somebody_would_pay_are_faults(path: str) -> None:
    (fault,) = value_discrimination_faults([path], [])
    assert fault.code == "VALUE_DISCRIMINATION"
    assert path in fault.message


@pytest.mark.parametrize(
    "call",
    [
        ("score", ("willingness",)),
        ("score", ("Price_Sensitivity",)),
        ("sum", ("order.paid", "amount_fen", "90d")),
        ("spend", ("30d",)),
    ],
)
def test_functions_that_tell_what_somebody_would_pay_are_faults(
    call: tuple[str, tuple[object, ...]],
) -> None:
    assert len(value_discrimination_faults([], [call])) == 1


def test_need_and_the_order_at_hand_may_choose() -> None:
    paths = ["entry.price_fen", "data.amount_fen", "profile.lifecycle", "profile.order_age"]
    calls = [("score", ("churn",)), ("count", ("order.paid", "30d")), ("interest", ("女装",))]
    assert value_discrimination_faults(paths, calls) == []


def test_only_arms_with_a_coupon_are_asked() -> None:
    arms = [
        LadderArm("remind", 0, paths=["profile.spend_fen"]),
        LadderArm("five", 500, calls=[("score", ("churn",))]),
        LadderArm("ten", 1_000, paths=["profile.spend_fen"]),
    ]
    assert [fault.where for fault in ladder(arms, "steps[offer]")] == [
        "steps[offer].arms[ten].when"
    ]
