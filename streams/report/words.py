"""What the closed codes mean, in Chinese and English, for reports and explanations."""

from collections.abc import Mapping
from typing import NamedTuple

from streams.contract.decisions import OUTCOMES


class Words(NamedTuple):
    zh: str
    en: str


FATES: dict[str, Words] = {
    "applied": Words("已处理", "applied"),
    "duplicate": Words("重复，已忽略", "duplicate, ignored"),
    "late": Words("迟到，已忽略", "too late, ignored"),
    "dead_lettered": Words("无效，进入死信", "dead-lettered"),
    "erased": Words("用户已被遗忘", "of an erased person"),
}

KINDS: dict[str, Words] = {
    "coupon": Words("优惠券", "coupon"),
    "message": Words("消息", "message"),
    "content": Words("内容", "content"),
    "ad": Words("广告", "ad"),
}

CHANNELS: dict[str, Words] = {
    "official_account": Words("公众号", "official account"),
    "mini_programme": Words("小程序", "mini-programme"),
    "customer_service": Words("客服消息", "customer service"),
    "group": Words("微信群", "group"),
    "wecom": Words("企业微信", "WeCom"),
    "ads": Words("朋友圈广告", "ads"),
    "payment": Words("微信支付", "payment"),
}

LIFECYCLES: dict[str, Words] = {
    "new": Words("新客", "new"),
    "active": Words("活跃", "active"),
    "loyal": Words("忠诚", "loyal"),
    "at_risk": Words("有流失风险", "at risk"),
    "lost": Words("已流失", "lost"),
    "unfollowed": Words("已取关", "unfollowed"),
}

FEATURES: dict[str, Words] = {
    "presence": Words("仍在的可能（按其节奏）", "still here, by the usual rhythm"),
    "absence": Words("反常的沉默", "unusual silence"),
    "absence_displeased": Words("不满后的沉默", "silence after displeasure"),
    "absence_never_ordered": Words("从未下单者的沉默", "silence, never ordered"),
    "absence_newcomer": Words("新客的沉默", "silence of a newcomer"),
    "absence_approached": Words("触达后的沉默", "silence after being approached"),
    "absence_trend": Words("活跃下降后的沉默", "silence after a decline"),
    "trend": Words("活跃趋势", "trend"),
    "recency": Words("多久没来", "time since the last visit"),
    "activity_1d": Words("近 1 天活跃", "activity, 1 day"),
    "activity_7d": Words("近 7 天活跃", "activity, 7 days"),
    "days_in_7": Words("近 7 天来访天数", "days seen of 7"),
    "orders": Words("订单数", "orders"),
    "rating": Words("评分", "rating"),
    "rating_missing": Words("从未评分", "never rated"),
    "displeasure": Words("不满", "displeasure"),
    "responses": Words("对触达的响应", "answers to messages"),
    "tenure": Words("成为用户多久", "tenure"),
    "weekday_sin": Words("星期规律（一）", "day of the week, 1"),
    "weekday_cos": Words("星期规律（二）", "day of the week, 2"),
    "intercept": Words("所有人共同的基数", "what all share"),
    "horizon": Words("其后各天", "the days after the coming one"),
    "calibration": Words("校准", "calibration"),
}

SCENARIOS: dict[str, Words] = {
    "ecommerce": Words("电商小程序", "e-commerce mini-programme"),
    "catering": Words("餐饮", "catering"),
    "education": Words("教育招生", "education enrolment"),
    "cosmetics": Words("美妆品牌", "cosmetics brand"),
    "bank": Words("银行服务", "bank service"),
    "group_growth": Words("社群增长", "group growth"),
}

