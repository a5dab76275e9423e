"""What came in, from where, and where it ended: the books of one partition."""

from streams.contract.records import Origin
from streams.engine.outcome import FATES
from streams.engine.state import Counts, decode_row, encode_row

COUNTS_KEY = b"c:counts"
PREFIX = b"s:"
COUNTED_AS = {fate: f"fate.{fate}" for fate in FATES} | {"forwarded": "mail.forwarded"}
ALWAYS = ("input", "record.event", *COUNTED_AS.values())  # counted from the start, be it 0


class Mark:
    """How far one source is folded."""

    __slots__ = ("key", "offset")

    def __init__(self, key: bytes, offset: int) -> None:
        self.key = key
        self.offset = offset


class Ledger:
    def __init__(self, changed: dict[bytes, None]) -> None:
        self.clock = Counts(counts=dict.fromkeys(ALWAYS, 0))
        self._changed = changed
        self._marks: dict[tuple[str, int, int], Mark] = {}

    @property
    def counts(self) -> dict[str, int]:
        return self.clock.counts

    def count(self, name: str) -> None:
        counts = self.clock.counts
        counts[name] = counts.get(name, 0) + 1

    def is_new(self, origin: Origin) -> bool:
        """Whether the source is heard for the first time at this offset; offsets of a source
        rise."""
        source = (origin.topic, origin.epoch, origin.partition)
        mark = self._marks.get(source)
        if mark is None:
            key = PREFIX + f"{origin.topic}/{origin.epoch}/{origin.partition}".encode()
            mark = self._marks[source] = Mark(key, -1)
        if origin.offset <= mark.offset:
            return False
        mark.offset = origin.offset
        self._changed[mark.key] = None
        return True

    def row(self, key: bytes) -> bytes:
        if key == COUNTS_KEY:
            return encode_row(self.clock)
        return encode_row(self._marks[_source(key)].offset)

    def load(self, key: bytes, row: bytes) -> None:
        if key == COUNTS_KEY:
            loaded = decode_row(key, row, Counts)
            clock = self.clock
            clock.now_ms = loaded.now_ms
            clock.mail_sequence = loaded.mail_sequence
            clock.shared_ms, clock.shared_inputs = loaded.shared_ms, loaded.shared_inputs
            clock.counts.clear()
            clock.counts.update(loaded.counts)
        else:
            self._marks[_source(key)] = Mark(key, decode_row(key, row, int))


def _source(key: bytes) -> tuple[str, int, int]:
    topic, epoch, partition = key[len(PREFIX) :].decode().rsplit("/", 2)
    return topic, int(epoch), int(partition)
