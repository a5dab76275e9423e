"""How much of a day's money is released by now: evenly, or by a learned curve of demand.

The curve holds demand by local hour, in fen. It starts flat with the weight of one day's money; at
the end of a day it decays by an eighth and takes in what was asked for on that day. So it
follows a change of habits within about a week, and one odd day does not turn it.

Demand counts refused spends too: money spent alone would only show what was released before.
"""

from typing import Final

from msgspec import Struct, field

from streams.engine.budget.account import SLACK_PART, Account, day_start_ms
from streams.engine.profile.hours import HOUR_MS, local_day, offset_ms

HOURS: Final = 24
KEPT_OF_EIGHT: Final = 7
MIN_WAIT_MS: Final = 1_000
MAX_WAIT_MS: Final = 600_000


class Curve(Struct, array_like=True):
    """Demand by hour: `past` for releasing, `current` of the day that is still going on."""

    past: list[int] = []
    current: list[int] = field(default_factory=lambda: [0] * HOURS)
    day: int = 0

    def weights(self, account: Account) -> list[int]:
        """One for each hour, all positive."""
        if account.pacing == "even":
            return [1] * HOURS
        past = self.past or [account.daily_fen // HOURS] * HOURS
        return [weight + 1 for weight in past]

    def count(self, account: Account, demand_fen: int, at_ms: int) -> None:
        """Learn that so much was asked for; `at_ms` says when."""
        day = local_day(account.zone, at_ms)
        if day > self.day:
            if self.day:
                past = self.past or [account.daily_fen // HOURS] * HOURS
                pairs = zip(past, self.current, strict=True)
                self.past = [old * KEPT_OF_EIGHT // 8 + new for old, new in pairs]
            self.current = [0] * HOURS
            self.day = day
        hour = (at_ms + offset_ms(account.zone, at_ms)) // HOUR_MS % HOURS
        self.current[hour] += demand_fen


def released_fen(account: Account, curve: Curve, day: int, now_ms: int) -> int:
    """Of the day's money, the slack that runs ahead included; never above the day's."""
    start_ms = day_start_ms(account.zone, day)
    length_ms = day_start_ms(account.zone, day + 1) - start_ms
    elapsed_ms = min(max(0, now_ms - start_ms), length_ms)
    daily_fen = account.limit_fen(day)
    weights = curve.weights(account)
    hour, part_ms = divmod(elapsed_ms * HOURS, length_ms)
    reached = sum(weights[:hour]) * length_ms
    if hour < HOURS:
        reached += weights[hour] * part_ms
    share_fen = daily_fen * reached // (sum(weights) * length_ms)
    return min(daily_fen, share_fen + daily_fen // SLACK_PART)


def wait_ms(account: Account, curve: Curve, missing_fen: int, now_ms: int) -> int:
    """About how long until so much more is released, between one second and ten minutes."""
    weights = curve.weights(account)
    hour = (now_ms + offset_ms(account.zone, now_ms)) // HOUR_MS % HOURS
    hour_fen = max(1, account.daily_fen * weights[hour] // sum(weights))
    return min(MAX_WAIT_MS, max(MIN_WAIT_MS, missing_fen * HOUR_MS // hour_fen))
