"""Arrays of learners as small rows: what an example touched is written, and not the rest.

A text touches a hundred places of a quarter of a million, all over the arrays; so a row holds few
places, and those of all learners that look at the same features. Each has its length and CRC32.
"""

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from msgspec import Struct

from streams.learning import rows
from streams.learning.linear.hashed import Buckets, Column

PLACES = 16  # in a row


class ColumnsRow(Struct, array_like=True):
    """`values`: little-endian, the part of the first array, then of the second, and so on."""

    number: int
    kind: str
    values: bytes
    crc: int


class Storage:
    """`number` of a row is its first place divided by `places`, the length of its part."""

    def __init__(self, places: int = PLACES) -> None:
        self._places = places
        self._touched: set[int] = set()

    def touch(self, places: Buckets) -> None:
        self._touched.update((np.asarray(places, dtype=np.intp) // self._places).tolist())

    def changed(self, columns: Sequence[Column]) -> list[tuple[int, bytes]]:
        """Numbers and rows changed since the last call, each once."""
        found = [(number, self._row(columns, number)) for number in sorted(self._touched)]
        self._touched.clear()
        return found

    def _row(self, columns: Sequence[Column], number: int) -> bytes:
        first, last = number * self._places, (number + 1) * self._places
        kind = columns[0].dtype.char
        values = b"".join([column[first:last].astype(f"<{kind}").tobytes() for column in columns])
        return rows.pack(ColumnsRow(number, kind, values, crc32(values)))

    def load(self, columns: Sequence[Column], number: int, row: bytes) -> None:
        """A row of fewer columns says nothing of the others. Raises ValueError for a row that is
        broken, of another shape or a newer schema."""
        state = rows.unpack(row, ColumnsRow)
        first, kind, size = number * self._places, columns[0].dtype.char, columns[0].itemsize
        places = len(columns[0][first : first + self._places])
        if crc32(state.values) != state.crc:
            raise ValueError(f"row {number} of the weights is damaged: its CRC32 does not fit")
        if (state.number, state.kind) != (number, kind) or not places:
            raise ValueError(f"row {number} of the weights is of another place or precision")
        count, rest = divmod(len(state.values), places * size)
        if rest or not 0 < count <= len(columns):
            raise ValueError(
                f"row {number} of the weights has {len(state.values)} bytes, which is no number of "
                f"columns of {places * size} from 1 to {len(columns)}: the learners are others"
            )
        numbers = np.frombuffer(state.values, f"<{kind}").reshape(count, places)
        for column, part in zip(columns[:count], numbers, strict=True):
            column[first : first + places] = part


def columns_in(row: bytes, places: int, itemsize: int) -> int:
    """How many columns a row has."""
    return len(rows.unpack(row, ColumnsRow).values) // (places * itemsize)