EVENTS: dict[str, Words] = {
    "user": Words("关注", "follow"),
    "article": Words("阅读文章", "read an article"),
    "page": Words("浏览页面", "viewed a page"),
    "product": Words("浏览商品", "viewed a product"),
    "item": Words("互动商品", "reacted to an item"),
    "cart": Words("购物车", "cart"),
    "search": Words("搜索", "searched"),
    "share": Words("分享", "shared"),
    "order": Words("订单", "order"),
    "payment": Words("支付", "paid"),
    "coupon": Words("优惠券", "coupon"),
    "push": Words("触达回执", "push result"),
    "push.opened": Words("打开了消息", "opened the message"),
    "push.clicked": Words("点进了消息", "clicked the message"),
    "push.failed": Words("送达失败", "delivery failed"),
    "order.created": Words("下单", "ordered"),
    "order.paid": Words("付款", "paid the order"),
    "order.shipped": Words("已发货", "shipped"),
    "order.confirmed": Words("确认收货", "received the order"),
    "order.rated": Words("评价订单", "rated the order"),
    "order.cancelled": Words("取消订单", "cancelled the order"),
    "order.refunded": Words("退款", "refund"),
    "group": Words("微信群", "group"),
    "ad": Words("广告", "ad"),
    "menu": Words("点击菜单", "clicked the menu"),
    "message": Words("发来消息", "wrote to us"),
    "consent": Words("授权", "consent"),
    "feedback": Words("不感兴趣", "not interested"),
    "form": Words("表单", "form"),
    "contact": Words("企业微信联系人", "WeCom contact"),
    "service": Words("客服会话", "service session"),
    "qr": Words("扫码", "scanned a code"),
    "subscription": Words("订阅消息", "subscription"),
    "identity": Words("身份关联", "identity linked"),
}

_OUTCOMES_ZH: dict[str, str] = {
    "SENT": "已发出",
    "QUIET_DEFERRED": "已发出，免打扰时段后送达",
    "ENTERED": "进入旅程，等待下一步",
    "EXITED": "旅程提前结束（目标已达成或条件消失）",
    "REENTRY_BLOCKED": "已在旅程中，或刚离开不久",
    "BACKFILL": "历史补数：只学习，不触达",
    "NO_CONSENT": "没有营销授权",
    "SUPPRESSED": "已取关、拉黑或拒绝此类消息",
    "NO_ADDRESS": "没有可触达的渠道",
    "HOLDOUT_GLOBAL": "全局对照组",
    "HOLDOUT_JOURNEY": "旅程对照组",
    "CAP_PERSON": "达到个人频次上限",
    "CAP_CHANNEL": "达到渠道频次上限",
    "CAP_GAP": "距上次触达太近",
    "EXPIRED": "免打扰结束时已过期",
    "BUDGET_DAY": "当日预算已用完",
    "LOST_ARBITRATION": "同一时刻有更优先的触达",
    "ERASED": "用户要求被遗忘",
    "NO_ENTITLEMENT": "剩余渠道都没有微信发送额度",
    "HOLIDAY": "法定节假日不做营销",
    "BUDGET_TOTAL": "总预算已用完",
    "BUDGET_PERSON": "达到单人预算上限",
    "PACED": "预算匀速投放，留待稍后",
    "CHOSE_NOTHING": "抽中“不发送”",
    "SHADOWED": "本应发出，但旅程处于影子模式",
    "JOURNEY_PAUSED": "旅程已暂停（人工或安全规则）",
    "TEMPLATE_ERROR": "模板无法为此用户填充",
    "NOT_ELIGIBLE": "不符合任何方案的条件",
    "GUARD_FALSE": "旅程的持续条件不再成立",
    "LATE_ENTRY": "事件来得太晚，不再进入旅程",
    "BRANCHED": "按条件或分流进入下一步",
    "TIMED_OUT": "等待的事件未在期限内发生",
    "EVENT_CAME": "等到了所等的事件",
    "COMPLETED": "旅程走完",
    "RESTARTED": "旅程新版本，重新开始",
    "AWAITING_STAFF": "已发出，待员工确认",
    "JOURNEY_LIMIT": "所在旅程数已达上限",
    "ABUSE_SUSPECTED": "疑似薅羊毛，暂停发券（可申诉）",
}

