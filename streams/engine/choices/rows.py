"""A chooser's state as a row: its schema version, then a typed and tagged msgpack array."""

from typing import TypeVar

import msgspec
from msgspec import Struct

SCHEMA = 1
State = TypeVar("State", bound=Struct)

_header = msgspec.msgpack.Decoder(tuple[int, msgspec.Raw])


def pack(state: Struct) -> bytes:
    return msgspec.msgpack.encode((SCHEMA, state))


def unpack(row: bytes, what: type[State]) -> State:
    """Raises ValueError for a row that is broken, of a newer schema or of another chooser."""
    try:
        schema, state = _header.decode(row)
        if schema > SCHEMA:
            raise ValueError(f"a row of schema {schema}; this version knows {SCHEMA} and older")
        return msgspec.msgpack.decode(state, type=what)
    except msgspec.DecodeError as error:
        raise ValueError(f"no row of a {what.__struct_config__.tag} chooser: {error}") from error
