"""From an event's typed data to the values stages work on, by family of types.

The weight of a type says how strong a sign of interest in a category it is: an order counts like
five views. Signs of a deliberate act are stronger than those of passing by.
"""

from collections.abc import Callable
from typing import Any

from streams.contract.events import (
    Ad,
    AdCommented,
    ArticleRead,
    Cart,
    Commented,
    Form,
    Item,
    NotInterested,
    Order,
    PageViewed,
    Payment,
    Rated,
    Searched,
    Shared,
)
from streams.engine.moment import Moment

WEIGHTS = {
    "page.viewed": 0.5,
    "product.viewed": 1.0,
    "article.read": 1.0,
    "ad.clicked": 1.0,
    "search.performed": 1.5,
    "form.opened": 1.5,
    "share.opened": 1.0,
    "share.initiated": 2.0,
    "item.liked": 2.0,
    "item.commented": 2.0,
    "item.favourited": 2.5,
    "cart.added": 3.0,
    "form.submitted": 4.0,
    "order.paid": 5.0,
}
RATING_WEIGHT = {3: 0.5, 4: 2.0, 5: 3.0}  # one or two stars are no sign of interest
MAX_TAGS = 3


def _item(moment: Moment, data: Any) -> None:
    moment.item_id = data.item_id
    moment.category = data.category
    moment.price_fen = data.price_fen
    moment.dwell_ms = data.dwell_ms
    moment.tags = data.tags


def _cart(moment: Moment, data: Any) -> None:
    moment.item_id = data.item_id
    moment.category = data.category
    moment.price_fen = data.price_fen
    moment.quantity = data.quantity


def _article(moment: Moment, data: Any) -> None:
    moment.item_id = data.article_id
    moment.category = data.category
    moment.dwell_ms = data.dwell_ms
    moment.tags = data.tags


def _page(moment: Moment, data: Any) -> None:
    moment.category = data.category
    moment.dwell_ms = data.dwell_ms


def _category(moment: Moment, data: Any) -> None:
    moment.category = data.category


def _item_of_category(moment: Moment, data: Any) -> None:
    moment.category = data.category
    moment.item_id = data.item_id


def _rated(moment: Moment, data: Any) -> None:
    moment.category = data.category
    moment.item_id = data.item_id
    moment.stars = data.stars
    moment.weight = RATING_WEIGHT.get(data.stars, 0.0)


def _order(moment: Moment, data: Any) -> None:
    """Only what was paid or paid back is money; what was merely ordered may still be cancelled."""
    if moment.type in ("order.paid", "order.refunded"):
        moment.spend_fen = data.amount_fen


def _payment(moment: Moment, data: Any) -> None:
    moment.spend_fen = data.payer_total_fen or data.total_fen


EXTRACT: dict[type, Callable[[Moment, Any], None]] = {
    Item: _item,
    Commented: _item,
    Cart: _cart,
    ArticleRead: _article,
    PageViewed: _page,
    Searched: _category,
    Ad: _category,
    AdCommented: _category,
    Form: _category,
    Shared: _item_of_category,
    NotInterested: _item_of_category,
    Rated: _rated,
    Order: _order,
    Payment: _payment,
}
