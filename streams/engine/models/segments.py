"""Segments 用户分群: by value (recency, frequency, money) and as found by clustering.

Everybody watched is judged and counted at the daily check; a buyer is judged at each order and
whoever leaves at once. Ranks are among the people counted until the last midnight (China Standard
Time). Counts by value reach the other partitions as sums; the clusters are gathered by partition 0:
after midnight every partition sends what it counted for the centres of the day before, and gets the
centres and names of the coming day. So a segment and a cluster mean the same in all partitions.
"""

from collections.abc import Sequence
from math import inf, log, log1p
from typing import Final

import msgspec
from msgspec import Struct

from streams.contract.events import HARD_CHURN
from streams.contract.insights import SegmentChanged
from streams.contract.policy import DAY_MS
from streams.engine.models.model import Body, Model, Surroundings
from streams.engine.models.segment_letters import Batch, Bins, Centres, read
from streams.engine.models.segment_state import Segmented
from streams.engine.moment import Moment
from streams.engine.outcome import Effect
from streams.engine.profile.activity import ZONE_MS
from streams.engine.state import NO, UserState
from streams.engine.store import Person
from streams.learning import rows
from streams.learning.segments.clusters import OnlineClusters
from streams.learning.segments.naming import Name, Words, name_groups, name_of
from streams.learning.segments.quantiles import Quantiles
from streams.learning.segments.rfm import CODES, History, Ranks, Rules, ValueSegments

GATHERER: Final = 0  # the partition that moves the centres
GATHERED_MS: Final = 600_000  # after midnight: by then the others have sent theirs
FIRST: Final = 64  # buyers until ranks are read for the first time; again at each doubling
NIGHT: Final = (22, 23, 0, 1, 2, 3, 4, 5)  # local hours

VALUES: Final = (b"m:segments/recency", b"m:segments/frequency", b"m:segments/money")
CLUSTERS: Final = b"m:segments/clusters"
CALENDAR: Final = b"m:segments/calendar"

FEATURES: Final = ("recency", "frequency", "money", "breadth", "response", "activity", "night")
WORDS: Final = (
    Words(
        ("long_since_order", "久未购买", "long since the last order"),
        ("bought_recently", "近期购买", "bought recently"),
    ),
    Words(
        ("frequent_buyer", "高频购买", "buys often"),
        ("rare_buyer", "低频购买", "buys seldom"),
    ),
    Words(
        ("big_spender", "高消费", "spends much"),
        ("small_spender", "低消费", "spends little"),
    ),
    Words(
        ("wide_interests", "兴趣广泛", "wide interests"),
        ("narrow_interests", "兴趣专一", "narrow interests"),
    ),
    Words(
        ("responsive", "爱回应", "responds to messages"),
        ("unresponsive", "少回应", "seldom responds"),
    ),
    Words(
        ("active", "高活跃", "active"),
        ("quiet", "低活跃", "quiet"),
    ),
    Words(
        ("night_active", "夜间活跃", "active at night"),
        ("day_active", "白天活跃", "active by day"),
    ),
)


class Calendar(Struct, array_like=True):
    """What belongs to all people beside the counts."""

    due_ms: int = 0  # when the day closes
    gather_ms: int = 0  # when partition 0 moves the centres; 0: not before the next midnight
    names: list[str] = []  # of the clusters
    changes: int = 0  # people who changed their segment since the beginning
    checks: int = 0
    late: int = 0  # batches for centres that had been moved


