"""One version of the deployment on the way through a log: a fold for each partition, its mail, and
what it has said since it was last asked.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from streams.contract.codec import decode, decode_record, encode
from streams.contract.decisions import OUTCOMES
from streams.contract.partitioning import partition_of
from streams.contract.records import Genesis, Mail, Origin, Record, Tick
from streams.contract.topics import MAIL
from streams.engine.fold import EngineFold
from streams.engine.outcome import Effect

NAMES: Final = tuple(OUTCOMES)
NEVER_MS: Final = 1 << 62
MOST_TICKS: Final = 1_000_000  # of one fold at one moment: more means it does not get past a timer
OF_OURS: Final = 1  # the epoch of mail that the log has no place for
Kind = tuple[int, int, str, str]  # source, target, kind, about whom
WAITS_MS: Final = 60_000  # so long mail waits for the place that the log had for it


class Side:
    """`said`: (partition, effect), without mail."""

    def __init__(self, partitions: int, folded: Sequence[int]) -> None:
        self.partitions = partitions
        self.folds = {partition: EngineFold(partition) for partition in folded}
        self.said: list[tuple[int, Effect]] = []
        self.due = dict.fromkeys(folded, NEVER_MS)

    def begin(self, genesis: Genesis) -> None:
        # By its bytes, as from a log.
        record = decode_record(encode(genesis))
        assert isinstance(record, Genesis)
        self.handle(genesis.partition, record)

    def handle(self, partition: int, record: Record) -> None:
        fold = self.folds[partition]
        mail: list[Mail] = []
        for effect in fold.effects(record):
            if isinstance(effect, Mail):
                mail.append(effect)
            else:
                self.said.append((partition, effect))
        due_ms = fold.next_due_ms()
        self.due[partition] = NEVER_MS if due_ms is None else due_ms
        for letter in mail:
            self.post(partition, letter)

    def post(self, source: int, mail: Mail) -> None:
        """The fold of a partition had something to say to another one."""
        raise NotImplementedError

    def fire(self, until_ms: int) -> None:
        """Fire what is due in every fold, in (due, partition) order."""
        due, moment_ms, ticks = self.due, 0, 0
        while (soonest_ms := min(due.values())) <= until_ms:
            partition = next(p for p, due_ms in due.items() if due_ms == soonest_ms)
            at_ms = max(soonest_ms, self.folds[partition].now_ms)
            ticks = ticks + 1 if at_ms == moment_ms else 1
            moment_ms = at_ms
            if ticks > MOST_TICKS:
                raise RuntimeError(f"the fold of {partition} does not get past its timer {at_ms}")
            self.handle(partition, Tick(at_ms=at_ms))

    def latest(self, partition: int, user_id: str, journey: str) -> str:
        """The outcome of a journey's latest decision about somebody; empty where there is none."""
        person = self.folds[partition].engine.store.get(user_id)
        if person is None:
            return ""
        found = [
            (standing.decided_s, standing.outcome)
            for name, standing in person.state.standings.items()
            if name.partition("#")[0] == journey and standing.decided_s
        ]
        return NAMES[max(found)[1]] if found else ""

    def target(self, mail: Mail) -> int:
        return mail.to if mail.to >= 0 else partition_of(mail.alias, self.partitions)

    def stamped(self, source: int, mail: Mail, origin: Origin) -> Mail:
        letter: Mail = decode(encode(mail), Mail)
        letter.at_ms = max(letter.at_ms, self.folds[source].now_ms)
        letter.origin = origin
        return letter


class FileSide(Side):
    """Of a file of events: mail arrives at once, timers fire when they are due."""

    def __init__(self, partitions: int, folded: Sequence[int]) -> None:
        super().__init__(partitions, folded)
        self._offsets = dict.fromkeys(folded, 0)

    def post(self, source: int, mail: Mail) -> None:
        offset = self._offsets[source]
        self._offsets[source] = offset + 1
        target = self.target(mail)
        if target in self.folds:
            self.handle(target, self.stamped(source, mail, Origin(MAIL, 0, source, offset)))


