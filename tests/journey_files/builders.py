"""A right journey as text, and what tests change in it."""

import tomllib
from typing import Any

from msgspec.structs import replace

from streams.contract.journeys import JourneySpec
from streams.journey_files.findings import Finding
from streams.journey_files.lint import lint
from streams.journey_files.load import parse, shipped_content, shipped_policy

GOOD = """
spec = "journey/1"
id = "cart"
version = 1
title = "购物车"
status = "live"
[entry]
on = "cart.added"
[exit]
on = ["order.paid", "user.unfollowed", "consent.withdrawn"]
after = "7d"
[goal]
on = "order.paid"
window = "3d"
[holdout]
share = 0.1
[budget]
total_fen = 1_000_000
[[step]]
id = "cool"
wait = "30m"
[[step]]
id = "offer"
decide = "thompson"
expire = "24h"
  [[step.arm]]
  id = "nothing"
  [[step.arm]]
  id = "remind"
  template = "cart_remind_v1"
  [[step.arm]]
  id = "coupon"
  template = "cart_coupon_v1"
  coupon = "CART5"
  when = "entry.value_fen >= 3900"
[[test]]
name = "提醒"
given = { entitlement = { mini_programme = 1 }, arm = { offer = "remind" } }
events = ["+0m cart.added {item_id='碎花连衣裙', price_fen=19900}"]
expect = ["+30m SENT arm=remind"]
"""


def journey(*changes: tuple[str, str]) -> JourneySpec:
    """The right journey with pieces of its text replaced."""
    return parse(text(*changes), "cart.toml")


def text(*changes: tuple[str, str]) -> str:
    found = GOOD
    for old, new in changes:
        assert old in found, f"{old!r} is not in the journey"
        found = found.replace(old, new, 1)
    return found


def findings(*changes: tuple[str, str], **policy: Any) -> list[Finding]:
    said = text(*changes)
    return lint(
        parse(said, "cart.toml"),
        shipped_content(),
        replace(shipped_policy(), **policy),
        written=tomllib.loads(said),
    )


def codes(*changes: tuple[str, str]) -> list[str]:
    return [finding.code for finding in findings(*changes)]
