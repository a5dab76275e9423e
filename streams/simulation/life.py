"""What people do when its time has come, written down as events and handed to the transport."""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from streams.contract.events import ACTIVITY
from streams.contract.triggers import Trigger
from streams.simulation.chance import keyed
from streams.simulation.hazard import DAY_MS, Blow
from streams.simulation.person import Coupon, Offer, Person, sources
from streams.simulation.responses import GOODWILL, Answer, annoyance
from streams.simulation.scenarios.scenario import Scenario
from streams.simulation.steps import STEPS, tables_of
from streams.simulation.transport import Transport
from streams.simulation.visit import Draft, FollowUp, Visit

CONSENT_VERSION = "2026-10"
STRAGGLERS = 2  # events that arrive after the request to forget them
STRAGGLE_MS = 2_400_000
PUSH_SOURCE = "push:service"
BUYS_WITH_COUPON = 0.6  # of those who came because of it

Schedule = Callable[[int, int, str, Any], None]  # (time, person, what, with what)


class Planned(NamedTuple):
    """A visit of a local day; `privacy` is "", "withdraw" or "erase"."""

    day: int
    number: int
    bits: int
    privacy: str = ""


class Reply(NamedTuple):
    trigger: Trigger
    answer: Answer
    bits: int


class Life:
    """Carries out what is due, one thing at a time, in order of time."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: str,
        start_ms: int,
        people: list[Person],
        transport: Transport,
        schedule: Schedule,
    ) -> None:
        self._scenario = scenario
        self._tables = tables_of(scenario)
        self._start_ms = start_ms
        self._people = people
        self._transport = transport
        self._schedule = schedule
        self._tag = f"{keyed('run', seed, scenario.name) & 0xFFFFFF:06x}"
        self._mini, self._account = sources(scenario.name)
        self._payment = f"wxpay:{keyed('merchant', scenario.name) % 10**10}"
        self._names = [category.name for category in scenario.categories]
        self._acts: dict[str, Callable[[Person, int, Any], None]] = {
            "join": self._join,
            "visit": self._visit,
            "unfollow": self._unfollow,
            "event": self._follow_up,
            "rating": self._follow_up,
            "answer": self._answer,
        }

    def act(self, person: Person, at_ms: int, what: str, details: Any) -> None:
        self._acts[what](person, at_ms, details)

    def _join(self, person: Person, at_ms: int, planned: Planned) -> None:
        rng = Random(planned.bits)
        visit = self._begin(person, rng, at_ms, planned)
        person.joined_ms = at_ms
        visit.account = True
        if len(person.ids) > 1:
            (_, _), (other, other_source) = person.ids
            linked = {"other": other, "other_source": other_source, "method": "phone"}
            visit.drafts.append(Draft(at_ms, "identity.linked", linked, False))
            visit.now_ms += 400
        followed: dict[str, Any] = {"scene_id": f"scene-{1 + int(rng.random() * 12)}"}
        if rng.random() < self._scenario.invited and person.index:
            followed["invited_by"] = self._people[int(rng.random() * person.index)].ids[0][0]
        else:
            followed["via_qr"] = rng.random() < 0.6
        visit.emit("user.followed", followed)
        visit.now_ms += 2_000
        if person.consents:
            visit.emit("consent.granted", {"purpose": "marketing", "version": CONSENT_VERSION})
            visit.now_ms += 1_000
        if person.attributes:
            told = {"attributes": person.attributes, "provenance": "form"}
            visit.emit("user.attributes_given", told | {"consent_version": CONSENT_VERSION})
            visit.now_ms += 15_000
        visit.browse(self._tables)
        self._end(visit, rng)

    def _visit(self, person: Person, at_ms: int, planned: Planned) -> None:
        if person.is_gone(at_ms):
            return
        rng = Random(planned.bits)
        visit = self._begin(person, rng, at_ms, planned)
        if person.offer is not None:
            if at_ms < person.offer.expires_at_ms:
                self._claim(visit, person.offer.coupon)
            person.offer = None
        visit.browse(self._tables)
        if planned.privacy == "withdraw" and person.consents:
            person.consents = False
            withdrawn = {"purpose": "marketing", "version": CONSENT_VERSION}
            visit.emit("consent.withdrawn", withdrawn)
        erases = planned.privacy == "erase"
        if erases:
            person.leave(planned.day, visit.now_ms, "erased")
            person.erased_ms = visit.now_ms
            visit.emit("user.erasure_requested", {"reason": "request"})
        self._end(visit, rng, stragglers=STRAGGLERS if erases else 0)

    def _unfollow(self, person: Person, at_ms: int, planned: Planned) -> None:
        rng = Random(planned.bits)
        visit = self._begin(person, rng, at_ms, planned)
        visit.account = True
        visit.emit("user.unfollowed", {})
        self._end(visit, rng)

    def _follow_up(self, person: Person, at_ms: int, follow_up: FollowUp) -> None:
        order_id = follow_up.data["order_id"]
        rng = Random(keyed(order_id, follow_up.type))
        visit = Visit(self._scenario, person, rng, at_ms, f"{order_id}-{follow_up.type}")
        if person.erased_ms or (follow_up.kind == "rating" and person.is_gone(at_ms)):
            return
        if follow_up.kind == "event":
            visit.emit(follow_up.type, follow_up.data)
        else:
            visit.index = self._names.index(follow_up.data["category"])
            visit.rate(order_id, follow_up.data["item_id"], slow=follow_up.slow)
        visit.first_category = ""
        self._end(visit, rng)

    def _answer(self, person: Person | None, at_ms: int, reply: Reply) -> None:
        answer, trigger = reply.answer, reply.trigger
        if answer.kind == "push":
            self._push_result(person, at_ms, reply)
        elif person is None or (person.left_day is not None and person.left_how != "silent"):
            return
        elif answer.kind == "annoyed":
            person.annoyances.append(Blow(at_ms, annoyance(person)))
        elif answer.kind == "claim" and answer.type == "later":
            person.offer = Offer(_coupon(trigger), trigger.expires_at_ms)
        elif answer.kind == "unfollow":
            day = (at_ms - self._start_ms - person.nature.shift_ms) // DAY_MS
            person.leave(day, at_ms, "unfollow")
            self._unfollow(person, at_ms, Planned(day, 0, reply.bits))
        else:
            self._come(person, at_ms, reply)

    def _come(self, person: Person, at_ms: int, reply: Reply) -> None:
        """A visit caused by a trigger."""
        answer, rng = reply.answer, Random(reply.bits)
        if person.left_day is not None:
            person.come_back()
        name = f"{self._tag}{person.index:x}-{reply.bits & 0xFFFFFFFFFF:x}"
        visit = Visit(self._scenario, person, rng, at_ms, name)
        if answer.kind == "claim":
            self._claim(visit, _coupon(reply.trigger))
            person.disappointments.append(Blow(at_ms, GOODWILL))
        elif answer.kind == "read":
            if answer.code in self._names:
                visit.index = self._names.index(answer.code)
            STEPS["article.read"](visit)
            visit.now_ms += 30_000
            visit.browse(self._tables, steps=1)
        elif answer.type == "cart":
            if person.cart is not None:
                visit.index = self._names.index(person.cart.category)
                visit.check_out(person.cart.item, person.cart.price_fen)
        else:
            visit.browse(self._tables, steps=2)
            item, price_fen = visit.item()
            if price_fen and rng.random() < BUYS_WITH_COUPON:
                visit.check_out(item, price_fen)
        self._end(visit, rng)

    def _claim(self, visit: Visit, coupon: Coupon) -> None:
        visit.person.coupon = coupon
        claimed = {
            "coupon_id": coupon.coupon_id,
            "sku": coupon.sku,
            "trigger_id": coupon.trigger_id,
        }
        visit.emit("coupon.claimed", claimed | {"face_value_fen": coupon.face_value_fen})
        visit.now_ms += 5_000

    def _push_result(self, person: Person | None, at_ms: int, reply: Reply) -> None:
        trigger, answer = reply.trigger, reply.answer
        data = {"trigger_id": trigger.trigger_id, "channel": trigger.channel}
        data["state"] = answer.type.partition(".")[2]
        if answer.code:
            data["code"] = answer.code
        self._send(
            person,
            Random(reply.bits),
            {
                "specversion": "1.0",
                "id": f"{trigger.trigger_id}-{data['state']}",
                "source": PUSH_SOURCE,
                "type": answer.type,
                "subject": f"user:{trigger.user_id}",
                "time_ms": at_ms,
                "brand": self._scenario.brand,
                "data": data,
            },
        )

    def _begin(self, person: Person, rng: Random, at_ms: int, planned: Planned) -> Visit:
        name = f"{self._tag}{person.index:x}-{planned.day}-{planned.number}"
        return Visit(self._scenario, person, rng, at_ms, name)

    def _end(self, visit: Visit, rng: Random, *, stragglers: int = 0) -> None:
        """Send what the visit wrote, and note what follows from it."""
        person = visit.person
        if visit.first_category:
            person.visits.append((visit.drafts[0].at_ms, visit.first_category))
        for follow_up in visit.follow_ups:
            self._schedule(follow_up.at_ms, person.index, follow_up.kind, follow_up)
        two_ids = len(person.ids) > 1
        subject, source = person.ids[0]
        name, brand = visit.name, self._scenario.brand
        straggling = range(len(visit.drafts) - 1 - stragglers, len(visit.drafts) - 1)
        for number, (at_ms, type, data, account) in enumerate(visit.drafts):
            if two_ids:
                subject, source = person.ids[account]
            elif type == "payment.succeeded":
                source = self._payment
            else:
                source = self._account if account else self._mini
            envelope = {
                "specversion": "1.0",
                "id": f"{name}-{number}",
                "source": source,
                "type": type,
                "subject": subject,
                "time_ms": at_ms,
                "brand": brand,
                "data": data,
            }
            self._send(person, rng, envelope, STRAGGLE_MS if number in straggling else 0)

    def _send(
        self, person: Person | None, rng: Random, envelope: dict[str, Any], least_ms: int = 0
    ) -> None:
        accepted = self._transport.send(envelope, rng, least_ms)
        if accepted and person is not None and envelope["type"] in ACTIVITY:
            person.activity_ms.append(envelope["time_ms"])


def _coupon(trigger: Trigger) -> Coupon:
    sku, face_value_fen = "", 0
    if trigger.coupon is not None:
        sku, face_value_fen = trigger.coupon.sku, trigger.coupon.face_value_fen
    coupon_id = f"c{keyed('coupon', trigger.trigger_id):016x}"
    return Coupon(coupon_id, trigger.trigger_id, sku, face_value_fen)
