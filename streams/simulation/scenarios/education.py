"""教育招生: articles, trial lessons and enrolment forms; courses are the orders."""

from streams.simulation.scenarios.scenario import (
    EVENING_HOURS,
    WEEKEND,
    Category,
    Scenario,
    Segment,
    journeys,
)

SCENARIO = Scenario(
    name="education",
    title="教育招生",
    brand="知行学堂",
    categories=(
        Category(
            "少儿英语",
            0.22,
            (("自然拼读体验课", 990), ("英语启蒙班", 199_900), ("外教口语课", 299_900)),
            ("少儿", "英语"),
        ),
        Category(
            "编程",
            0.15,
            (("图形化编程体验课", 1_900), ("Python入门班", 129_900), ("算法提高班", 239_900)),
            ("科技", "少儿"),
        ),
        Category(
            "考研",
            0.17,
            (("考研数学全程班", 189_900), ("考研英语真题课", 89_900), ("政治冲刺班", 59_900)),
            ("升学", "备考"),
        ),
        Category(
            "公考",
            0.14,
            (("行测系统班", 98_000), ("申论批改课", 68_000), ("面试特训营", 298_000)),
            ("备考", "职业"),
        ),
        Category(
            "艺术",
            0.13,
            (("少儿美术课", 129_900), ("钢琴陪练", 159_900), ("硬笔书法", 79_900)),
            ("少儿", "兴趣"),
        ),
        Category(
            "职业技能",
            0.19,
            (("数据分析训练营", 299_900), ("短视频运营课", 99_900), ("会计初级班", 89_900)),
            ("职业", "提升"),
        ),
    ),
    segments=(
        Segment("学龄儿童家长", 0.42, ("少儿英语", "编程", "艺术"), ("35-44", "25-34"), 0.75, 1.0),
        Segment("大学生", 0.28, ("考研", "公考"), ("18-24",), 0.5, 1.2),
        Segment("在职青年", 0.30, ("职业技能", "公考"), ("25-34", "35-44"), 0.5, 0.9),
    ),
    mini_steps={
        "page.viewed": 24,
        "product.viewed": 34,
        "article.read": 14,
        "form.opened": 8,
        "search.performed": 6,
        "item.favourited": 5,
        "service.session_started": 3,
        "share.initiated": 2,
        "feedback.not_interested": 1,
        "subscription.credit_granted": 3,
    },
    account_share=0.35,
    hours=EVENING_HOURS,
    weekdays=WEEKEND,
    cart=0.05,
    order=0.35,
    fulfilment="none",
    bad_service=0.18,
    config=journeys(
        brand="知行学堂",
        scenario="education",
        sku="TRIAL-LESSON",
        template_id="course_unpaid_v1",
        also=("enrolment",),
        cart_wait="2h",
        interest=0.3,
    ),
)
