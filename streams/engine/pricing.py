"""What a fen of cost counts for when an arm is chosen: more where a journey's money is short.

The demand of the partition, refused spends included, is held against its share of the day; see
choices/price.py. A price is reviewed when a decision asks for it, by the log's time alone.

    q:<journey>   Quote
"""

from typing import Final

from msgspec import Struct

from streams.engine.budget.account import day_start_ms
from streams.engine.budget.purse import Purse
from streams.engine.choices.price import LEAST, next_price
from streams.engine.profile.hours import local_day
from streams.engine.state import decode_row, encode_row

PREFIX: Final = b"q:"
REVIEW_MS: Final = 900_000
MOST_SHARE: Final = 1e6


class Quote(Struct, array_like=True):
    """As of `at_ms`: the price, what had been asked for on `day`, and what was left of it."""

    price: float = LEAST
    at_ms: int = 0
    day: int = 0
    demand_fen: int = 0
    left_fen: int = 0


class Prices:
    def __init__(self, purse: Purse, changed: dict[bytes, None], *, partitions: int) -> None:
        self._purse = purse
        self._changed = changed
        self._partitions = partitions
        self._quotes: dict[str, Quote] = {}

    def of(self, journey: str) -> float:
        """At least 1, which it is for a journey without a day's budget of its own."""
        quote = self._quotes.get(journey)
        return LEAST if quote is None else quote.price

    def review(self, journey: str, now_ms: int) -> None:
        account = self._purse.account(journey)
        if account is None or not account.daily_fen or account.closed:
            return
        quote = self._quotes.get(journey)
        if quote is not None and now_ms - quote.at_ms < REVIEW_MS:
            return
        if quote is None:
            quote = self._quotes[journey] = Quote()
        share_fen = account.daily_fen // self._partitions
        day = local_day(account.zone, now_ms)
        if quote.day != day:
            quote.day, quote.at_ms = day, day_start_ms(account.zone, day)
            quote.demand_fen, quote.left_fen = 0, share_fen
        demand_fen, spent_fen, held_fen = self._purse.asked(journey, day)
        left_ms = max(day_start_ms(account.zone, day + 1) - quote.at_ms, 1)
        asked = (demand_fen - quote.demand_fen) / max(quote.left_fen, 1)
        passed = max(now_ms - quote.at_ms, 0) / left_ms
        quote.price = next_price(quote.price, min(max(asked, 0.0), MOST_SHARE), passed)
        quote.at_ms, quote.demand_fen = now_ms, demand_fen
        quote.left_fen = max(share_fen - spent_fen, held_fen)
        self._changed[PREFIX + journey.encode()] = None

    def row(self, key: bytes) -> bytes:
        return encode_row(self._quotes[key[len(PREFIX) :].decode()])

    def load(self, key: bytes, row: bytes) -> None:
        self._quotes[key[len(PREFIX) :].decode()] = decode_row(key, row, Quote)
