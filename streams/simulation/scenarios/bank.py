"""银行服务: service sessions, articles and application forms in office hours; stricter consent."""

from streams.contract.policy import DAY_MS, Cap, Policy, QuietHours
from streams.simulation.scenarios.scenario import (
    OFFICE_HOURS,
    WORKDAYS,
    Category,
    Scenario,
    Segment,
    journeys,
)

SCENARIO = Scenario(
    name="bank",
    title="银行服务",
    brand="江城银行",
    categories=(
        Category("存款", 0.22, (("大额存单", 2_000_000), ("定期存款", 500_000)), ("稳健",)),
        Category(
            "理财",
            0.24,
            (("稳健理财一号", 1_000_000), ("货币基金", 100_000), ("黄金积存", 200_000)),
            ("稳健", "增值"),
        ),
        Category("贷款", 0.17, (("消费贷款", 0), ("房屋贷款", 0), ("小微企业贷款", 0)), ("周转",)),
        Category(
            "信用卡",
            0.21,
            (("青年信用卡", 0), ("商旅信用卡", 0), ("车主信用卡", 0)),
            ("优惠", "出行"),
        ),
        Category("保险", 0.09, (("医疗保险", 39_900), ("养老年金", 1_000_000)), ("保障",)),
        Category("生活缴费", 0.07, (("水电燃气", 12_000), ("手机充值", 5_000)), ("便民",)),
    ),
    segments=(
        Segment("年轻上班族", 0.36, ("信用卡", "生活缴费", "贷款"), ("18-24", "25-34"), 0.5, 1.1),
        Segment("家庭理财", 0.34, ("理财", "保险", "存款"), ("35-44", "45-54"), 0.55, 1.0),
        Segment("退休客户", 0.18, ("存款", "理财"), ("55+",), 0.55, 0.9),
        Segment("小微业主", 0.12, ("贷款", "信用卡"), ("35-44", "45-54"), 0.35, 1.0),
    ),
    mini_steps={
        "page.viewed": 34,
        "product.viewed": 20,
        "article.read": 10,
        "form.opened": 7,
        "service.session_started": 9,
        "search.performed": 6,
        "menu.clicked": 8,
        "feedback.not_interested": 1,
        "subscription.credit_granted": 2,
    },
    account_share=0.4,
    steps_per_visit=3.2,
    hours=OFFICE_HOURS,
    weekdays=WORKDAYS,
    cart=0.02,
    order=0.6,
    fulfilment="none",
    bad_service=0.2,
    marketing_consent=0.55,
    invited=0.03,
    config=journeys(
        brand="江城银行",
        scenario="bank",
        sku="FEE-WAIVER",
        risk=0.6,
        interest=0.45,
        cart_enabled=False,
        policy=Policy(
            caps=(Cap(most=1, window_ms=3 * DAY_MS), Cap(most=2, window_ms=14 * DAY_MS)),
            quiet=QuietHours(from_minute=20 * 60, to_minute=9 * 60),
            global_holdout=0.1,
            daily_budget_fen=500_000,
        ),
    ),
)
