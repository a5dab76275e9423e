"""A coupon's value never follows an estimate of what the person would pay (PIPL art. 24).

The library's coupons have fixed values, so the only way left is a condition that chooses among
them. Checked are the names such a condition uses: what was spent, what it could be, how sensitive
to prices. The order at hand (`entry.`, `data.`) may count: who reads the offer sees its condition.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from streams.contract.content import Fault

Call = tuple[str, Sequence[object]]  # a function of the condition language and its arguments

FORBIDDEN_FOR_VALUE: Final[tuple[str, ...]] = (
    "willingness", "willingness_to_pay", "wtp", "price_sensitivity", "price_sensitive",
    "discount_sensitivity", "spend", "spending", "total_spend", "average_order", "basket",
    "purchasing_power", "income", "salary", "wealth", "assets", "credit_score", "clv", "ltv",
    "lifetime_value", "monetary", "device_model", "device_price", "segment", "cluster",
)  # fmt: skip
_AT_HAND: Final = ("entry", "data")


class LadderArm(NamedTuple):
    """An arm with a coupon of `face_value_fen`, and what its condition reads."""

    id: str
    face_value_fen: int
    paths: Sequence[str] = ()
    calls: Sequence[Call] = ()


def ladder(arms: Iterable[LadderArm], where: str = "") -> list[Fault]:
    """The faults of a step's arms. Also of the only coupon's arm: some value or none is a value."""
    return [
        fault
        for arm in arms
        if arm.face_value_fen > 0
        for fault in value_discrimination_faults(
            arm.paths, arm.calls, f"{where}{'.' if where else ''}arms[{arm.id}].when"
        )
    ]


def value_discrimination_faults(
    paths: Iterable[str], calls: Iterable[Call], where: str = "when"
) -> list[Fault]:
    """The faults of one condition that decides over a coupon's value."""
    named = [path for path in paths if _forbidden_path(path)]
    named += [_told(call) for call in calls if _forbidden_call(call)]
    return [
        Fault(
            "VALUE_DISCRIMINATION",
            where,
            f"{name} tells what the person would pay, and this condition decides over a coupon",
            "choose by need or occasion: risk of leaving, time since the last order, the category",
        )
        for name in named
    ]


def _forbidden_path(path: str) -> bool:
    parts = path.split(".")
    return parts[0] not in _AT_HAND and any(_forbidden(part) for part in parts)


def _forbidden_call(call: Call) -> bool:
    """score('willingness'), sum('order.paid', 'amount_fen', '90d'), spend('30d')."""
    name, arguments = call
    texts = [argument for argument in arguments if isinstance(argument, str)]
    return _forbidden(name) or any(_forbidden(t) or t.endswith("_fen") for t in texts)


def _forbidden(name: str) -> bool:
    bare = name.casefold().removesuffix("_fen")
    return bare in FORBIDDEN_FOR_VALUE


def _told(call: Call) -> str:
    name, arguments = call
    return f"{name}({', '.join(repr(argument) for argument in arguments)})"
