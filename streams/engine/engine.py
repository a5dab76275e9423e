"""The engine: records in, outcomes out. `_observe` shows every stage in the order an event meets
them.

Pure: time comes with the records, chance is a keyed hash, effects are values. The sum of the
fates equals the inputs: every event and rejection that is not a redelivery ends in exactly one of
them. Mail is input forwarded by another partition; it is counted here, where it is applied, and
there as forwarded.
"""

import msgspec

from streams.contract.dead_letters import DeadLetter
from streams.contract.events import TYPES
from streams.contract.records import Control, Mail, Observed, Record, Rejected, Tick
from streams.engine import chance
from streams.engine.choosers import Choosers
from streams.engine.cleaning.cleaning import Cleaning
from streams.engine.cleaning.duplicates import fingerprint
from streams.engine.config import Config
from streams.engine.content.library import Shelf
from streams.engine.deciding import Decisions
from streams.engine.identity import ERASURE, LINKED, Identity
from streams.engine.insight import Insight
from streams.engine.journeys.book import Book
from streams.engine.journeys.journey import Due
from streams.engine.journeys.proposals import Proposer
from streams.engine.journeys.stage import JourneyStage
from streams.engine.journeys.vocabulary import Vocabulary
from streams.engine.labels import ANSWERS, answered
from streams.engine.ledger import COUNTED_AS, COUNTS_KEY, Ledger
from streams.engine.models.model import Surroundings
from streams.engine.money import Money
from streams.engine.outcome import SILENT, Effect, Outcome
from streams.engine.people import People
from streams.engine.policy.stage import PolicyStage
from streams.engine.pricing import Prices
from streams.engine.profile.portrait import Portraits
from streams.engine.profile.stage import ProfileStage
from streams.engine.publishing import Publishing
from streams.engine.results import READ, Results
from streams.engine.store import Store
from streams.engine.timers import Timers

REPORT_EVERY_MS = 3_600_000  # of one journey; and at the first news after it


