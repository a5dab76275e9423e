"""A journey's fields and values in the words of a marketer."""

from typing import Any, Final, NamedTuple

from streams.contract.policy import Cap
from streams.expressions import show_duration


class Words(NamedTuple):
    zh: str
    en: str


FIELDS: Final[dict[str, Words]] = {
    "version": Words("版本", "version"),
    "title": Words("标题", "title"),
    "owner": Words("负责人", "owner"),
    "status": Words("状态", "status"),
    "purpose": Words("目的", "purpose"),
    "priority": Words("优先级 (小者先)", "priority (lowest first)"),
    "migrate": Words("已在途的人", "people inside"),
    "reason": Words("原因码", "reason code"),
    "entry.on": Words("进入事件", "entered by"),
    "entry.where": Words("进入条件", "entry condition"),
    "entry.key": Words("实例键", "instance key"),
    "entry.late": Words("晚到多久仍进入", "late entry up to"),
    "entry.guard": Words("发送前再核对", "asked again before each send"),
    "entry.reentry.max": Words("最多进入次数", "entries at most"),
    "entry.reentry.per": Words("次数的周期", "entries counted over"),
    "entry.reentry.cooldown": Words("再次进入的间隔", "time between entries"),
    "entry.reentry.concurrent": Words("可同时多份", "several at once"),
    "entry.reentry.by": Words("按人或按键计数", "counted by"),
    "exit.on": Words("退出事件", "left by"),
    "exit.where": Words("退出条件", "exit condition"),
    "exit.after": Words("最长停留", "lasts at most"),
    "goal.on": Words("目标事件", "goal"),
    "goal.where": Words("目标条件", "goal condition"),
    "goal.window": Words("归因窗口", "attribution window"),
    "goal.value": Words("目标价值", "value of the goal"),
    "holdout.global": Words("遵守全局对照组", "honours the global control group"),
    "holdout.share": Words("对照组比例", "control group"),
    "holdout.salt": Words("对照组分组", "drawing of the control group"),
    "budget.total_fen": Words("总预算", "budget in all"),
    "budget.daily_fen": Words("每日预算", "budget a day"),
    "budget.person.fen": Words("每人预算", "budget for a person"),
    "budget.person.per": Words("每人预算的周期", "budget for a person per"),
    "budget.pacing": Words("投放节奏", "pacing"),
    "budget.exhausted": Words("预算用完时", "when the money is gone"),
    "limits.caps": Words("频次上限", "caps"),
    "step.order": Words("步骤次序", "order of the steps"),
    "wait": Words("等待", "wait"),
    "until": Words("等到", "wait until"),
    "wait_for.on": Words("等待事件", "waits for"),
    "wait_for.within": Words("最多等", "at most"),
    "wait_for.where": Words("等待条件", "condition of the wait"),
    "if": Words("如果", "if"),
    "split": Words("分流", "split"),
    "decide": Words("选择方法", "chosen by"),
    "goto": Words("然后去", "then to"),
    "then": Words("成立时去", "if so"),
    "else": Words("否则去", "if not"),
    "explore_floor": Words("最低探索概率", "least probability of an arm"),
    "expire": Words("过时不发", "pointless after"),
    "on_fail": Words("被拦时去", "when refused"),
    "channel": Words("渠道", "channel"),
    "template": Words("文案", "template"),
    "coupon": Words("优惠券", "coupon"),
    "show": Words("展示", "shows"),
    "ad": Words("广告", "ad"),
    "weight": Words("权重", "weight"),
    "when": Words("谁可以得到", "who may get it"),
    "test": Words("测试数", "inline tests"),
}
CHANNELS: Final[dict[str, Words]] = {
    "auto": Words("自动", "auto"),
    "official_account": Words("公众号", "official account"),
    "mini_programme": Words("小程序", "mini-programme"),
    "customer_service": Words("客服消息", "customer service"),
    "group": Words("群", "group"),
    "wecom": Words("企业微信", "WeCom"),
    "ads": Words("广告", "ads"),
}
EVENTS: Final[dict[str, Words]] = {
    "user.followed": Words("关注", "follow"),
    "user.unfollowed": Words("取关", "unfollow"),
    "consent.withdrawn": Words("撤回同意", "consent withdrawn"),
    "consent.granted": Words("同意", "consent granted"),
    "daily.check": Words("每日检查", "daily check"),
    "message.received": Words("收到消息", "message received"),
    "article.read": Words("阅读文章", "article read"),
    "product.viewed": Words("浏览商品", "product viewed"),
    "page.viewed": Words("浏览页面", "page viewed"),
    "cart.added": Words("加入购物车", "added to cart"),
    "cart.removed": Words("移出购物车", "removed from cart"),
    "form.opened": Words("打开表单", "form opened"),
    "form.submitted": Words("提交表单", "form submitted"),
    "order.created": Words("下单", "order created"),
    "order.paid": Words("付款", "order paid"),
    "order.confirmed": Words("签收", "order confirmed"),
    "order.refunded": Words("退款", "refund"),
    "order.rated": Words("订单评分", "order rated"),
    "item.reviewed": Words("商品评价", "item reviewed"),
    "share.initiated": Words("分享", "share"),
    "share.opened": Words("分享被打开", "share opened"),
    "push.clicked": Words("点开消息", "message clicked"),
    "subscription.credit_granted": Words("授权订阅", "subscription granted"),
    "subscription.credit_refused": Words("拒绝订阅", "subscription refused"),
    "coupon.claimed": Words("领券", "coupon claimed"),
    "coupon.used": Words("用券", "coupon used"),
}


def yuan(fen: int) -> str:
    """`¥20`, `¥8.50`."""
    whole, rest = divmod(fen, 100)
    return f"¥{whole:,}.{rest:02d}" if rest else f"¥{whole:,}"


def event_zh(kind: str) -> str:
    return EVENTS[kind].zh if kind in EVENTS else kind


def shown(place: str, value: Any) -> str:
    """A value as a marketer reads it; empty where there is none."""
    name = place.rpartition(".")[2]
    if value is None or (isinstance(value, str | list | dict) and not value):
        return ""
    if name.endswith("fen"):
        return yuan(value)
    if name in ("share", "explore_floor"):
        return f"{value:.1%}"
    if name == "caps":
        return "; ".join(cap(one) for one in value)
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, dict):
        return ", ".join(f"{key} {weight:g}" for key, weight in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return " ".join(str(value).split())


def cap(said: dict[str, Any]) -> str:
    found = Cap(
        said.get("purpose", "marketing"),
        said.get("channel", "*"),
        said.get("max", 0),
        said.get("window_ms", 0),
        said.get("per", ""),
    )
    per = found.per or show_duration(found.window_ms)
    return f"{found.purpose} {found.channel} {found.most} / {per}"
