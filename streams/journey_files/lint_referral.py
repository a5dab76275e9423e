"""The rules of lint about rewards for bringing people: what the platform and the law allow.

WeChat forbids rewarding a share or an invitation as such; Chinese law forbids rewards over several
levels. So a coupon may follow only people who were brought and ordered (`invited_converted`), one
level up, and not without end.
"""

from collections.abc import Iterator
from typing import Final

from streams.engine.journeys.compiled import Journey
from streams.journey_files.findings import Finding

SHARE: Final = "share.initiated"
INVITED, CONVERTED = ("profile", "invited"), ("profile", "invited_converted")


def lint_referral(journey: Journey) -> Iterator[Finding]:
    spec = journey.spec
    gives = any(send.coupon for step in spec.steps for send in (*step.arms, step.send) if send)
    if not gives:
        return
    for place in _rewarded(journey):
        yield Finding(
            "INDUCEMENT",
            place,
            "a coupon follows sharing or inviting itself, which WeChat forbids",
            "let it follow profile.invited_converted: people who were brought and ordered",
        )
    follows = [place for place, one in journey.expressions if CONVERTED in one.paths]
    uncapped = not spec.entry.reentry.max
    budget = spec.budget.person
    if follows and (uncapped or budget is None or not budget.fen):
        missing = "entry.reentry.max" if uncapped else "budget.person.fen"
        yield Finding(
            "REFERRAL_UNCAPPED",
            missing,
            f"{follows[0]} rewards people who were brought, without end",
            "set entry.reentry with max and per, and budget.person with fen and per",
        )


def _rewarded(journey: Journey) -> Iterator[str]:
    """Places where sharing or inviting leads on, before or at a coupon."""
    if SHARE in journey.on:
        yield "entry.on"
    for step in journey.steps:
        if SHARE in step.waits_on:
            yield f"step.{step.id}.wait_for"
    for place, expression in journey.expressions:
        asks = any(SHARE in map(str, arguments) for _, arguments in expression.calls)
        if asks or INVITED in expression.paths:
            yield place