# The gates of a step in the order they are asked, with what each makes sure of.
GATES: tuple[tuple[tuple[str, ...], Words], ...] = (
    (("BACKFILL",), Words("实时事件，不是历史补数", "a live event, no backfill")),
    (("ERASED",), Words("用户没有要求被遗忘", "the person was not forgotten")),
    (("JOURNEY_PAUSED",), Words("旅程未暂停", "the journey is not paused")),
    (("LATE_ENTRY",), Words("事件及时到达", "the event came in time")),
    (
        ("REENTRY_BLOCKED", "JOURNEY_LIMIT"),
        Words("可以（再次）进入此旅程", "may (re-)enter this journey"),
    ),
    (("GUARD_FALSE",), Words("旅程的持续条件成立", "the journey's standing condition holds")),
    (("NOT_ELIGIBLE",), Words("符合方案条件", "an arm is meant for this person")),
    (("TEMPLATE_ERROR",), Words("文案可填充", "the wording can be filled")),
    (("NO_CONSENT",), Words("有授权", "consent given")),
    (("SUPPRESSED",), Words("未取关、未拒绝", "not unfollowed, did not say no")),
    (("ABUSE_SUSPECTED",), Words("没有薅羊毛嫌疑", "not suspected of abuse")),
    (("NO_ADDRESS",), Words("有可触达渠道", "a channel reaches the person")),
    (("HOLDOUT_GLOBAL", "HOLDOUT_JOURNEY"), Words("不在对照组", "not in a control group")),
    (("NO_ENTITLEMENT",), Words("有微信发送额度", "WeChat grants a message")),
    (
        ("CAP_PERSON", "CAP_CHANNEL", "CAP_GAP"),
        Words("未超过触达频次", "within the frequency caps"),
    ),
    (
        ("HOLIDAY", "EXPIRED"),
        Words("免打扰后仍有效", "still valid after quiet hours and holidays"),
    ),
    (
        ("BUDGET_PERSON", "BUDGET_TOTAL", "BUDGET_DAY", "PACED"),
        Words("预算充足", "budget left"),
    ),
    (("CHOSE_NOTHING",), Words("抽中发送方案", "an arm that sends was drawn")),
    (("LOST_ARBITRATION",), Words("没有更优先的触达", "nothing with priority")),
    (("SHADOWED",), Words("旅程正式运行", "the journey is live, it does not only watch")),
)
# What is no refusal: something went out, or the journey went on.
GOES_ON: tuple[str, ...] = (
    *("SENT", "QUIET_DEFERRED", "AWAITING_STAFF"),
    *("ENTERED", "EXITED", "BRANCHED", "TIMED_OUT", "EVENT_CAME", "COMPLETED", "RESTARTED"),
)

# What a chooser sees of a person: `streams.engine.features`.
CONTEXT: dict[str, Words] = {
    "recency": Words("多久没来", "time since the last visit"),
    "frequency": Words("活跃程度", "how active"),
    "orders": Words("订单数", "orders"),
    "spend": Words("消费额", "spending"),
    "churn": Words("流失风险", "churn risk"),
    "interest": Words("对该品类的兴趣", "interest in the category"),
    "fatigue": Words("近期触达次数", "messages got lately"),
    "response": Words("对触达的响应", "answers to messages"),
}

ARMS: dict[str, Words] = {
    "": Words("无方案可发", "no arm passed"),
    "hold": Words("对照组", "control group"),
    "nothing": Words("不发送", "send nothing"),
    "send": Words("发送", "send"),
    "remind": Words("提醒", "reminder"),
    "coupon": Words("优惠券", "coupon"),
}


def outcome(code: str) -> Words:
    return Words(_OUTCOMES_ZH.get(code, code), OUTCOMES.get(code, code))


def verdict(low: float, high: float) -> Words:
    """What an interval of an effect allows to say."""
    if low > 0:
        return Words("区间在 0 以上：确有增量。", "The interval is above zero: it worked.")
    if high < 0:
        return Words("区间在 0 以下：适得其反。", "The interval is below zero: it did harm.")
    return Words(
        "区间包含 0：以这次的人数，看不出有没有效果。",
        "The interval contains zero: with so few people nothing can be said.",
    )


def journey(code: str, titles: Mapping[str, str]) -> Words:
    """The title its file gives it, and its id made readable."""
    return Words(titles.get(code) or code, code.replace("_", " "))


def feature(name: str) -> Words:
    """The words for a feature; `interest:X` is the interest in a category."""
    kind, colon, category = name.partition(":")
    if colon:
        return Words(f"对「{category}」的兴趣", f"{kind} in {category}")
    return pick(FEATURES, name)


def pick(words: dict[str, Words], code: str) -> Words:
    """The words for a code; the code itself where it is newer than this table."""
    return words.get(code, Words(code, code.replace("_", " ")))
