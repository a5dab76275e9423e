"""The content library: what triggers show and say. Goods, coupons, articles, ads, templates (文案),
and the limits and words their texts are checked against.

A file of `deploy/content` is a part of one library; the parts together are what is published. Every
limit and word is data with its source, the day it was checked, and how far that can be trusted:
platforms and the law change, and a number in code would rot.
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal, NamedTuple

from msgspec import Meta, Struct

from streams.contract.bounds import Fen, Id, Name, Tags, Text, Url
from streams.contract.triggers import Channel, Kind, Purpose

SPEC: Final = "content/1"
Evidence = Literal["official", "third_party", "house", "unverified"]
Moment = Annotated[datetime, Meta(tz=True)]
Most = Annotated[int, Meta(ge=1, le=100_000)]
Title = Annotated[str, Meta(min_length=1, max_length=64)]
Copy = Annotated[str, Meta(max_length=4_000)]


class Part(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A table of the files: an unknown key is an error, for it would be ignored in silence."""


class Goods(Part, frozen=True, kw_only=True):
    """`stock` 0: unknown. `page` is the path in the mini-programme."""

    item_id: Id
    category: Name
    title: Title
    price_fen: Fen
    stock: Annotated[int, Meta(ge=0)] = 0
    tags: Tags = []
    image_url: Url = ""
    page: Url = ""
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class CouponSku(Part, frozen=True, kw_only=True):
    """A coupon of one fixed value. `cost_fen` is what a redemption is expected to cost."""

    sku: Id
    title: Title
    face_value_fen: Fen
    cost_fen: Fen
    least_order_fen: Fen = 0
    valid_ms: Annotated[int, Meta(ge=60_000, le=366 * 86_400_000)]
    stock: Annotated[int, Meta(ge=0)] = 0
    kind: Literal["cash", "gift", "fee_waiver"] = "cash"
    category: Name | Literal[""] = ""


class Article(Part, frozen=True, kw_only=True):
    article_id: Id
    category: Name
    title: Title
    tags: Tags = []
    url: Url


class Ad(Part, frozen=True, kw_only=True):
    ad_id: Id
    category: Name
    title: Title
    landing: Url
    label: Name


class Field(Part, frozen=True, kw_only=True):
    """One keyed field of a subscribe message: WeChat's type of it, and the text."""

    type: Name
    text: Text


class Variant(Part, frozen=True, kw_only=True):
    """One wording. Keyed channels take `fields`, the others `title` and `text`. `personalised`: it
    tells something of the person, which one who refused that must not get."""

    id: Id
    title: Copy = ""
    text: Copy = ""
    fields: dict[str, Field] = {}
    personalised: bool = False


class Template(Part, frozen=True, kw_only=True):
    """文案. `neutral` goes to everybody who refused personalisation (PIPL art. 24). `coupon` is the
    one SKU whose amounts its texts may name outright."""

    id: Id
    kind: Kind
    purpose: Purpose
    channels: Annotated[list[Channel], Meta(min_length=1)]
    category: Name | Literal[""] = ""
    coupon: str = ""
    page: Url = ""
    variants: Annotated[list[Variant], Meta(min_length=1, max_length=32)]
    neutral: Variant | None = None


class FieldLimit(Part, frozen=True, kw_only=True):
    """What a keyed field of one type may hold: at most `most` characters that match `pattern`."""

    type: Name
    most: Most
    pattern: str
    source: str
    checked: date
    evidence: Evidence


class TextLimit(Part, frozen=True, kw_only=True):
    channel: Channel
    part: Literal["title", "text"]
    most: Most
    unit: Literal["characters", "bytes"] = "characters"
    source: str
    checked: date
    evidence: Evidence


class Limits(Part, frozen=True, kw_only=True):
    fields: list[FieldLimit] = []
    texts: list[TextLimit] = []


class BannedWords(Part, frozen=True, kw_only=True):
    """Words no text may hold. `*` in a word stands for up to eight characters; `allowed` phrases
    are taken out before. Without categories it holds for all."""

    code: Literal["BANNED_WORD", "INDUCEMENT"] = "BANNED_WORD"
    words: Annotated[list[str], Meta(min_length=1)]
    allowed: list[str] = []
    categories: list[Name] = []
    why: str
    source: str
    checked: date
    evidence: Evidence


class RequiredWords(Part, frozen=True, kw_only=True):
    """One of `any_of` must stand in each text of these kinds and categories, and if `when` is not
    empty only where one of its words does."""

    any_of: Annotated[list[str], Meta(min_length=1)]
    kinds: list[Kind] = []
    categories: list[Name] = []
    when: list[str] = []
    why: str
    source: str
    checked: date
    evidence: Evidence


