"""The state of a model or a chooser as a row: its schema version, then a typed msgpack array."""

from typing import TypeVar

import msgspec
from msgspec import Struct

SCHEMA = 1
Part = TypeVar("Part", bound=Struct)

_header = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])


def pack(part: Struct) -> bytes:
    return msgspec.msgpack.encode((SCHEMA, part))


def unpack(row: bytes, what: type[Part]) -> Part:
    """Raises ValueError for a row that is broken, of a newer schema or of something else."""
    try:
        schema, part = _header.decode(row)
        if schema > SCHEMA:
            raise ValueError(f"a row of schema {schema}; this version knows {SCHEMA} and older")
        return msgspec.msgpack.decode(part, type=what)
    except msgspec.DecodeError as error:
        raise ValueError(f"no row of a {what.__name__}: {error}") from error
