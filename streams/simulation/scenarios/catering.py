"""餐饮点单: orders at meal times, stars soon after, no parcel."""

from streams.simulation.scenarios.scenario import (
    MEAL_HOURS,
    Category,
    Scenario,
    Segment,
    journeys,
)

SCENARIO = Scenario(
    name="catering",
    title="餐饮点单",
    brand="巷口小厨",
    categories=(
        Category(
            "川湘菜",
            0.20,
            (("水煮鱼", 6_800), ("剁椒鱼头", 7_800), ("麻婆豆腐", 2_800), ("小炒肉", 3_900)),
            ("辣", "下饭"),
        ),
        Category(
            "粉面",
            0.22,
            (("红烧牛肉面", 2_600), ("螺蛳粉", 2_200), ("兰州拉面", 2_000), ("酸辣粉", 1_800)),
            ("快餐", "一人食"),
        ),
        Category(
            "奶茶饮品",
            0.20,
            (("珍珠奶茶", 1_600), ("柠檬茶", 1_400), ("杨枝甘露", 2_200), ("美式咖啡", 1_500)),
            ("下午茶", "甜"),
        ),
        Category(
            "火锅",
            0.12,
            (("双人火锅套餐", 16_800), ("毛肚拼盘", 5_800), ("番茄锅底", 3_800)),
            ("聚餐", "辣"),
        ),
        Category(
            "烧烤",
            0.09,
            (("羊肉串", 3_600), ("烤生蚝", 4_800), ("烤茄子", 1_800)),
            ("夜宵", "聚餐"),
        ),
        Category(
            "轻食",
            0.09,
            (("鸡胸肉沙拉", 3_200), ("全麦三明治", 2_400), ("酸奶碗", 2_600)),
            ("健康", "低脂"),
        ),
        Category(
            "早餐",
            0.08,
            (("豆浆油条", 1_200), ("鲜肉包子", 900), ("皮蛋瘦肉粥", 1_100)),
            ("早餐", "快餐"),
        ),
    ),
    segments=(
        Segment("写字楼白领", 0.40, ("粉面", "轻食", "奶茶饮品"), ("25-34", "35-44"), 0.55, 1.2),
        Segment("学生", 0.25, ("奶茶饮品", "粉面", "烧烤"), ("18-24",), 0.55, 1.1),
        Segment("家庭聚餐", 0.20, ("川湘菜", "火锅"), ("35-44", "45-54"), 0.5, 0.7),
        Segment("早起族", 0.15, ("早餐", "粉面"), ("45-54", "55+"), 0.5, 1.0),
    ),
    steps_per_visit=3.0,
    hours=MEAL_HOURS,
    cart=0.30,
    order=0.72,
    fulfilment="meal",
    slow=0.2,
    rated=0.5,
    config=journeys(
        brand="巷口小厨",
        scenario="catering",
        sku="MEAL5",
        template_id="order_unpaid_v1",
        cart_sku="MEAL5",
        also=("mini_offer",),
        cart_wait="15m",  # after a quarter of an hour the meal has been eaten elsewhere
        least_orders=1,
    ),
)
