"""Bounds of every value that may enter: lengths, ranges, counts. A value outside is a dead letter.

Bounds may be widened and never narrowed: what stands on a log was checked against them and must
stay readable.
"""

from typing import Annotated

from msgspec import Meta

MAX_RAW_BYTES = 262_144  # one event as received; WeChat's own callback bodies stay far below
MAX_DEPTH = 16
MIN_TIME_MS = 1_293_840_000_000  # 2011-01-01: WeChat did not exist before
MAX_TIME_MS = 4_102_444_800_000  # 2100-01-01
MAX_AHEAD_MS = 300_000  # an event may be this far ahead of the log's clock
MAX_LATE_MS = 7 * 86_400_000  # older than this against the log's clock is late

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Label = Annotated[str, Meta(max_length=64)]
Text = Annotated[str, Meta(max_length=512)]
Url = Annotated[str, Meta(max_length=1024)]
TimeMs = Annotated[int, Meta(ge=MIN_TIME_MS, le=MAX_TIME_MS)]
DurationMs = Annotated[int, Meta(ge=0, le=86_400_000)]
Fen = Annotated[int, Meta(ge=0, le=100_000_000_00)]  # one hundred million yuan
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Quantity = Annotated[int, Meta(ge=1, le=100_000)]
Stars = Annotated[int, Meta(ge=1, le=5)]
Tags = Annotated[list[Name], Meta(max_length=16)]
Said = Annotated[str, Meta(max_length=65_536)]  # a message or a review in full; never on a log
Grams = Annotated[list[Annotated[int, Meta(ge=0, lt=2**18)]], Meta(max_length=256)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
