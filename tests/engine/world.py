"""A small world around the engine: one fold per partition, a clock, mail that arrives, outputs
collected.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from streams.contract.codec import decode, encode
from streams.contract.control import digest
from streams.contract.decisions import Decision
from streams.contract.events import TYPES
from streams.contract.journeys import JourneySpec
from streams.contract.partitioning import partition_of
from streams.contract.policy import Policy
from streams.contract.profiles import Profile
from streams.contract.records import (
    Control,
    Genesis,
    Mail,
    Observed,
    Origin,
    Record,
    Rejected,
    Tick,
)
from streams.contract.reports import Report
from streams.contract.topics import DECISIONS, MAIL, PROFILES, REPORTS, TRIGGERS
from streams.contract.triggers import Trigger
from streams.engine.config import Config
from streams.engine.fold import EngineFold
from streams.fold import Output
from tests.engine.journeys import CART, CHURN, journey, library

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
NOON_MS = 1_790_784_000_000 + 12 * HOUR_MS  # 2026-10-01 12:00 in Shanghai

# Nobody is held out, so that a test about something else sees every message.
OPEN = Config(
    partitions=1,
    policy=Policy(global_holdout=0.0, default_consent=True),
    journeys=(journey(CART), journey(CHURN)),
    content=library(),
)


def altered(config: Config, **changes: Any) -> Config:
    return msgspec.structs.replace(config, **changes)


def with_policy(config: Config, **changes: Any) -> Config:
    return altered(config, policy=msgspec.structs.replace(config.policy, **changes))


def genesis(config: Config, partition: int, at_ms: int = NOON_MS) -> Genesis:
    return Genesis(
        at_ms=at_ms,
        partition=partition,
        partitions=config.partitions,
        seed=config.seed,
        config=msgspec.to_builtins(config),
    )


def alias_in(partition: int, partitions: int, name: str = "person") -> str:
    """An alias that lives in that partition."""
    return next(
        alias
        for alias in (f"{name}{number}" for number in range(1_000))
        if partition_of(alias, partitions) == partition
    )


class World:
    def __init__(self, config: Config = OPEN, *, users_in_memory: int | None = None) -> None:
        self.config = config
        self.now_ms = NOON_MS
        self.logs: list[list[bytes]] = [[] for _ in range(config.partitions)]
        self.outputs: list[Output] = []
        self.mail: list[tuple[int, int, Mail]] = []  # from, to
        self._offset = 0
        self._number = 0
        self._mail_offsets = [0] * config.partitions
        self.folds = [
            EngineFold(partition, users_in_memory=users_in_memory)
            for partition in range(config.partitions)
        ]
        for partition in range(config.partitions):
            self.feed(partition, genesis(config, partition))

    def see(
        self,
        alias: str,
        type: str,
        data: Mapping[str, Any] | None = None,
        *,
        time_ms: int | None = None,
        id: str | None = None,
        **fields: Any,
    ) -> Observed:
        """An event of the person arrives now."""
        event = self.event(alias, type, data, time_ms=time_ms, id=id, **fields)
        self.feed(partition_of(alias, self.config.partitions), event)
        return event

    def event(
        self,
        alias: str,
        type: str,
        data: Mapping[str, Any] | None = None,
        *,
        time_ms: int | None = None,
        id: str | None = None,
        **fields: Any,
    ) -> Observed:
        self._offset += 1
        self._number += 1
        structure = TYPES.get(type)
        return Observed(
            at_ms=self.now_ms,
            origin=Origin("events", 0, 0, self._offset),
            id=f"event-{self._number}" if id is None else id,
            source="test",
            type=type,
            alias=alias,
            time_ms=self.now_ms if time_ms is None else time_ms,
            data={} if structure is None else msgspec.convert(dict(data or {}), structure),
            **fields,
        )

    def command(self, kind: str, id: str, body: Any = None, version: int = 0) -> Control:
        """A command arrives on every partition's log."""
        self._offset += 1
        command = Control(
            at_ms=self.now_ms,
            origin=Origin("control", 0, 0, self._offset),
            kind=kind,
            id=id,
            version=version,
            sha256="" if body is None else digest(body),
            body=body,
        )
        for partition in range(self.config.partitions):
            self.feed(partition, command)
        return command

    def publish(self, spec: JourneySpec) -> Control:
        body = msgspec.to_builtins(spec)
        body.pop("test", None)
        return self.command("journey", spec.id, body, spec.version)

    def reject(self, reason: str = "not_json") -> Rejected:
        self._offset += 1
        origin = Origin("events", 0, 0, self._offset)
        rejected = Rejected(at_ms=self.now_ms, origin=origin, reason=reason, detail="no JSON")
        self.feed(0, rejected)
        return rejected

    def feed(self, partition: int, record: Record) -> None:
        """Append to the log of a partition and fold it."""
        raw = encode(record)
        self.logs[partition].append(raw)
        for output in self.folds[partition].handle(raw):
            self.outputs.append(output)
            if output.topic == MAIL:
                assert output.value is not None
                self.mail.append((partition, int(output.key), decode(output.value, Mail)))

    def deliver(self, most: int = 1_000) -> int:
        """Let mail arrive, as the intake would stamp it; returns how much did."""
        delivered = 0
        while self.mail and delivered < most:
            source, target, mail = self.mail.pop(0)
            self.feed(target, self.stamped(source, mail))
            delivered += 1
        return delivered

    def stamped(self, source: int, mail: Mail) -> Mail:
        offset = self._mail_offsets[source]
        self._mail_offsets[source] += 2  # a transaction marker stands between
        origin = Origin(MAIL, 0, source, offset)
        return msgspec.structs.replace(mail, at_ms=self.now_ms, origin=origin)

    def wait(self, ms: int) -> None:
        """Time goes on; timers fire when they are due."""
        until_ms = self.now_ms + ms
        while True:
            due = [(fold.next_due_ms(), place) for place, fold in enumerate(self.folds)]
            soon = min(((ms, place) for ms, place in due if ms is not None), default=None)
            if soon is None or soon[0] > until_ms:
                break
            self.now_ms = max(self.now_ms, soon[0])
            self.feed(soon[1], Tick(at_ms=self.now_ms))
        self.now_ms = until_ms

    @property
    def triggers(self) -> list[Trigger]:
        topics = TRIGGERS.values()
        return [decode(o.value, Trigger) for o in self.outputs if o.topic in topics and o.value]

    @property
    def decisions(self) -> list[Decision]:
        return [decode(o.value, Decision) for o in self.outputs if o.topic == DECISIONS and o.value]

    @property
    def reports(self) -> list[Any]:
        """What stands on the reports topic: which commands took effect, what came of journeys."""
        return [
            msgspec.json.decode(one.value, type=Report)
            for one in self.outputs
            if one.topic == REPORTS and one.value
        ]

    @property
    def outcomes(self) -> list[str]:
        return [decision.outcome for decision in self.decisions]

    def profile(self, user_id: str) -> Profile | None:
        """The latest published, None where there is none or it was erased."""
        found = None
        for output in self.outputs:
            if output.topic == PROFILES and output.key == user_id.encode():
                found = None if output.value is None else decode(output.value, Profile)
        return found

    def count(self, name: str) -> float:
        return sum(fold.counters().get(name, 0) for fold in self.folds)

    def rows(self) -> list[dict[bytes, bytes]]:
        """The state of every partition, from a fold of its whole log."""
        found = []
        for partition, log in enumerate(self.logs):
            fold = EngineFold(partition)
            for raw in log:
                fold.handle(raw)
            found.append({key: value for key, value in fold.changed_rows() if value is not None})
        return found
