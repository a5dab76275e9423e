"""The records of a partition's log: the only input of a decision.

A log record is one JSON object; its `record` field says which of these it is. The intake writes
`Observed` and `Rejected`, the partition's owner `Tick`, creation of the topics `Genesis`; `Mail` is
what the fold of another partition had to say, `Control` what an operator or marketer published.
"""

from typing import Any

from msgspec import Struct


class Origin(Struct, array_like=True, frozen=True):
    """Where a record came from, so that a redelivery is known: topic, epoch, partition, offset."""

    topic: str
    epoch: int
    partition: int
    offset: int


class Genesis(Struct, tag_field="record", tag="genesis"):
    """The first record of every log: what the fold may take for granted from then on."""

    at_ms: int
    partition: int
    partitions: int
    seed: str
    config: dict[str, Any]  # engine.config.Config as plain values: policy, journeys, horizons
    engine_version: int = 1


class Observed(Struct, tag_field="record", tag="event", omit_defaults=True):
    """An accepted event: validated, pseudonymous, stamped with its origin and the intake's time.

    `data` is a structure of `events.TYPES`, or an empty dict where the type was unknown when it was
    taken in: ask `type(record.data) is dict`, for the contract may have learned the type since.
    `alias` is the person's pseudonym or, for events about our own triggers, the user id.
    """

    at_ms: int
    origin: Origin
    id: str
    source: str
    type: str
    alias: str
    time_ms: int
    data: Any
    tenant: str = "default"
    brand: str = ""
    trust: str = "signed"
    backfill: bool = False
    converted: int = 0  # values whose type the intake had to convert
    unknown: int = 0  # fields the contract does not know


class Rejected(Struct, tag_field="record", tag="rejected", omit_defaults=True):
    """An input that is no event. The fold counts it and emits the dead letter with its batch, so
    that dead letters are exactly once like everything else."""

    at_ms: int
    origin: Origin
    reason: str  # a key of dead_letters.REASONS
    detail: str  # what was wrong and where, without personal data
    raw: str = ""  # base64 of the input, cut at dead_letters.MAX_KEPT_BYTES
    raw_bytes: int = 0


class Tick(Struct, tag_field="record", tag="tick"):
    """Time went on and nothing else happened."""

    at_ms: int


class Mail(Struct, tag_field="record", tag="mail", omit_defaults=True):
    """From another partition's fold: an event of a person who lives here, a state that moves,
    money, or what a model has to say to its like."""

    at_ms: int
    origin: Origin
    kind: str  # "event" | "move" | "adopt" | "budget" | "model"
    alias: str
    user_id: str
    body: Any = None
    to: int = -1  # the partition it is for; -1: that of the alias


class Control(Struct, tag_field="record", tag="control", omit_defaults=True):
    """A command of `wechat.control`, copied to every partition's log: see control.py."""

    at_ms: int
    origin: Origin
    kind: str
    id: str
    version: int = 0
    sha256: str = ""
    body: Any = None


Record = Genesis | Observed | Rejected | Tick | Mail | Control