class AsItWas(Side):
    """Of a log, which holds the mail already. `sent`: how many by source and target; `alike`: by
    what tells mail of the other side to be the same."""

    def __init__(self, partitions: int, folded: Sequence[int]) -> None:
        super().__init__(partitions, folded)
        self.sent: dict[tuple[int, int], int] = {}
        self.alike: Counter[Kind] = Counter()

    def post(self, source: int, mail: Mail) -> None:
        way = (source, self.target(mail))
        self.sent[way] = self.sent.get(way, 0) + 1
        self.alike[_kind(*way, mail)] += 1


class AsItWouldBe(Side):
    """Of a log, with mail of its own. It arrives where the log's mail of the same kind did, so that
    without a change nothing differs; what the log has no place for, after WAITS_MS."""

    def __init__(self, partitions: int, folded: Sequence[int], was: AsItWas) -> None:
        super().__init__(partitions, folded)
        self._was = was
        self._waiting: dict[Kind, deque[Letter]] = {}
        self._alike: Counter[Kind] = Counter()
        self._marks: dict[tuple[int, int], tuple[int, int]] = {}
        self._all: deque[Letter] = deque()
        self._offsets = dict.fromkeys(folded, 0)

    def post(self, source: int, mail: Mail) -> None:
        target = self.target(mail)
        if target in self.folds:
            kind = _kind(source, target, mail)
            self._alike[kind] += 1
            letter = Letter(kind, self._alike[kind], mail, self.folds[source].now_ms)
            self._waiting.setdefault(kind, deque()).append(letter)
            self._all.append(letter)

    def at_the_place_of(self, target: int, mail: Mail) -> None:
        """The log has mail here: ours of the same kind arrives, if there is any."""
        source = mail.origin.partition
        if source not in self.folds:
            self.handle(target, mail)
            return
        place = (mail.origin.epoch, mail.origin.offset)
        if place <= self._marks.get((source, target), (-1, -1)):
            return  # it came again
        self._marks[source, target] = place
        waiting = self._waiting.get(_kind(source, target, mail))
        while waiting:
            letter = waiting.popleft()
            if not letter.arrived:
                letter.arrived = True
                found = self.stamped(source, letter.mail, mail.origin)
                found.at_ms = mail.at_ms
                self.handle(target, found)
                return

    def deliver_overdue(self, now_ms: int) -> None:
        waiting = self._all
        while waiting and (waiting[0].arrived or waiting[0].sent_ms + WAITS_MS <= now_ms):
            letter = waiting.popleft()
            if letter.arrived or letter.number <= self._was.alike[letter.kind]:
                continue  # its place is still to come
            letter.arrived = True
            source, target = letter.kind[:2]
            offset = self._offsets[source]
            self._offsets[source] = offset + 1
            found = self.stamped(source, letter.mail, Origin(MAIL, OF_OURS, source, offset))
            found.at_ms = max(found.at_ms, now_ms)
            self.handle(target, found)

    def keep_time(self, now_ms: int) -> None:
        """Fire what only we have due: there the log has no tick."""
        for partition in self.folds:
            self._keep_time(partition, min(now_ms, self._was.due[partition]))

    def _keep_time(self, partition: int, before_ms: int) -> None:
        ticks = 0
        while self.due[partition] < before_ms:
            fold = self.folds[partition]
            self.handle(partition, Tick(at_ms=max(self.due[partition], fold.now_ms)))
            ticks += 1
            if ticks > MOST_TICKS:
                raise RuntimeError(f"the fold of {partition} does not get past {fold.now_ms}")


class Letter:
    """`number`: the how many-th of its kind."""

    __slots__ = ("arrived", "kind", "mail", "number", "sent_ms")

    def __init__(self, kind: Kind, number: int, mail: Mail, sent_ms: int) -> None:
        self.kind = kind
        self.number = number
        self.mail = mail
        self.sent_ms = sent_ms
        self.arrived = False


def _kind(source: int, target: int, mail: Mail) -> Kind:
    return source, target, mail.kind, mail.user_id
