"""The one door by which a wording becomes an arm, whoever wrote it: a person or a model.

Checked is what can be known before any person is: that it fits with the longest values, that its
placeholders exist and cannot leave a hole, what the law and the platforms forbid and require, and
that it promises what the coupon gives.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from streams.contract.content import (
    KEYED_CHANNELS,
    CouponSku,
    Fault,
    Field,
    FieldLimit,
    Limits,
    Template,
    TextLimit,
    Variant,
    Words,
)
from streams.engine.content.promises import coupon_problems, promise_problems
from streams.engine.content.slots import Gap, Problem, Reading, read, without_slots
from streams.engine.content.wording import WordList

_PLAIN_LINK: Final = re.compile(r"(?<![a-z])(?:http|ftp)://\S*|(?<![/\w])www\.\S+", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|[48]00-?\d{3}-?\d{4}|0\d{2,3}-?\d{7,8})(?!\d)")
# Values at the ends of what a type can be; text with signs and letters, as a narrow field type
# would refuse.
_LONGEST: Final = {
    "text": "品A1-" * 16,
    "count": "9" * 9,
    "money": "9999999.99",
    "date": "2026年12月31日",
    "time": "2026年12月31日 23:59",
}
_SHORTEST: Final = {"text": "-", "count": "0", "money": "0", "date": "2026-12-31", "time": "9:00"}


class Rules:
    """What wordings are checked against, prepared once for a library."""

    def __init__(self, limits: Limits, words: Words, coupons: Iterable[CouponSku] = ()) -> None:
        self.words = WordList(words)
        self.coupons = {coupon.sku: coupon for coupon in coupons}
        self.fields: dict[str, tuple[FieldLimit, re.Pattern[str]]] = {
            limit.type: (limit, re.compile(limit.pattern)) for limit in limits.fields
        }
        self.texts: dict[tuple[str, str], TextLimit] = {
            (limit.channel, limit.part): limit for limit in limits.texts
        }


class Admission(NamedTuple):
    admitted: list[Variant]
    refused: list[tuple[Variant, list[Fault]]]


def admit(template: Template, variants: Iterable[Variant], rules: Rules) -> Admission:
    """Which of the wordings may become arms of the template; its own `variants` are not asked."""
    admission = Admission([], [])
    taken = set[str]()
    for variant in variants:
        faults = check_variant(variant, template, rules)
        if variant.id in taken:
            where = f"templates[{template.id}].variants[{variant.id}]"
            faults.append(
                Fault("DUPLICATE", where, f"{variant.id} stands twice", "give it an id of its own")
            )
        taken.add(variant.id)
        if faults:
            admission.refused.append((variant, faults))
        else:
            admission.admitted.append(variant)
    return admission


def check_variant(
    variant: Variant, template: Template, rules: Rules, *, neutral: bool = False
) -> list[Fault]:
    """Every fault of a wording of this template, in the order of its texts. Never raises."""
    place = "neutral" if neutral else f"variants[{variant.id}]"
    where = f"templates[{template.id}].{place}"
    faults = [Fault(p.code, where, p.message, p.remedy) for p in _form(variant, template, rules)]
    readings = []
    for path, text in _texts(variant):
        reading = read(text)
        readings.append(reading)
        problems = [*reading.problems, *_holes(reading, template), *_said(text, template, rules)]
        if path.startswith("fields."):
            key = path.removeprefix("fields.")
            problems += _field_problems(key, variant.fields[key], reading, rules)
        else:
            problems += _length_problems(path, reading, template, rules)
        faults += [Fault(p.code, f"{where}.{path}", p.message, p.remedy) for p in problems]
    personal = [gap.name for reading in readings for gap in reading.gaps if gap.slot.personal]
    faults += [
        Fault(p.code, where, p.message, p.remedy)
        for p in _neutrality(variant, personal, neutral=neutral)
    ]
    return faults


def _texts(variant: Variant) -> Iterator[tuple[str, str]]:
    if variant.title:
        yield "title", variant.title
    if variant.text:
        yield "text", variant.text
    for key, field in variant.fields.items():
        yield f"fields.{key}", field.text


def _form(variant: Variant, template: Template, rules: Rules) -> Iterator[Problem]:
    """What the channels need, and what must stand somewhere in what each of them shows."""
    keyed = [channel for channel in template.channels if channel in KEYED_CHANNELS]
    free = [channel for channel in template.channels if channel not in KEYED_CHANNELS]
    if keyed and not variant.fields:
        yield Problem("EMPTY", f"{keyed[0]} takes fields and there are none", "add fields")
    if free and not variant.text.strip():
        yield Problem("EMPTY", f"{free[0]} takes a text and there is none", "add text")
    types = {key: field.type for key, field in variant.fields.items()}
    first = {key: field.type for key, field in template.variants[0].fields.items()}
    if keyed and types and types != first:
        yield Problem(
            "FIELD_TYPE",
            f"its fields are {', '.join(types)}, the template's {', '.join(first)}",
            "all wordings of a template fill the same fields: WeChat knows no others",
        )
    shown = []
    if keyed and variant.fields:
        shown.append("\n".join(field.text for field in variant.fields.values()))
    if free and variant.text:
        shown.append(f"{variant.title}\n{variant.text}")
    for text in shown:
        yield from rules.words.missing(text, template.kind, template.category)


def _holes(reading: Reading, template: Template) -> Iterator[Problem]:
    for gap in reading.gaps:
        if gap.default is None and template.kind not in gap.slot.known_for:
            yield Problem(
                "NO_DEFAULT",
                f"{{{gap.name}}} may be missing",
                f"write {{{gap.name}|what to say instead}}",
            )


def _said(text: str, template: Template, rules: Rules) -> Iterator[Problem]:
    yield from rules.words.banned(_with_defaults(text), template.category)
    plain = unicodedata.normalize("NFKC", without_slots(_with_defaults(text)))
    for found in _PLAIN_LINK.finditer(plain):
        yield Problem("LINK", f"{found.group()} is not https", "link by https:// or by `page`")
    # 138-0013-8000 and 138 0013 8000 are read as one number.
    for found in _PHONE.finditer(re.sub(r"(?<=\d)[\s·.-](?=\d)", "", plain)):
        yield Problem(
            "PHONE", f"{found.group()} looks like a telephone number", "offer the service chat"
        )
    if template.kind == "coupon":
        yield from coupon_problems(text, rules.coupons.get(template.coupon))
    else:
        yield from promise_problems(text)


def _with_defaults(text: str) -> str:
    """Defaults are said too."""
    return "".join(
        (part.default or "。") if isinstance(part, Gap) else part for part in read(text).parts
    )


def _field_problems(key: str, field: Field, reading: Reading, rules: Rules) -> Iterator[Problem]:
    if field.type not in rules.fields:
        known = ", ".join(sorted(rules.fields))
        yield Problem("FIELD_TYPE", f"there is no field type {field.type}", f"use one of {known}")
        return
    limit, pattern = rules.fields[field.type]
    if not re.fullmatch(rf"{re.escape(field.type)}\d{{1,2}}", key):
        yield Problem(
            "FIELD_TYPE",
            f"{key} is no key of a {field.type} field",
            f"name it as WeChat does: {field.type}1",
        )
    for sample in _samples(reading):
        if len(sample) > limit.most:
            yield Problem(
                "TOO_LONG",
                f"up to {len(sample)} characters, {field.type} takes {limit.most} ({sample})",
                "shorten it, or cut a value by {name:12}",
            )
        elif not pattern.fullmatch(sample):
            yield Problem(
                "FIELD_TYPE",
                f"{field.type} does not take {sample!r}",
                "choose another field type or another value",
            )


def _length_problems(
    part: str, reading: Reading, template: Template, rules: Rules
) -> Iterator[Problem]:
    longest = _longest(reading)
    for channel in template.channels:
        limit = rules.texts.get((channel, part))
        if limit is None or channel in KEYED_CHANNELS:
            continue
        length = len(longest.encode()) if limit.unit == "bytes" else len(longest)
        if length > limit.most:
            yield Problem(
                "TOO_LONG",
                f"up to {length} {limit.unit}, {channel} takes {limit.most}",
                "shorten it, or cut a value by {name:12}",
            )


def _neutrality(variant: Variant, personal: list[str], *, neutral: bool) -> Iterator[Problem]:
    if neutral and (personal or variant.personalised):
        yield Problem(
            "NOT_NEUTRAL",
            f"the neutral wording tells of the person: {', '.join(personal) or 'it is marked so'}",
            "use no slot of the person, and personalised = false",
        )
    elif personal and not variant.personalised:
        yield Problem(
            "NOT_NEUTRAL",
            f"it tells of the person: {', '.join(personal)}",
            "mark it personalised = true",
        )


def _longest(reading: Reading) -> str:
    return "".join(
        max(_value(part, _LONGEST), part.default or "", key=len) if isinstance(part, Gap) else part
        for part in reading.parts
    )


def _samples(reading: Reading) -> list[str]:
    """The text at its longest, at its shortest, and with the defaults where there are any."""
    shortest, by_default = (
        "".join(
            part
            if isinstance(part, str)
            else _value(part, _SHORTEST)
            if part.default is None or not defaults
            else part.default
            for part in reading.parts
        )
        for defaults in (False, True)
    )
    return list(dict.fromkeys((_longest(reading), shortest, by_default)))


def _value(gap: Gap, samples: dict[str, str]) -> str:
    return samples[gap.slot.type][: gap.most]
