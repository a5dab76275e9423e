"""The engine behind the fold's interface: records as bytes in, outputs and rows as bytes out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from streams.contract.codec import decode_record, encode
from streams.contract.dead_letters import DeadLetter
from streams.contract.decisions import Decision
from streams.contract.insights import Alert, Forecast, SegmentChanged
from streams.contract.partitioning import partition_of
from streams.contract.profiles import Profile
from streams.contract.records import Genesis, Record
from streams.contract.reports import Applied, JourneyReport
from streams.contract.topics import (
    DEAD_LETTERS,
    DECISIONS,
    INSIGHTS,
    MAIL,
    PROFILES,
    REPORTS,
    TRIGGERS,
)
from streams.contract.triggers import Trigger
from streams.contract.why import Why
from streams.engine.cleaning.cleaning import SCALES_KEY
from streams.engine.cleaning.items import PREFIX as ITEMS_PREFIX
from streams.engine.config import Config
from streams.engine.engine import Engine
from streams.engine.money import KINDS as MONEY_KINDS
from streams.engine.outcome import Effect, Tombstone
from streams.engine.publishing import CONTENT_KEY, POLICY_KEY
from streams.engine.state import NEVER_MS, decode_row, encode_row
from streams.engine.store import Store
from streams.engine.why import why
from streams.fold import Output, Row

GENESIS_KEY = b"g:genesis"
ENGINE_VERSION = 3
OLDEST_ENGINE = 2  # whose rows are still read


class ChurnScored(NamedTuple):
    """P(no activity within the horizon) at `churn_scored_at_ms`."""

    user_id: str
    churn_score: float
    churn_scored_at_ms: int
    last_active_ms: int


class EngineFold:
    """One partition. The configuration stands in the log's genesis record; `config` is for
    callers who know it beforehand, `users_in_memory` overrides how many people are kept
    decoded. Neither it nor batch boundaries change any byte."""

    def __init__(
        self, partition: int, config: Config | None = None, *, users_in_memory: int | None = None
    ) -> None:
        self._partition = partition
        self._users_in_memory = users_in_memory
        self._store = Store()
        self._genesis: Genesis | None = None
        self._unread: list[
            tuple[bytes, bytes]
        ] = []  # rows that came before the genesis row, but for people
        self._new_genesis = False
        self._engine: Engine | None = None
        if config is not None:
            self._engine = self._new_engine(config)

    def handle(self, value: bytes) -> Sequence[Output]:
        return self.handle_record(decode_record(value))

    def handle_record(self, record: Record) -> Sequence[Output]:
        """`handle` for a record that is typed already."""
        if type(record) is Genesis:
            if record == self._genesis:
                return ()  # two who began the log at once wrote the same
            if self._genesis is not None or self.now_ms:
                raise ValueError("a second, different genesis record: a log has one beginning")
            self._begin(record)
            self._new_genesis = True
            return ()
        effects = self._effects(record)
        return [self._output(effect) for effect in effects] if effects else ()

    def effects(self, record: Record) -> Sequence[Effect]:
        """`handle_record` for who wants the effects as values: nothing is encoded."""
        if type(record) is Genesis:
            self.handle_record(record)
            return ()
        return self._effects(record)

    @property
    def engine(self) -> Engine:
        """For who looks into it beside the log. Raises ValueError before the genesis record."""
        return self._ready()

    def _effects(self, record: Record) -> Sequence[Effect]:
        engine = self._engine
        if engine is None or self._unread:
            engine = self._ready()
        return engine.handle(record).effects

    def changed_rows(self) -> list[Row]:
        engine = self._known()
        if engine is None:
            return []
        rows = []
        if self._new_genesis:
            assert self._genesis is not None
            rows.append(Row(GENESIS_KEY, encode_row(msgspec.to_builtins(self._genesis))))
            self._new_genesis = False
        changed = self._store.changed
        rows += [Row(key, self._row(engine, key)) for key in changed]
        rows += engine.insight.changed_rows()
        changed.clear()
        return rows

    def load_row(self, key: bytes, value: bytes) -> None:
        if key[:2] == b"u:":
            self._store.load(key, value)
        elif key == GENESIS_KEY:
            self._begin(msgspec.convert(decode_row(key, value, dict), Genesis))
        else:
            self._unread.append((key, value))

    def next_due_ms(self) -> int | None:
        engine = self._known()
        due_ms = self._store.soonest_ms()
        if engine is not None:
            due_ms = min(due_ms, engine.next_due_ms())
        return None if due_ms == NEVER_MS else due_ms

    @property
    def now_ms(self) -> int:
        engine = self._known()
        return 0 if engine is None else engine.ledger.clock.now_ms

    def counts(self) -> Mapping[str, float]:
        """`input` = the sum of `fate.*` without `fate.redelivered`, plus `mail.forwarded`, minus
        `mail.received`."""
        engine = self._known()
        if engine is None:
            return {}
        return {**engine.ledger.counts, "users": len(self._store)}

    def counters(self) -> Mapping[str, float]:
        engine = self._known()
        return {} if engine is None else {**self.counts(), **engine.insight.metrics()}

    def reports(self) -> list[Output]:
        """What came of each journey so far. They need not be due, and none counts as told."""
        engine = self._known()
        if engine is None:
            return []
        return [self._output(report) for report in engine.results.all(self.now_ms)]

    def why(self, user_id: str, journey: str | None = None, now_ms: int = 0) -> list[Why]:
        """Why a journey reaches the person or does not, each journey where none is named. Changes
        nothing; the time is the log's where `now_ms` is earlier. Raises UnknownJourneyError."""
        return why(self._ready(), user_id, journey, max(now_ms, self.now_ms))

    def churn_scores(self, now_ms: int) -> Iterator[ChurnScored]:
        """The churn score of everybody who is watched and had a daily check, as of `now_ms`, which
        is about the log's time: a round moment for all partitions."""
        insight = self.engine.insight
        for user_id in self._store:
            person = self._store.get(user_id)
            if person is not None and person.state.check_ms and person.state.churn.checked_ms:
                state = person.state
                score = insight.churn(state, now_ms)
                yield ChurnScored(user_id, score, now_ms, state.activity.last_ms)

    def _begin(self, genesis: Genesis) -> None:
        if genesis.partition != self._partition:
            raise ValueError(
                f"the genesis record is of partition {genesis.partition}, this fold is of "
                f"{self._partition}: the log was copied or the topics were mixed up"
            )
        if genesis.engine_version > ENGINE_VERSION:
            raise ValueError(
                f"the log wants engine version {genesis.engine_version}, this is "
                f"{ENGINE_VERSION}: run the newer engine"
            )
        config = msgspec.convert(genesis.config, Config)
        if config.partitions != genesis.partitions or config.seed != genesis.seed:
            config = msgspec.structs.replace(
                config, partitions=genesis.partitions, seed=genesis.seed
            )
        self._engine = self._new_engine(config)
        self._engine.ledger.clock.now_ms = genesis.at_ms
        self._engine.publishing.begin(config.policy, genesis.at_ms)
        self._genesis = genesis

    def _new_engine(self, config: Config) -> Engine:
        most = self._users_in_memory
        self._store.limit(config.users_in_memory if most is None else most)
        return Engine(config, partition=self._partition, store=self._store)

    def _known(self) -> Engine | None:
        """The engine with all rows read, once the configuration is known."""
        engine = self._engine
        if engine is not None and self._unread:
            unread, self._unread = self._unread, []
            for key, value in unread:
                self._load(engine, key, value)
            engine.book.ready()
            engine.publishing.ready()
        return engine

    def _ready(self) -> Engine:
        engine = self._known()
        if engine is None:
            raise ValueError(
                f"partition {self._partition}: the log does not begin with its genesis record; "
                "create the topics with `streams topics`"
            )
        return engine

    def _output(self, effect: Effect) -> Output:
        if isinstance(effect, Profile):
            return Output(PROFILES, effect.user_id.encode(), encode(effect))
        if isinstance(effect, Decision):
            return Output(DECISIONS, effect.user_id.encode(), encode(effect))
        if isinstance(effect, Trigger):
            return Output(TRIGGERS[effect.kind], effect.user_id.encode(), encode(effect))
        if isinstance(effect, Tombstone):
            return Output(PROFILES, effect.user_id.encode(), None)
        if isinstance(effect, DeadLetter):
            return Output(DEAD_LETTERS, effect.dead_letter_id.encode(), encode(effect))
        if isinstance(effect, SegmentChanged):
            return Output(INSIGHTS, effect.user_id.encode(), encode(effect))
        if isinstance(effect, Alert | Forecast):
            return Output(INSIGHTS, about(effect).encode(), encode(effect))
        if isinstance(effect, Applied | JourneyReport):
            return Output(REPORTS, str(effect.partition).encode(), encode(effect))
        target = effect.to
        if target < 0:
            target = partition_of(effect.alias, self._ready().config.partitions)
        return Output(MAIL, str(target).encode(), encode(effect))

    @staticmethod
    def _row(engine: Engine, key: bytes) -> bytes | None:
        """The row of a changed key, None where it is gone."""
        kind = key[:2]
        if kind == b"u:":
            return engine.store.row(key)
        if kind == b"m:":
            return engine.cleaning.row(key)
        return _keeper(engine, key).row(key)

    @staticmethod
    def _load(engine: Engine, key: bytes, value: bytes) -> None:
        if key == SCALES_KEY or key.startswith(ITEMS_PREFIX):
            engine.cleaning.load(key, value)
        elif key[:2] == b"m:":
            engine.insight.load(key, value)
        else:
            _keeper(engine, key).load(key, value)


def about(told: Alert | Forecast) -> str:
    """What an insight that is about nobody is keyed by."""
    return told.name if isinstance(told, Alert) else told.series


class Keeper(Protocol):
    """Who has the rows of a kind."""

    def row(self, key: bytes) -> bytes | None: ...

    def load(self, key: bytes, row: bytes) -> None: ...


def _keeper(engine: Engine, key: bytes) -> Keeper:
    kind = key[:2]
    if kind in (b"c:", b"s:"):
        return engine.ledger
    if kind == b"a:":
        return engine.people
    if kind == b"p:":
        return engine.policy
    if kind == b"j:":
        return engine.book
    if kind == b"r:":
        return engine.results
    if kind == b"l:":
        return engine.choosers
    if kind == b"q:":
        return engine.prices
    if kind in MONEY_KINDS:
        return engine.money
    if key in (POLICY_KEY, CONTENT_KEY):
        return engine.publishing
    raise ValueError(f"row {kind!r} is of no kind this engine knows: it is of a newer version")
