"""A whole library: its faults, and the shelf from which the engine takes what it sends."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from streams.contract.content import (
    Ad,
    Article,
    CouponSku,
    Fault,
    Goods,
    Library,
    Template,
)
from streams.contract.policy import DAY_MS
from streams.engine.content.checking import Rules, check_variant
from streams.engine.content.filling import CompiledVariant, compile_variant
from streams.engine.content.promises import coupon_problems
from streams.engine.content.slots import Problem
from streams.engine.content.wording import plain_text

AD_LABEL: Final = "广告"  # Advertising Law art. 14, Internet Advertising Measures art. 9


class CompiledTemplate(NamedTuple):
    template: Template
    variants: dict[str, CompiledVariant]
    neutral: CompiledVariant | None


class Shelf:
    """An admitted library, ready for the engine."""

    def __init__(self, library: Library) -> None:
        """Raises ValueError for a library with faults: only what was linted is published."""
        self.version = library.version
        self.goods = {one.item_id: one for one in library.goods}
        self.coupons = {one.sku: one for one in library.coupons}
        self.articles = {one.article_id: one for one in library.articles}
        self.ads = {one.ad_id: one for one in library.ads}
        self.templates = {
            one.id: CompiledTemplate(
                one,
                {variant.id: compile_variant(variant) for variant in one.variants},
                compile_variant(one.neutral) if one.neutral else None,
            )
            for one in library.templates
        }


def rules_of(library: Library) -> Rules:
    return Rules(library.limits, library.words, library.coupons)


def id_of(piece: Goods | Article) -> str:
    return piece.item_id if isinstance(piece, Goods) else piece.article_id


def is_offered(goods: Goods, now_ms: int) -> bool:
    begins, ends = goods.valid_from, goods.valid_until
    return (begins is None or begins.timestamp() * 1000 <= now_ms) and (
        ends is None or now_ms < ends.timestamp() * 1000
    )


def goods_values(goods: Goods) -> dict[str, Any]:
    return {
        "goods.title": goods.title,
        "goods.category": goods.category,
        "goods.price": goods.price_fen,
    }


def coupon_values(coupon: CouponSku) -> dict[str, Any]:
    """`coupon.until` is left to the caller, who knows the day: 2026-11-30 or 2026年11月30日."""
    return {
        "coupon.title": coupon.title,
        "coupon.amount": coupon.face_value_fen,
        "coupon.least_order": coupon.least_order_fen,
        "coupon.valid_days": max(1, coupon.valid_ms // DAY_MS),
    }


def article_values(article: Article) -> dict[str, Any]:
    return {"article.title": article.title, "article.category": article.category}


def ad_values(ad: Ad) -> dict[str, Any]:
    return {"ad.title": ad.title, "ad.label": ad.label}


def check_library(library: Library) -> list[Fault]:
    """Every fault of the library as a whole, in its own order."""
    faults = [*_duplicates(library), *_patterns(library)]
    if faults:
        return faults
    rules = rules_of(library)
    for path, texts, category, links in _things(library):
        for key, text in texts:
            faults += _faults(f"{path}.{key}", rules.words.banned(text, category))
        for key, url in links:
            faults += _faults(f"{path}.{key}", _link(url))
    for one in library.goods:
        if one.valid_from and one.valid_until and one.valid_from >= one.valid_until:
            faults.append(_never(one))
    for coupon in library.coupons:
        path = f"coupons[{coupon.sku}].title"
        faults += _faults(path, coupon_problems(coupon.title, coupon))
    for ad in library.ads:
        if AD_LABEL not in ad.label:
            faults += _faults(f"ads[{ad.ad_id}].label", _label())
    for template in library.templates:
        faults += check_template(template, rules)
    return faults


def check_template(template: Template, rules: Rules) -> list[Fault]:
    """The faults of a template and of each of its wordings."""
    where = f"templates[{template.id}]"
    faults = _faults(where, _template_problems(template, rules))
    faults += _faults(f"{where}.page", _page(template.page))
    taken = set[str]()
    for variant in template.variants:
        if variant.id in taken:
            faults.append(_twice(f"{where}.variants[{variant.id}]", variant.id))
        taken.add(variant.id)
        faults += check_variant(variant, template, rules)
    if template.neutral is not None:
        faults += check_variant(template.neutral, template, rules, neutral=True)
    return faults


def _template_problems(template: Template, rules: Rules) -> Iterator[Problem]:
    if template.coupon and template.kind != "coupon":
        yield Problem("FORM", f"a {template.kind} has no coupon", 'set kind = "coupon"')
    if template.coupon and template.coupon not in rules.coupons:
        known = ", ".join(rules.coupons)
        yield Problem("UNKNOWN_REFERENCE", f"no coupon {template.coupon}", f"one of {known}")
    if len(set(template.channels)) < len(template.channels):
        yield Problem("DUPLICATE", "a channel stands twice", "name each once")
    personal = any(variant.personalised for variant in template.variants)
    needed = personal or template.purpose == "marketing"
    if needed and template.neutral is None:
        yield Problem(
            "NO_NEUTRAL",
            "nothing for those who refused personalisation",
            f"add [templates.neutral] to {template.id}",
        )


_Keyed = list[tuple[str, str]]  # key of the field, its text


def _things(library: Library) -> Iterator[tuple[str, _Keyed, str, _Keyed]]:
    """Goods, coupons, articles, ads: path, texts, category, links."""
    for goods in library.goods:
        texts = [("title", goods.title), *(("tags", tag) for tag in goods.tags)]
        links = [("image_url", goods.image_url)]
        yield f"goods[{goods.item_id}]", texts, goods.category, links
    for coupon in library.coupons:
        yield f"coupons[{coupon.sku}]", [("title", coupon.title)], coupon.category, []
    for article in library.articles:
        texts = [("title", article.title), *(("tags", tag) for tag in article.tags)]
        yield f"articles[{article.article_id}]", texts, article.category, [("url", article.url)]
    for ad in library.ads:
        links = [("landing", ad.landing)]
        yield f"ads[{ad.ad_id}]", [("title", ad.title)], ad.category, links


def _link(url: str) -> Iterator[Problem]:
    if url and not url.startswith("https://"):
        yield Problem("LINK", f"{url} is not https", "link by https://")


def _page(page: str) -> Iterator[Problem]:
    if "://" in page:
        yield from _link(page)


def _label() -> Iterator[Problem]:
    yield Problem("REQUIRED_WORD", "the label does not say 广告", 'write label = "广告"')


def _duplicates(library: Library) -> Iterator[Fault]:
    yield from _repeated("goods", (one.item_id for one in library.goods))
    yield from _repeated("coupons", (one.sku for one in library.coupons))
    yield from _repeated("articles", (one.article_id for one in library.articles))
    yield from _repeated("ads", (one.ad_id for one in library.ads))
    yield from _repeated("templates", (one.id for one in library.templates))
    yield from _repeated("limits.fields", (one.type for one in library.limits.fields))
    texts = (f"{one.channel} {one.part}" for one in library.limits.texts)
    yield from _repeated("limits.texts", texts)


def _repeated(path: str, ids: Iterable[str]) -> Iterator[Fault]:
    taken = set[str]()
    for one in ids:
        if one in taken:
            yield _twice(f"{path}[{one}]", one)
        taken.add(one)


def _twice(where: str, name: str) -> Fault:
    return Fault("DUPLICATE", where, f"{name} stands twice", "remove one or give it another id")


def _patterns(library: Library) -> Iterator[Fault]:
    """Patterns that cannot be read, and words that would match everything."""
    for limit in library.limits.fields:
        try:
            re.compile(limit.pattern)
        except re.error as error:
            where = f"limits.fields[{limit.type}].pattern"
            yield Fault("FORM", where, f"no regular expression: {error}", "mend the pattern")
    for place, words in (
        *(("banned", rule.words) for rule in library.words.banned),
        *(("required", [*rule.any_of, *rule.when]) for rule in library.words.required),
    ):
        for word in words:
            if not plain_text(word, {}).strip("。"):
                yield Fault(
                    "FORM", f"words.{place}", f"{word!r} is no word", "use letters or characters"
                )


def _never(goods: Goods) -> Fault:
    where = f"goods[{goods.item_id}].valid_until"
    return Fault("FORM", where, "it ends before it begins", "exchange valid_from and valid_until")


def _faults(where: str, problems: Iterable[Problem]) -> list[Fault]:
    return [Fault(p.code, where, p.message, p.remedy) for p in problems]
