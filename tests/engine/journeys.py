"""Small journeys for tests about something else: one message each, without a control group."""

import tomllib
from typing import Any

import msgspec

from streams.contract.content import Library
from streams.contract.journeys import JourneySpec

CART = """
id = "cart_rescue"
version = 1
title = "购物车挽回"
status = "live"
priority = 10
reason = "CART_ABANDONED"
[entry]
on = "cart.added"
where = "not (profile.order_age < data.age)"
late = "6h"
reentry = { cooldown = "24h" }
[exit]
on = ["order.created", "order.paid", "cart.removed"]
where = "not exists(data.item_id) or data.item_id == entry.item_id"
[goal]
on = "order.paid"
window = "72h"
value = "data.amount_fen"
[[step]]
id = "cool"
wait = "30m"
[[step]]
id = "remind"
send = { template = "cart_remind_v1" }
expire = "12h"
"""
CHURN = """
id = "churn_coupon"
version = 1
title = "流失挽回券"
status = "live"
priority = 20
reason = "CHURN_RISK"
[entry]
on = "daily.check"
where = "score('churn') >= 0.6"
reentry = { cooldown = "14d" }
[[step]]
id = "offer"
send = { coupon = "WINBACK10" }
expire = "2d"
"""
INTEREST = """
id = "interest_content"
version = 1
title = "兴趣内容"
status = "live"
priority = 30
reason = "INTEREST_ROSE"
[entry]
on = ["product.viewed", "article.read"]
where = "data.interest >= 0.35"
reentry = { cooldown = "3d" }
[[step]]
id = "show"
send = { show = "entry" }
expire = "1d"
"""
CONTENT = """
spec = "content/1"
[[coupons]]
sku = "WINBACK10"
title = "十元券"
face_value_fen = 1000
cost_fen = 1000
valid_ms = 172800000
[[templates]]
id = "cart_remind_v1"
kind = "message"
purpose = "marketing"
channels = ["official_account", "mini_programme", "wecom"]
[[templates.variants]]
id = "a"
text = "您选的商品还在购物车里"
[templates.variants.fields]
thing1 = { type = "thing", text = "{entry.category|商品}" }
amount2 = { type = "amount", text = "{entry.amount|0}" }
"""


def journey(text: str, **changes: Any) -> JourneySpec:
    """The journey, with top-level changes in plain values (`entry={...}` replaces the table)."""
    return msgspec.convert({**tomllib.loads(text), **changes}, JourneySpec)


def library(text: str = CONTENT) -> Library:
    return msgspec.convert(tomllib.loads(text), Library)


LOOPED = """
id = "everything"
version = 1
title = "一切步骤"
status = "live"
priority = 5
[entry]
on = ["product.viewed", "article.read"]
where = "data.category != 'c9'"
key = "data.category"
reentry = { max = 3, per = "2d", cooldown = "1h", concurrent = true, by = "key" }
[exit]
on = ["order.refunded", "user.unfollowed"]
after = "3d"
[goal]
on = ["order.paid", "cart.added"]
window = "12h"
value = "data.value_fen"
[holdout]
share = 0.2
[budget]
total_fen = 6000
daily_fen = 3000
pacing = "even"
person = { fen = 2000, per = "7d" }
[limits]
caps = [{ max = 5, per = "7d" }]
[[step]]
id = "paths"
split = { look = 1.0, offer = 2.0 }
[[step]]
id = "look"
wait_for = { on = "cart.added", where = "data.category == entry.category", within = "40m" }
then = "offer"
else = "pause"
[[step]]
id = "pause"
wait = "20m"
[[step]]
id = "offer"
decide = "linear_thompson"
explore_floor = 0.05
expire = "12h"
  [[step.arm]]
  id = "nothing"
  [[step.arm]]
  id = "remind"
  template = "cart_remind_v1"
  [[step.arm]]
  id = "coupon"
  template = "cart_remind_v1"
  coupon = "WINBACK10"
  when = "count('product.viewed', '2h') >= 1"
[[step]]
id = "again"
if = "step.offer.arm != 'nothing' and not clicked('offer')"
then = "evening"
else = "exit"
[[step]]
id = "evening"
until = "20:30"
[[step]]
id = "last"
send = { template = "cart_remind_v1" }
expire = "1d"
"""
