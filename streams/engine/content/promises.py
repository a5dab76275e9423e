"""Whether words promise what the coupon gives: amounts, the least order, how long it is valid.

Amounts are read as 10元, ¥10, 满99减10, 十元; an amount that cannot be the coupon's is a fault, and
so is any amount where the template is for no certain coupon: there a slot must say it.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from streams.contract.content import CouponSku
from streams.engine.content.slots import Problem, without_slots

_NUMBER: Final = r"(\d+(?:\.\d+)?|[一二两三四五六七八九十百千]+)"
_LEAST: Final = re.compile(rf"满\s*[¥$]?{_NUMBER}\s*(?:元|块)?")
_FACE: Final = re.compile(rf"(?:[¥$]|减)\s*{_NUMBER}|{_NUMBER}\s*(?:元|块)")
_DISCOUNT: Final = re.compile(rf"{_NUMBER}\s*折")
_VALID: Final = re.compile(rf"{_NUMBER}\s*(天|日|小时)(?:之?内)?有效")
# Outside coupon templates only what looks like the promise of one.
_PROMISE: Final = re.compile(
    rf"{_NUMBER}\s*(?:元|块)[^。!?;]{{0,4}}(?:券|红包|优惠)|(?:立减|再减|优惠券)\s*[¥$]?{_NUMBER}"
)
_HOUR_MS: Final = 3_600_000
_DIGITS: Final = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNITS: Final = {"十": 10, "百": 100, "千": 1000}


def coupon_problems(text: str, coupon: CouponSku | None) -> Iterator[Problem]:
    """Of a text about a coupon; `coupon` None: about whichever the journey gives."""
    plain = _plain(text)
    for found in _DISCOUNT.finditer(plain):
        yield _problem(found.group(), "coupons are of a fixed value, not a share", coupon)
    for found in _LEAST.finditer(plain):
        if coupon is None or _fen(found.group(1)) != coupon.least_order_fen:
            yield _problem(found.group(), "is not the coupon's least order", coupon)
    for found in _FACE.finditer(_LEAST.sub("。", plain)):
        if coupon is None or _fen(found.group(1) or found.group(2)) != coupon.face_value_fen:
            yield _problem(found.group(), "is not the coupon's face value", coupon)
    for found in _VALID.finditer(plain):
        hours = _fen(found.group(1)) // 100 * (1 if found.group(2) == "小时" else 24)
        if coupon is None or hours * _HOUR_MS != coupon.valid_ms:
            yield _problem(found.group(), "is not how long the coupon is valid", coupon)


def promise_problems(text: str) -> Iterator[Problem]:
    """Of a text that comes without a coupon: it must not promise one of some value."""
    for found in _PROMISE.finditer(_plain(text)):
        yield Problem(
            "COUPON_VALUE",
            f"{found.group()}: a coupon's value, and no coupon comes with it",
            "leave the amount out or make it a coupon template",
        )


def _problem(said: str, why: str, coupon: CouponSku | None) -> Problem:
    if coupon is None:
        return Problem(
            "COUPON_VALUE",
            f"{said}: the template is for no certain coupon",
            "say {coupon.amount}, {coupon.least_order}, {coupon.valid_days} or name its coupon",
        )
    return Problem(
        "COUPON_VALUE",
        f"{said} {why}: {coupon.sku} is worth {coupon.face_value_fen} fen from an order of "
        f"{coupon.least_order_fen} fen for {coupon.valid_ms // _HOUR_MS} hours",
        "say what the coupon gives, best by its slots",
    )


def _plain(text: str) -> str:
    plain = unicodedata.normalize("NFKC", without_slots(text))
    return re.sub(r"(?<=\d),(?=\d{3})", "", plain)


def _fen(number: str) -> int:
    if number[0].isdigit():
        return round(float(number) * 100)
    total = digit = 0
    for mark in number:
        if mark in _UNITS:
            total += (digit or 1) * _UNITS[mark]
            digit = 0
        else:
            digit = _DIGITS[mark]
    return (total + digit) * 100
