"""What people want of customer service: a closed list, and words it starts from.

Words of ours, not learned, of two or three characters; what they weigh is learned.
"""

from typing import Final
from unicodedata import normalize

OTHER: Final = "other"
LABELS: Final = (
    "order_status",
    "refund",
    "product",
    "complaint",
    "price",
    "human",
    "chat",
    OTHER,
)

WORDS: Final[dict[str, str]] = {
    "order_status": (
        "物流 快递 发货 到货 单号 派送 签收 配送 揽收 运单 到哪 几天到 没收到 催单 什么时候到 "
        "顺丰 圆通 中通"
    ),
    "refund": "退款 退货 退换 换货 退钱 退回 取消订 七天 退运费 售后 不想要 仅退款",
    "product": (
        "尺码 尺寸 颜色 材质 面料 怎么用 适合 成分 规格 型号 有货 现货 保质期 功能 区别 多大 "
        "身高 体重"
    ),
    "complaint": (
        "投诉 差评 举报 欺骗 骗子 假货 态度差 太差 质量差 垃圾 破损 坏了 发错 少发 漏发 维权 赔偿"
    ),
    "price": ("优惠 打折 折扣 便宜 价格 多少钱 活动 满减 包邮 红包 代金 券 降价 促销 会员价 积分"),
    "human": "人工 转人 客服 真人 有人吗 找人 接线 电话",
    "chat": "你好 您好 在吗 谢谢 早上好 晚上好 哈哈 再见 辛苦 嗯嗯",
    OTHER: "合作 招聘 发票 开票 加盟 地址在 营业",
}

_SAID: Final = {
    "order_status": ("order", "logistics", "shipping", "delivery", "物流", "快递", "发货", "订单"),
    "refund": ("return", "exchange", "退款", "退货", "换货", "售后"),
    "product": ("question", "sizes", "consult", "咨询", "商品", "尺码"),
    "complaint": ("complain", "投诉"),
    "price": ("coupon", "discount", "优惠", "价格", "活动"),
    "human": ("agent", "人工"),
    "chat": ("greeting", "闲聊", "问候"),
    OTHER: ("其他", "其它"),
}
_LABEL_OF: Final = {word: label for label, words in _SAID.items() for word in (label, *words)}


def label_of(topic: str) -> str:
    """The label a session's topic stands for; a topic not of the list is a label of its own."""
    said = normalize("NFKC", topic).strip().lower()
    return _LABEL_OF.get(said, said)