class SegmentModel(Model):
    NAME = "segments"
    LISTENS = HARD_CHURN | {"order.paid"}
    CHECKS = True

    def __init__(self, around: Surroundings) -> None:
        super().__init__(around)
        self._values = ValueSegments(Rules(lost_days=around.config.churn.watch_days))
        self._clusters = OnlineClusters(batch=0, seed=around.seed.hex())
        self._clusters.begin(FEATURES)
        self._calendar = Calendar()
        self._changed: dict[bytes, None] = {}

    # What journeys and profiles ask.

    @staticmethod
    def segment(state: UserState) -> str:
        """The code of the value segment, empty while there is none: see rfm.SEGMENTS."""
        mark = state.segmented
        return CODES[mark.segment - 1] if mark is not None and mark.segment else ""

    def cluster(self, state: UserState) -> str:
        """The code of the cluster's name, as big_spender+rare_buyer; empty while there is none."""
        mark = state.segmented
        return self._name(mark.cluster) if mark is not None else ""

    @staticmethod
    def cluster_of(state: UserState) -> int:
        """The cluster's number from 0; -1 while there is none."""
        return state.segmented.cluster - 1 if state.segmented is not None else -1

    def nearest(self, features: Sequence[float]) -> int:
        """Without regard to an earlier cluster."""
        return self._clusters.assign(features)

    def names(self) -> list[Name]:
        """What the clusters are called today."""
        return [name_of(code, WORDS) for code in self._calendar.names]

    # Learning.

    def learn(self, moment: Moment) -> list[Effect]:
        """An order or the end of the relation: judged at once, counted at the next check."""
        if moment.backfill:
            return []
        return self._judge(moment.person, moment.now_ms, learns=False)

    def check(self, person: Person, now_ms: int) -> list[Effect]:
        self._open(now_ms)
        self._calendar.checks += 1
        effects = self._judge(person, now_ms, learns=True)
        values = self._values
        if values.money.fresh >= max(FIRST, values.money.settled):
            values.close(halve=False)
        self._changed |= dict.fromkeys((*VALUES, CLUSTERS, CALENDAR))
        return effects

    def settle(self, now_ms: int) -> list[Effect]:
        calendar, effects = self._calendar, list[Effect]()
        if now_ms >= calendar.due_ms:
            self._values.close()
            calendar.due_ms = _midnight(now_ms)
            if self.around.partition == GATHERER:
                calendar.gather_ms = now_ms + GATHERED_MS if self.around.partitions > 1 else now_ms
            else:
                batch = self._clusters.open_batch()
                effects.append(self.letter(GATHERER, {"batch": msgspec.to_builtins(batch)}))
        if calendar.gather_ms and now_ms >= calendar.gather_ms:
            calendar.gather_ms = 0
            effects += self._gather()
        self.due_ms = min(calendar.due_ms, calendar.gather_ms or calendar.due_ms)
        self._changed |= dict.fromkeys((*VALUES, CLUSTERS, CALENDAR))
        return effects

    def read(self, letter: Body) -> Batch | Centres:
        gathers = self.around.partition == GATHERER
        return read(
            letter, gathers=gathers, clusters=self._clusters.clusters, features=len(FEATURES)
        )

    def receive(self, letter: Batch | Centres, now_ms: int) -> list[Effect]:
        if isinstance(letter, Batch):
            self._open(now_ms)
            if not self._clusters.add(letter.batch):
                self._calendar.late += 1
        else:
            self._clusters.adopt(letter.common)
            self._calendar.names = letter.names
        self._changed |= dict.fromkeys((CLUSTERS, CALENDAR))
        return []

    def share(self) -> Body | None:
        bins = self._values.share()
        if not any(bins):
            return None
        self._changed |= dict.fromkeys(VALUES)
        return {"bins": [[list(pair) for pair in one.items()] for one in bins]}

    def read_delta(self, delta: Body) -> Bins:
        return msgspec.convert(delta, Bins)

    def absorb(self, delta: Bins, now_ms: int) -> None:
        self._values.absorb([dict(one) for one in delta.bins])
        self._changed |= dict.fromkeys(VALUES)

    # Rows.

    def changed_rows(self) -> list[tuple[bytes, bytes | None]]:
        changed, self._changed = self._changed, {}
        return [(key, self._row(key)) for key in changed]

    def load_row(self, key: bytes, row: bytes) -> None:
        if key in VALUES:
            self._sketch(key).from_row(row)
        elif key == CLUSTERS:
            self._clusters.from_row(row)
        elif key == CALENDAR:
            calendar = self._calendar = rows.unpack(row, Calendar)
            if calendar.due_ms:  # a day has begun
                self.due_ms = min(calendar.due_ms, calendar.gather_ms or calendar.due_ms)
        else:
            super().load_row(key, row)

    def metrics(self) -> dict[str, float]:
        """`churn`: the share of checks and orders that changed a value segment."""
        calendar = self._calendar
        return {
            "buyers": self._values.money.settled,
            "checks": float(calendar.checks),
            "churn": calendar.changes / max(calendar.checks, 1),
            "clusters_version": float(self._clusters.version),
            "late_batches": float(calendar.late),
        }

    # Inside.

    def _open(self, now_ms: int) -> None:
        """The first day begins."""
        if not self._calendar.due_ms:
            self._calendar.due_ms = self.due_ms = _midnight(now_ms)

    def _judge(self, person: Person, now_ms: int, *, learns: bool) -> list[Effect]:
        state, effects = person.state, list[Effect]()
        mark = state.segmented
        if mark is None:
            mark = state.segmented = Segmented()
        history = history_of(state, now_ms)
        if learns:
            self._values.observe(history)
        ranks = self._values.ranks(history)
        place, mark.high = self._values.segment(history, ranks, mark.high)
        if place + 1 != mark.segment and place >= 0:
            left = CODES[mark.segment - 1] if mark.segment else ""
            mark.segment = place + 1
            self._calendar.changes += bool(left)
            self._changed[CALENDAR] = None
            effects.append(
                self._moved(person, now_ms, "rfm", left, CODES[place], _why(history, ranks))
            )
        if learns:
            effects += self._cluster(person, mark, features_of(state, now_ms), now_ms)
        return effects

    def _cluster(
        self, person: Person, mark: Segmented, features: list[float], now_ms: int
    ) -> list[Effect]:
        before = mark.cluster
        mark.cluster = 1 + self._clusters.learn(features, before - 1)
        if mark.cluster == before:
            return []
        found = self._clusters.distances(features)
        why = dict(zip(FEATURES, features, strict=True)) | {"distance": found[mark.cluster - 1]}
        if before:
            why["distance_left"] = found[before - 1]
        names = self._name(before), self._name(mark.cluster)
        return [self._moved(person, now_ms, "cluster", *names, why)]

    def _moved(
        self,
        person: Person,
        now_ms: int,
        family: str,
        left: str,
        entered: str,
        why: dict[str, float],
    ) -> SegmentChanged:
        return SegmentChanged(
            user_id=person.user_id,
            at_ms=now_ms,
            family=family,
            left=left,
            entered=entered,
            why={name: round(value, 4) for name, value in why.items()},
            tenant=self.around.config.tenant,
        )

    def _gather(self) -> list[Effect]:
        """Move the centres by what all partitions counted, name them, and tell the others."""
        clusters, calendar = self._clusters, self._calendar
        clusters.close()
        if not clusters.version:
            return []
        calendar.names = name_groups(clusters.offsets(), WORDS, calendar.names)
        body = {"common": msgspec.to_builtins(clusters.common()), "names": calendar.names}
        return [self.letter(to, body) for to in range(self.around.partitions) if to != GATHERER]

    def _name(self, cluster: int) -> str:
        names = self._calendar.names
        return names[cluster - 1] if 0 < cluster <= len(names) else ""

    def _sketch(self, key: bytes) -> Quantiles:
        return self._values.sketches[VALUES.index(key)]

    def _row(self, key: bytes) -> bytes:
        if key == CALENDAR:
            return rows.pack(self._calendar)
        return self._clusters.to_row() if key == CLUSTERS else self._sketch(key).to_row()


