"""What a person just did: the last two actions, and when something went into the cart.

The actions are few and plain, so that a marketer can read what comes next.
"""

from typing import Final

from msgspec import Struct

NAMES: Final = (
    *("browse", "view", "like", "comment", "search", "cart", "uncart", "share", "order", "pay"),
    *("read", "message", "open", "claim", "form", "group"),
)
WORDS: Final = {
    "browse": "浏览页面",
    "view": "看商品",
    "like": "点赞或收藏",
    "comment": "评论",
    "search": "搜索",
    "cart": "加购",
    "uncart": "移出购物车",
    "share": "分享",
    "order": "下单",
    "pay": "付款",
    "read": "读文章",
    "message": "发消息",
    "open": "点开推送",
    "claim": "领券或用券",
    "form": "填表单",
    "group": "群互动",
}
TYPES: Final[dict[str, int]] = {
    kind: NAMES.index(name)
    for name, kinds in {
        "browse": ("page.viewed", "menu.clicked", "qr.scanned"),
        "view": ("product.viewed",),
        "like": ("item.liked", "item.favourited", "ad.liked"),
        "comment": ("item.commented", "ad.commented", "order.rated", "item.reviewed"),
        "search": ("search.performed",),
        "cart": ("cart.added",),
        "uncart": ("cart.removed",),
        "share": ("share.initiated",),
        "order": ("order.created",),
        "pay": ("order.paid",),
        "read": ("article.read",),
        "message": ("message.received", "service.session_started"),
        "open": ("push.opened", "push.clicked", "ad.clicked"),
        "claim": ("coupon.claimed", "coupon.used"),
        "form": ("form.opened", "form.submitted"),
        "group": ("group.entered", "group.member_joined"),
    }.items()
    for kind in kinds
}


class Doing(Struct, array_like=True, gc=False):
    """Places in NAMES, -1 for none; times of the events in seconds, 0 for never."""

    last: int = -1
    before: int = -1
    last_s: int = 0
    cart_s: int = 0  # the last thing put into the cart since the last order
