"""People's rows at half their size: zstandard with a dictionary of what such rows have in common.

A row is a few hundred bytes, too short for a compressor to learn from; the dictionary brings the
names and shapes along (category and journey names, defaults, the skeleton of a profile). It is part
of the format: another one means another version of the row. The same library packs the same bytes,
so rows stay comparable within one image; any version of it unpacks them.
"""

from base64 import b85decode
from typing import Final

from zstandard import ZstdCompressionDict, ZstdCompressor, ZstdDecompressor, ZstdError

from streams.engine.packing_dictionary import DICTIONARY

LEVEL: Final = 1  # a higher one saves another 2 % and takes twice the time
MOST: Final = 1 << 20  # bytes of an unpacked row; a damaged one must not fill the memory

_dictionary = ZstdCompressionDict(b85decode("".join(DICTIONARY.split())))
_dictionary.precompute_compress(level=LEVEL)
_compressor = ZstdCompressor(level=LEVEL, dict_data=_dictionary, write_dict_id=False)
_decompressor = ZstdDecompressor(dict_data=_dictionary)


def pack(row: bytes) -> bytes:
    return _compressor.compress(row)


def unpack(packed: bytes | memoryview) -> bytes:
    """Raises ValueError for what `pack` did not make."""
    try:
        return _decompressor.decompress(packed, max_output_size=MOST)
    except ZstdError as error:
        raise ValueError(f"a packed row is damaged: {error}") from None
