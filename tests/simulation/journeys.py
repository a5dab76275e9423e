"""Journeys and content that leave no rule of the policy alone: coupons with little money, waits,
arms, service messages, a shadow.
"""

CONTENT = """
spec = "content/1"
[[coupons]]
sku = "TEN"
title = "十元券"
face_value_fen = 1000
cost_fen = 1000
valid_ms = 172800000
[[coupons]]
sku = "FOUR"
title = "四元券"
face_value_fen = 400
cost_fen = 400
valid_ms = 172800000
[[ads]]
ad_id = "ad1"
category = "c1"
title = "新品"
landing = "https://example.com"
label = "广告"
[[templates]]
id = "nudge"
kind = "message"
purpose = "marketing"
channels = ["official_account", "mini_programme", "wecom"]
[[templates.variants]]
id = "a"
text = "您选的商品还在购物车里"
personalised = true
fields = { thing1 = { type = "thing", text = "购物车提醒" } }
[templates.neutral]
id = "n"
text = "本店商品提醒"
fields = { thing1 = { type = "thing", text = "商品提醒" } }
[[templates]]
id = "order"
kind = "message"
purpose = "service"
channels = ["customer_service", "mini_programme", "wecom", "official_account"]
[[templates.variants]]
id = "a"
text = "您的订单正在处理"
fields = { thing1 = { type = "thing", text = "订单处理" } }
"""
NUDGE = """
id = "nudge"
version = 1
title = "购物车提醒"
status = "live"
priority = 10
[entry]
on = "cart.added"
late = "2h"
reentry = { cooldown = "30m" }
[exit]
on = ["order.paid"]
after = "2d"
[holdout]
share = 0.2
[[step]]
id = "cool"
wait = "5m"
[[step]]
id = "remind"
send = { template = "nudge" }
expire = "14h"
"""
OFFER = """
id = "offer"
version = 1
title = "优惠券"
status = "live"
priority = 20
[entry]
on = ["product.viewed", "daily.check"]
reentry = { cooldown = "0s", concurrent = false }
[holdout]
share = 0.1
[budget]
total_fen = 40000
daily_fen = 12000
person = { fen = 1800, per = "2d" }
exhausted = "drop_coupon"
[limits]
caps = [{ max = 2, per = "calendar day" }, { max = 4, per = "3d" }]
[[step]]
id = "choose"
decide = "thompson"
explore_floor = 0.1
expire = "20h"
  [[step.arm]]
  id = "nothing"
  weight = 0.1
  [[step.arm]]
  id = "ten"
  template = "nudge"
  coupon = "TEN"
  [[step.arm]]
  id = "four"
  coupon = "FOUR"
  [[step.arm]]
  id = "advert"
  ad = "ad1"
[[step]]
id = "look"
wait_for = { on = "cart.added", within = "50m" }
then = "more"
else = "exit"
[[step]]
id = "more"
send = { coupon = "TEN", template = "nudge" }
on_fail = "exit"
expire = "1h"
"""
SERVICE = """
id = "care"
version = 1
title = "订单服务"
status = "live"
purpose = "service"
priority = 5
[entry]
on = ["order.paid", "message.received"]
reentry = { cooldown = "0s", concurrent = true }
[holdout]
global = false
[[step]]
id = "tell"
send = { template = "order" }
expire = "12h"
"""
SHADOW = """
id = "shadowed"
version = 1
title = "只看不发"
status = "shadow"
priority = 1
[entry]
on = "cart.added"
reentry = { cooldown = "1h" }
[[step]]
id = "would"
send = { template = "nudge", coupon = "TEN" }
"""
