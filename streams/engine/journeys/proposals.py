"""What a step would send: its arms with coupon, content and filled texts, for one person.

A template without a variant's name takes its first; `cart_remind/b` names one, and `cart_remind/*`
in a `decide` step makes an arm of each. Who refused personalisation gets the neutral wording.
"""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec.structs import replace

from streams.contract.content import Article, Goods
from streams.contract.journeys import Arm
from streams.contract.triggers import Content, Contribution, Coupon, Message
from streams.engine.content.filling import TEMPLATE_ERROR, CompiledVariant, Hole, fill
from streams.engine.content.library import (
    CompiledTemplate,
    Shelf,
    ad_values,
    article_values,
    coupon_values,
    goods_values,
    id_of,
    is_offered,
)
from streams.engine.features import features
from streams.engine.insight import Insight
from streams.engine.journeys.compiled import CompiledStep, Journey
from streams.engine.journeys.journey import Due, Proposal
from streams.engine.journeys.values import Values
from streams.engine.journeys.view import View
from streams.engine.models.recommend import RecommendModel
from streams.engine.state import UserState

EVERY_VARIANT: Final = "*"


class Proposer:
    """`put` gives it the content library in force."""

    def __init__(
        self,
        insight: Insight,
        shelf: Shelf,
        personalised: Callable[[UserState], bool],
        *,
        brand: str,
        zone: str,
    ) -> None:
        self._insight = insight
        self._personalised = personalised
        self._brand = brand
        self._zone = zone
        self.shelf = shelf
        self._by_category: dict[str, Article] = {}
        self._pieces: dict[str, str] = {}  # what can be recommended, by its category
        self.put(shelf)

    def put(self, shelf: Shelf) -> None:
        """Another library is in force from now on."""
        self.shelf = shelf
        self._by_category = {}
        for article in shelf.articles.values():
            self._by_category.setdefault(article.category, article)
        pieces: list[Goods | Article] = [*shelf.goods.values(), *shelf.articles.values()]
        self._pieces = {id_of(piece): piece.category for piece in pieces}

    def score(self, journey: Journey, view: View) -> float:
        """The model's score that the entry condition asks for, 0 where it asks for none."""
        if journey.scores == "interest":
            category = view.moment.category
            return self._insight.interest(view.state, category, view.now_ms) if category else 0.0
        if journey.scores:
            return self._insight.score(journey.scores, view.moment.person, view.now_ms)
        return 0.0

    def due(self, journey: Journey, step: CompiledStep, view: View) -> Due:
        """The step as the policy takes it; the stage names the decision."""
        instance, moment, state = view.instance, view.moment, view.state
        assert instance is not None, "only somebody inside has a step"
        personal = self._personalised(state)
        category = str(instance.entry.get("category", ""))
        arms: list[Proposal] = []
        for arm in step.arms:
            eligible = bool(arm.when(view))
            for spec in self._expanded(arm.spec):
                arms.append(self._proposal(spec, view, eligible=eligible, personal=personal))
        return Due(
            moment=moment,
            journey=journey.rules,
            step=step.id,
            decision_id="",
            cause_event_id=instance.cause_event_id,
            arms=arms,
            chooser=step.chooser,
            floor=step.floor,
            expires_ms=step.expires_ms,
            reason=journey.spec.reason or journey.name.upper(),
            score=self.score(journey, view),
            top=self._why(journey, view),
            instance=instance,
            features=features(state, self._insight, category, view.now_ms)
            if step.kind == "decide"
            else (),
        )

    def suppose(self, due: Due) -> Due:
        """For who only asks before there is an entry event: what lacks nothing but the event's
        values counts as filled."""
        for arm in due.arms:
            template = self.shelf.templates.get(arm.template_id)
            lacks = (arm.kind == "coupon" and arm.coupon is None) or (
                arm.kind == "ad" and not arm.ad_id
            )
            if not arm.problem or lacks or (arm.template_id and template is None):
                continue
            arm.problem = ""
            if template is not None:
                arm.channels = tuple(template.template.channels)
        return due

    def _why(self, journey: Journey, view: View) -> list[Contribution]:
        return self._insight.why(journey.scores, view.moment.person, view.now_ms)

    def _expanded(self, arm: Arm) -> Iterator[Arm]:
        name, slash, variant = arm.template.partition("/")
        template = self.shelf.templates.get(name)
        if not slash or variant != EVERY_VARIANT or template is None:
            yield arm
            return
        for each in template.variants:
            yield replace(arm, id=f"{arm.id}_{each}", template=f"{name}/{each}")

    def _proposal(self, arm: Arm, view: View, *, eligible: bool, personal: bool) -> Proposal:
        proposal = Proposal(arm=arm.id, weight=arm.weight, eligible=eligible)
        if not arm.sends:
            return proposal
        proposal.kind = arm.kind
        proposal.channels = () if arm.channel == "auto" else tuple(arm.channel)
        proposal.template_id = arm.template.partition("/")[0]
        entry = view.entry
        proposal.category = str(entry.get("category", ""))
        proposal.item_id = str(entry.get("item_id", ""))
        if proposal.item_id:
            proposal.content = Content(proposal.category, proposal.item_id)
        values = Values(view, self.shelf, self._insight, brand=self._brand, zone=self._zone)
        if arm.coupon:
            sku = self.shelf.coupons.get(arm.coupon)
            if sku is None:
                proposal.problem = TEMPLATE_ERROR
                return proposal
            proposal.coupon = Coupon(sku.sku, sku.face_value_fen, sku.cost_fen)
            values.put(coupon_values(sku))
            until_ms = view.now_ms + sku.valid_ms
            values.put({"coupon.until": values.day(until_ms).date().isoformat()})
        if arm.show:
            self._show(arm.show, proposal, values)
        if arm.ad:
            ad = self.shelf.ads.get(arm.ad)
            if ad is None:
                proposal.problem = TEMPLATE_ERROR
                return proposal
            proposal.ad_id = ad.ad_id
            values.put(ad_values(ad))
        if arm.template:
            self._fill(arm.template, proposal, values, personal=personal)
        return proposal

    def _fill(self, name: str, proposal: Proposal, values: Values, *, personal: bool) -> None:
        found = self._variant(name, personal=personal)
        if found is None:
            proposal.problem = TEMPLATE_ERROR
            return
        template, variant = found
        proposal.personalised = variant.personalised
        allowed = template.template.channels
        for channel in proposal.channels or allowed:
            if channel not in allowed:
                continue
            filled = fill(variant, values, channel)
            if not isinstance(filled, Hole):
                proposal.messages[channel] = Message(template.template.id, filled.params)
        if proposal.channels:  # else the policy chooses among those that have a wording
            proposal.channels = tuple(proposal.messages)
        if not proposal.messages:
            proposal.problem = TEMPLATE_ERROR

    def _variant(
        self, name: str, *, personal: bool
    ) -> tuple[CompiledTemplate, CompiledVariant] | None:
        template_id, _, variant_id = name.partition("/")
        template = self.shelf.templates.get(template_id)
        if template is None:
            return None
        if not personal and template.neutral is not None:
            return template, template.neutral
        named = variant_id and variant_id != EVERY_VARIANT
        first = next(iter(template.variants.values()))
        variant = template.variants.get(variant_id) if named else first
        if variant is not None and variant.personalised and not personal:
            return None
        return None if variant is None else (template, variant)

    def _recommended(self, values: Values) -> str:
        """The piece of the library that suits the person best, or everybody where the person
        refused personalisation; empty where nothing does. Goods out of their time are left out."""
        state, now_ms = values.view.state, values.view.now_ms
        model = self._insight.model(RecommendModel)
        pieces = {
            item_id: category
            for item_id, category in self._pieces.items()
            if item_id not in self.shelf.goods or is_offered(self.shelf.goods[item_id], now_ms)
        }
        personal = self._personalised(state)
        found = model.match(state, pieces, now_ms, 1, personal=personal)
        return found[0].item_id if found else ""

    def _show(self, what: str, proposal: Proposal, values: Values) -> None:
        category, item_id = proposal.category, proposal.item_id
        if what == "interest":
            category = values.strongest()
            item_id = ""
        elif what == "recommended":
            what = self._recommended(values)
            if what in self.shelf.goods:
                values.put(goods_values(self.shelf.goods[what]))
        article = self.shelf.articles.get(what)
        if article is not None:
            category, item_id = article.category, article.article_id
        elif what in self.shelf.goods:
            category, item_id = self.shelf.goods[what].category, what
        elif not item_id:
            article = self._by_category.get(category)
            item_id = article.article_id if article is not None else ""
        if article is not None:
            values.put(article_values(article))
        proposal.category, proposal.item_id = category, item_id
        if not category:
            proposal.problem = TEMPLATE_ERROR
            return
        proposal.content = Content(category, item_id)