class Engine:
    """`store` holds the people; `rows` of everything else are reached by key."""

    def __init__(self, config: Config, *, partition: int, store: Store) -> None:
        seed = chance.key_of(config.seed)
        self.config = config
        self.store = store
        self.ledger = ledger = Ledger(store.changed)
        counts, changed = ledger.counts, store.changed
        self.people = People(store, ledger.clock, partition=partition, partitions=config.partitions)
        self.cleaning = Cleaning(config.late_ms, counts, changed)
        self.insight = Insight(config, self._surroundings(config, seed, partition))
        zone, decisions = config.policy.quiet.zone, Decisions(seed, config.tenant, counts)
        self.money = Money(self.people, changed, partition=partition, partitions=config.partitions)
        purse = self.money.purse
        self.prices = Prices(purse, changed, partitions=config.partitions)
        self.choosers = Choosers(changed, self.prices.of)
        self.results = Results(
            self.choosers, changed, partition=partition, every_ms=REPORT_EVERY_MS
        )
        self.results.teach = self.insight.closed
        self.policy = PolicyStage(
            config,
            seed,
            decisions,
            counts,
            changed,
            choose=self.choosers.choose,
            budget=purse,
            suspicion=self.insight.suspicion,
        )
        self.book = Book(config.journeys, Vocabulary(self.insight, zone), changed)
        proposer = Proposer(
            self.insight,
            Shelf(config.content),
            self.policy.personalised,
            brand=config.brand,
            zone=zone,
        )
        self._profile = ProfileStage(config, counts)
        self.journeys = JourneyStage(self.book, proposer, self.results, decisions, zone=zone)
        self.publishing = Publishing(
            book=self.book,
            policy=self.policy,
            proposer=proposer,
            money=self.money,
            changed=changed,
            partition=partition,
            zone=zone,
        )
        self.insight.untouched = self.policy.untouched
        self._portraits = Portraits(config, self.insight, self.policy.is_held)
        self._timers = Timers(
            config,
            seed,
            store,
            insight=self.insight,
            decide=self._decide,
            forget=self.policy.forget,
            journeys=self.journeys,
            results=self.results,
            portraits=self._portraits,
        )
        self._identity = Identity(
            seed,
            store,
            self.people,
            insight=self.insight,
            journeys=self.journeys,
            timers=self._timers,
            portraits=self._portraits,
        )

    def _surroundings(self, config: Config, seed: bytes, partition: int) -> Surroundings:
        return Surroundings(
            config,
            seed,
            partition=partition,
            partitions=config.partitions,
            letter=lambda to, body: self.people.letter(to, "model", body),
            changed=self.store.touch,
            find=self.store.get,
            stands_for=self.people.stands_for,
            counted=self.ledger.count,
            holidays=lambda: self.policy.terms.holidays,
        )

    def handle(self, record: Record) -> Outcome:
        """Fold one record: first what is due by its time, then the record."""
        clock = self.ledger.clock
        clock.now_ms = max(clock.now_ms, record.at_ms)
        self.store.changed[COUNTS_KEY] = None
        effects: list[Effect] = []
        if self.store.soonest_ms() <= clock.now_ms:
            self._timers.fire(clock.now_ms, effects)
        if isinstance(record, Observed):
            fate = self._event(record, effects)
        elif isinstance(record, Tick):
            fate = self._note("record.tick", "")
        elif isinstance(record, Rejected):
            fate = self._rejected(record, effects)
        elif isinstance(record, Mail):
            fate = self._mail(record, effects)
        elif isinstance(record, Control):
            fate = self._control(record, effects)
        else:
            raise ValueError("a second genesis record: a log has one, at its beginning")
        effects += self.money.settle(clock.now_ms)
        effects += self.insight.settle(clock)
        if self.results.next_due_ms() <= clock.now_ms:
            effects += self.results.reports(clock.now_ms)
        return Outcome(fate, tuple(effects)) if effects else SILENT[fate]

    def next_due_ms(self) -> int:
        """When money, reports or models have something to do, beside the timers of people."""
        return min(
            self.money.purse.next_due_ms(), self.results.next_due_ms(), self.insight.next_due_ms()
        )

    def _event(self, event: Observed, effects: list[Effect]) -> str:
        counts = self.ledger.counts
        counts["record.event"] += 1
        if self.ledger.is_new(event.origin):
            counts["input"] += 1
            fate = self._observe(event, [], effects)
        else:
            fate = "redelivered"
        counts[COUNTED_AS[fate]] += 1
        return fate

    def _observe(self, event: Observed, path: list[str], effects: list[Effect]) -> str:
        people, now_ms, user_id = self.people, self.ledger.clock.now_ms, event.alias
        # person: whom the event is about, by merges and erasures
        if people.knows(user_id):
            if people.is_forgotten(event):
                return "erased"
            user_id = people.follow(user_id, path)
            if not people.is_here(user_id):
                effects.append(people.forward(event, user_id, path))
                return "forwarded"
        person = self.store.get(user_id)
        # clean: duplicate or late, or else values typed, missing ones imputed, outliers clipped
        mark = fingerprint(event.source, event.id, event.time_ms)
        fate = self.cleaning.fate(event, mark, person, now_ms)
        if fate:
            return fate
        if event.type == ERASURE:
            moment = None if person is None else self.cleaning.clean(event, person, now_ms)
            if person is not None:
                effects += self.insight.forget(person, now_ms)
            effects += self._identity.erase(moment, user_id, event.time_ms, now_ms)
            return "applied"
        is_first = person is None
        if person is None:
            person = self.store.create(user_id, self._identity.new_state(user_id, event.time_ms))
        moment = self.cleaning.clean(event, person, now_ms)
        # profile, labels, models
        self._profile.update(moment, mark)
        if moment.type in ANSWERS:
            answered(moment, self.ledger.counts)
            if self.results.answered(moment):
                self.policy.answered(moment.data.channel, moment.type)
        elif moment.type == READ and person.state.pending:
            self.results.read(moment)
        if moment.type in self.policy.listens:
            self.policy.heard(moment)
        self.insight.learn(moment, effects)
        if moment.type == LINKED:
            effects += self._identity.link(person, event.data.other, event.time_ms, now_ms)
        # journeys propose, policy decides
        if self.journeys.concerns(moment):
            self._decide(self.journeys.ask(moment, effects), effects)
        # outcome
        if moment.material or is_first:
            effects.append(self._portraits.of(person, now_ms))
        self.store.touch(person)
        self._timers.follow(moment)
        return "applied"

    def _decide(self, due: list[Due], effects: list[Effect]) -> None:
        """Policy and journeys take turns until everybody waits or has ended."""
        while due:
            for one in due:
                if one.features:  # arms are compared, so what money is worth matters
                    self.prices.review(one.journey.name, one.moment.now_ms)
            due = self.journeys.settled(self.policy.decide(due, effects), effects)

    def _control(self, command: Control, effects: list[Effect]) -> str:
        self.ledger.count("record.control")
        if self.ledger.is_new(command.origin):
            effects += self.publishing.apply(command, self.ledger.clock.now_ms)
        return ""

    def _rejected(self, record: Rejected, effects: list[Effect]) -> str:
        ledger, origin = self.ledger, record.origin
        ledger.count("record.rejected")
        if not ledger.is_new(origin):
            return self._note("fate.redelivered", "redelivered")
        ledger.count("input")
        ledger.count("reject." + record.reason)
        effects.append(dead_letter(record))
        return self._note("fate.dead_lettered", "dead_lettered")

    def _mail(self, mail: Mail, effects: list[Effect]) -> str:
        ledger = self.ledger
        ledger.count("record.mail")
        if not ledger.is_new(mail.origin):
            return self._note("mail.redelivered", "")
        now_ms = ledger.clock.now_ms
        if mail.kind == "event":
            ledger.count("mail.received")
            fate = self._observe(_forwarded(mail), list(mail.body["path"]), effects)
            return self._note(COUNTED_AS[fate], fate)
        if mail.kind == "budget":
            effects += self.money.receive(mail, now_ms)
        elif mail.kind == "model":
            effects += self.insight.receive(mail, now_ms)
        elif mail.kind == "move":
            effects += self._identity.move(mail, now_ms)
        else:
            effects += self._identity.adopt(mail, now_ms)
        return ""

    def _note(self, name: str, fate: str) -> str:
        self.ledger.count(name)
        return fate


def dead_letter(record: Rejected) -> DeadLetter:
    origin = record.origin
    place = (origin.topic, str(origin.epoch), str(origin.partition), str(origin.offset))
    return DeadLetter(
        dead_letter_id=chance.identifier(b"", "dead-letter", *place),
        reason=record.reason,
        detail=record.detail,
        at_ms=record.at_ms,
        topic=origin.topic,
        epoch=origin.epoch,
        partition=origin.partition,
        offset=origin.offset,
        raw=record.raw,
        raw_bytes=record.raw_bytes,
    )


def _forwarded(mail: Mail) -> Observed:
    """The event a mail carries, of the person it was sent to."""
    event: Observed = msgspec.convert(mail.body["event"], Observed)
    event.alias = mail.user_id
    data = TYPES.get(event.type)
    event.data = {} if data is None else msgspec.convert(event.data, data)
    return event
