"""美妆品牌: a brand's own shop; samples, tutorials, favourites."""

from streams.simulation.scenarios.scenario import (
    EVENING_HOURS,
    Category,
    Scenario,
    Segment,
    journeys,
)

SCENARIO = Scenario(
    name="cosmetics",
    title="美妆品牌",
    brand="花朝",
    categories=(
        Category(
            "护肤",
            0.28,
            (("玻尿酸精华", 25_900), ("修护面霜", 32_900), ("补水面膜", 9_900), ("护肤小样", 990)),
            ("补水", "修护"),
        ),
        Category(
            "彩妆",
            0.22,
            (("丝绒口红", 16_900), ("气垫粉底", 23_900), ("眼影盘", 19_900), ("口红小样", 990)),
            ("新品", "妆容"),
        ),
        Category(
            "香水",
            0.10,
            (("桂花香水", 39_900), ("白茶香水", 36_900), ("香水小样", 1_990)),
            ("礼物", "香氛"),
        ),
        Category("防晒", 0.12, (("清爽防晒乳", 14_900), ("防晒喷雾", 9_900)), ("户外", "夏日")),
        Category(
            "洗护",
            0.14,
            (("氨基酸洗发水", 8_900), ("护发精油", 12_900), ("身体乳", 9_900)),
            ("日常", "囤货"),
        ),
        Category("男士护理", 0.08, (("男士洁面", 6_900), ("控油乳液", 11_900)), ("男士", "控油")),
        Category("美容仪", 0.06, (("洁面仪", 49_900), ("射频美容仪", 199_900)), ("科技", "抗老")),
    ),
    segments=(
        Segment("学生党", 0.30, ("彩妆", "防晒"), ("18-24",), 0.9, 1.1),
        Segment("精致白领", 0.38, ("护肤", "香水", "彩妆"), ("25-34",), 0.92, 1.1),
        Segment("抗老人群", 0.20, ("护肤", "美容仪", "洗护"), ("35-44", "45-54"), 0.95, 0.9),
        Segment("男士", 0.12, ("男士护理", "洗护"), ("18-24", "25-34", "35-44"), 0.05, 0.7),
    ),
    mini_steps={
        "page.viewed": 12,
        "product.viewed": 44,
        "article.read": 10,
        "item.favourited": 8,
        "item.liked": 7,
        "item.commented": 3,
        "search.performed": 6,
        "form.opened": 3,
        "share.initiated": 3,
        "feedback.not_interested": 1,
        "subscription.credit_granted": 3,
    },
    account_share=0.28,
    hours=EVENING_HOURS,
    cart=0.18,
    order=0.48,
    slow=0.2,
    config=journeys(
        brand="花朝",
        scenario="cosmetics",
        sku="SAMPLE-KIT",
        template_id="cart_remind_beauty_v1",
        also=("post_purchase", "birthday"),
        interest=0.4,
    ),
)
