"""社群裂变: groups, shares and invitations; people bring people, small group purchases."""

from streams.contract.policy import DAY_MS, Cap, Policy
from streams.simulation.scenarios.scenario import (
    EVENING_HOURS,
    Category,
    Scenario,
    Segment,
    journeys,
)

SCENARIO = Scenario(
    name="group_growth",
    title="社群裂变",
    brand="邻里拼团",
    categories=(
        Category(
            "生鲜水果",
            0.26,
            (("赣南脐橙", 3_990), ("烟台苹果", 3_590), ("车厘子", 8_990), ("草莓", 4_990)),
            ("当季", "拼团"),
        ),
        Category(
            "粮油",
            0.17,
            (("东北大米", 5_990), ("花生油", 8_990), ("杂粮组合", 3_990)),
            ("囤货", "拼团"),
        ),
        Category(
            "零食",
            0.19,
            (("每日坚果", 4_990), ("麻辣鸭脖", 2_990), ("手撕面包", 1_990)),
            ("零食", "拼团"),
        ),
        Category(
            "日用", 0.16, (("抽纸整箱", 3_990), ("洗衣凝珠", 2_990), ("垃圾袋", 990)), ("囤货",)
        ),
        Category(
            "亲子",
            0.12,
            (("积木玩具", 5_990), ("亲子手工包", 2_990), ("儿童牙膏", 1_990)),
            ("育儿",),
        ),
        Category(
            "本地生活",
            0.10,
            (("电影票", 3_500), ("洗车券", 2_500), ("采摘门票", 5_900)),
            ("周末", "本地"),
        ),
    ),
    segments=(
        Segment("社区宝妈", 0.40, ("亲子", "生鲜水果", "日用"), ("25-34", "35-44"), 0.92, 1.25),
        Segment("拼团达人", 0.25, ("零食", "粮油", "日用"), ("25-34", "35-44"), 0.65, 1.2),
        Segment("银发族", 0.15, ("粮油", "生鲜水果"), ("55+",), 0.6, 0.9),
        Segment("年轻租客", 0.20, ("零食", "本地生活"), ("18-24", "25-34"), 0.5, 0.8),
    ),
    mini_steps={
        "page.viewed": 10,
        "product.viewed": 32,
        "group.entered": 18,
        "share.initiated": 9,
        "share.opened": 12,
        "group.member_joined": 2,
        "item.liked": 4,
        "search.performed": 3,
        "contact.added": 1,
        "feedback.not_interested": 1,
        "subscription.credit_granted": 3,
    },
    account_share=0.1,
    hours=EVENING_HOURS,
    cart=0.2,
    order=0.62,
    slow=0.2,
    invited=0.6,
    config=journeys(
        brand="邻里拼团",
        scenario="group_growth",
        sku="GROUP3",
        template_id="group_purchase_waiting_v1",
        cart_sku="GROUP3",
        also=("referral",),
        cart_wait="1h",
        policy=Policy(caps=(Cap(most=1, window_ms=DAY_MS), Cap(most=4, window_ms=7 * DAY_MS))),
    ),
)
