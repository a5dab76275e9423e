"""A small library to check wordings against, and the shipped one."""

from functools import cache
from pathlib import Path
from typing import Any

from streams.content_files import load_library
from streams.contract.content import CouponSku, Field, Library, Template, Variant
from streams.engine.content.checking import Rules, check_variant
from streams.engine.content.library import rules_of

SHIPPED = Path(__file__).parents[3] / "deploy" / "content"
CART10 = CouponSku(
    sku="CART10",
    title="满99减10元券",
    face_value_fen=1_000,
    cost_fen=1_000,
    least_order_fen=9_900,
    valid_ms=172_800_000,
)


@cache
def shipped() -> Library:
    return load_library(SHIPPED)


@cache
def rules() -> Rules:
    return rules_of(shipped())


def template(**changes: Any) -> Template:
    plain: dict[str, Any] = {
        "id": "t",
        "kind": "message",
        "purpose": "service",
        "channels": ["customer_service"],
        "variants": [Variant(id="a", text="您好")],
    }
    return Template(**(plain | changes))


def codes(text: str, **changes: Any) -> list[str]:
    """The faults of a text in a template changed so; personal slots are allowed."""
    variant = Variant(id="b", text=text, personalised=True)
    return [fault.code for fault in check_variant(variant, template(**changes), rules())]


def keyed(**texts: str) -> tuple[Template, Variant]:
    """A template of a mini-programme and a wording of it: thing1="..." is a field of type thing."""
    fields = {key: Field(type=key.rstrip("0123456789"), text=text) for key, text in texts.items()}
    variant = Variant(id="b", fields=fields, personalised=True)
    return template(channels=["mini_programme"], kind="coupon", variants=[variant]), variant


def field_codes(**texts: str) -> list[str]:
    made, variant = keyed(**texts)
    return [fault.code for fault in check_variant(variant, made, rules())]