def history_of(state: UserState, now_ms: int) -> History:
    activity = state.activity
    left = state.churn.left_ms > 0 and state.churn.left_ms >= activity.last_ms
    silent_days = inf if left or state.followed == NO else _days(now_ms - activity.last_ms)
    return History(
        recency_days=_days(now_ms - activity.last_order_ms),
        orders=max(activity.orders, 0),
        spend_yuan=max(activity.spend_fen, 0) / 100,
        known_days=_days(now_ms - state.first_seen_ms),
        silent_days=silent_days,
    )


def features_of(state: UserState, now_ms: int) -> list[float]:
    """Fixed transforms, in the order of FEATURES, so that an example means the same next year."""
    activity, hours = state.activity, state.hours
    since_ms = activity.last_order_ms if activity.orders > 0 else state.first_seen_ms
    active = sum(hours)
    return [
        log1p(_days(now_ms - since_ms)),
        log1p(max(activity.orders, 0)),
        log1p(max(activity.spend_fen, 0) / 100),
        _entropy([leaning.slow for leaning in state.interests.leanings.values()]),
        log((activity.responses + 1.0) / (activity.approaches + 2.0)),
        log1p(min(activity.decayed(now_ms)[1], 1e3)),
        (sum([hours[hour] for hour in NIGHT]) + 1.0) / (active + 4.0),
    ]


def _entropy(parts: Sequence[float]) -> float:
    """In nats, of shares in proportion to the parts."""
    total = sum(parts)
    if not total > 0.0:
        return 0.0
    return -sum([part / total * log(part / total) for part in parts if part > 0.0])


def _why(history: History, ranks: Ranks) -> dict[str, float]:
    found = {"orders": float(history.orders), "spend_yuan": history.spend_yuan}
    if history.orders:
        found["recency_days"] = history.recency_days
        names = ("recency_rank", "frequency_rank", "money_rank")
        found |= dict(zip(names, ranks, strict=True))
    if history.silent_days < inf:
        found["silent_days"] = history.silent_days
    return found


def _days(ms: int) -> float:
    return max(ms, 0) / DAY_MS


def _midnight(now_ms: int) -> int:
    """The next one."""
    return ((now_ms + ZONE_MS) // DAY_MS + 1) * DAY_MS - ZONE_MS
