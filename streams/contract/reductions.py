"""What the intake reduces before anything else sees it: field -> rule.

`alias`: a native id becomes its alias; `no_query`: a URL or path loses what follows ? or #;
`geohash`: cut to five characters; `device`, `address`: becomes a keyed pseudonym that equals
nobody's alias; `grams`: the text becomes the numbers in the field `grams`, and is gone.
"""

from msgspec import Struct

from streams.contract.events import (
    AdCommented,
    Commented,
    Coupon,
    Followed,
    Group,
    Identity,
    LocationReported,
    MenuClicked,
    MessageReceived,
    Order,
    PageViewed,
    Payment,
    Rated,
)

REDUCED: dict[type[Struct], dict[str, str]] = {
    Followed: {"invited_by": "alias", "device": "device"},
    Order: {"device": "device", "address": "address"},
    Payment: {"device": "device"},
    Coupon: {"device": "device"},
    Group: {"invited_by": "alias"},
    Identity: {"other": "alias"},
    MenuClicked: {"url_no_query": "no_query"},
    PageViewed: {"page": "no_query"},
    LocationReported: {"geohash": "geohash"},
    MessageReceived: {"text": "grams"},
    Commented: {"text": "grams"},
    AdCommented: {"text": "grams"},
    Rated: {"text": "grams"},
}