class Words(Part, frozen=True, kw_only=True):
    """`variants`: other characters for the same, for instance 國 for 国."""

    banned: list[BannedWords] = []
    required: list[RequiredWords] = []
    variants: dict[str, str] = {}


class Library(Part, frozen=True, kw_only=True):
    """`version` stands in one file; a file without it is a part of the same library."""

    spec: Literal["content/1"]
    version: Annotated[int, Meta(ge=0)] = 0
    goods: list[Goods] = []
    coupons: list[CouponSku] = []
    articles: list[Article] = []
    ads: list[Ad] = []
    templates: list[Template] = []
    limits: Limits = Limits()
    words: Words = Words()


class Slot(NamedTuple):
    """A value that a text may hold.

    `longest` in characters, a value is cut there. `personal`: it tells something of the person.
    `known_for` the kinds of template for which there always is a value; elsewhere it needs a
    default.
    """

    type: Literal["text", "count", "money", "date", "time"]
    longest: int
    personal: bool = False
    known_for: tuple[Kind, ...] = ()


_ALL: Final[tuple[Kind, ...]] = ("coupon", "message", "content", "ad")

# The closed vocabulary. Money comes as fen, counts as integers, the rest as text.
SLOTS: Final[dict[str, Slot]] = {
    "profile.city": Slot("text", 8, personal=True),
    "profile.interest": Slot("text", 12, personal=True),
    "profile.member_level": Slot("text", 8, personal=True),
    "days_away": Slot("count", 4, personal=True),
    "entry.item_title": Slot("text", 20, personal=True),
    "entry.category": Slot("text", 12, personal=True),
    "entry.amount": Slot("money", 10, personal=True),
    "entry.quantity": Slot("count", 4, personal=True),
    "goods.title": Slot("text", 20),
    "goods.category": Slot("text", 12),
    "goods.price": Slot("money", 10),
    "coupon.title": Slot("text", 20, known_for=("coupon",)),
    "coupon.amount": Slot("money", 10, known_for=("coupon",)),
    "coupon.least_order": Slot("money", 10, known_for=("coupon",)),
    "coupon.valid_days": Slot("count", 3, known_for=("coupon",)),
    "coupon.until": Slot("date", 11, known_for=("coupon",)),
    "article.title": Slot("text", 32, known_for=("content",)),
    "article.category": Slot("text", 12, known_for=("content",)),
    "ad.title": Slot("text", 32, known_for=("ad",)),
    "ad.label": Slot("text", 8, known_for=("ad",)),
    "brand.name": Slot("text", 12),
    "holiday.name": Slot("text", 8),
    "today": Slot("date", 11, known_for=_ALL),
    "now": Slot("time", 17, known_for=_ALL),
}

# What must never stand in a message, and why: the push service knows nobody by name either.
PERSONAL_DATA: Final[tuple[str, ...]] = (
    "name", "nickname", "phone", "mobile", "id_card", "address", "email", "openid", "unionid",
    "birthday", "bank_card",
)  # fmt: skip

KEYED_CHANNELS: Final[tuple[Channel, ...]] = ("official_account", "mini_programme")

# Code -> what it means. Closed: every fault of content has one of these.
FAULTS: Final[dict[str, str]] = {
    "FORM": "the file is not as the schema says",
    "DUPLICATE": "an id stands twice",
    "UNKNOWN_REFERENCE": "it names something that the library does not have",
    "TOO_LONG": "with its longest values the text would be cut or refused",
    "EMPTY": "a text that the channel needs is missing",
    "FIELD_TYPE": "the field's type is unknown, or does not take such a value",
    "PLACEHOLDER": "a placeholder that cannot be read or is unknown",
    "NO_DEFAULT": "the value may be missing and there is no default",
    "PERSONAL_DATA": "a placeholder for data that no message may hold",
    "NOT_NEUTRAL": "it tells something of the person and is not marked so, or must not",
    "NO_NEUTRAL": "there is nothing for those who refused personalisation",
    "BANNED_WORD": "a word that the law or the platform forbids",
    "INDUCEMENT": "it rewards sharing or following, which the platform forbids",
    "REQUIRED_WORD": "a word that the law requires is missing",
    "LINK": "a link that is not https",
    "PHONE": "a telephone number",
    "COUPON_VALUE": "the words promise another value than the coupon has",
    "VALUE_DISCRIMINATION": "a coupon's value follows an estimate of what the person would pay",
}


class Fault(NamedTuple):
    """`code` is a key of FAULTS; `where` a path such as templates[cart_remind_v1].variants[a].text,
    after the file and line where there are such."""

    code: str
    where: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.code}: {self.message}; {self.remedy}"
