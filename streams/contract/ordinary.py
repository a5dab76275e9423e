"""The ordinary event straight from its bytes: every field known, every type right.

What these decoders accept, the intake's careful way (JSON, then conversion) accepts too, and to the
same values, with nothing converted and nothing unknown. What they refuse may still be an event.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from streams.contract.envelope import PASSED_OVER, Envelope
from streams.contract.events import TYPES
from streams.contract.shapes import Shape, shape_of

_Ordinary: Final[Any] = msgspec.defstruct(
    "_Ordinary",
    [
        ("data", msgspec.Raw),
        ("specversion", Literal["1.0"], "1.0"),
        *((name, str, "") for name in sorted(PASSED_OVER)),
    ],
    bases=(Envelope,),
    kw_only=True,
    forbid_unknown_fields=True,
)


class DataReader(NamedTuple):
    structure: type[Struct]
    read: Callable[[msgspec.Raw], Any]  # raises msgspec.DecodeError, ValueError, RecursionError


def _reader(shape: Shape) -> DataReader:
    structure, decode = shape.structure, msgspec.json.Decoder(_strict(shape)).decode
    nested = [(name, inner.structure) for name, inner in shape.nested.items()]

    def read(raw: msgspec.Raw) -> Any:
        return structure(*astuple(decode(raw)))

    def read_nested(raw: msgspec.Raw) -> Any:
        strict = decode(raw)
        for name, item_structure in nested:
            items = getattr(strict, name)
            setattr(strict, name, [item_structure(*astuple(item)) for item in items])
        return structure(*astuple(strict))

    return DataReader(structure, read_nested if nested else read)


def _strict(shape: Shape) -> type[Struct]:
    """The same structure, in which an unknown field is an error."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(shape.structure):
        kind = field.type
        if field.name in shape.nested:
            inner = _strict(shape.nested[field.name])
            kind = Annotated[list[inner], *kind.__metadata__]  # type: ignore[valid-type]
        made = field.default_factory is not msgspec.NODEFAULT
        default: Any = (
            msgspec.field(default_factory=field.default_factory)
            if made
            else msgspec.field(default=field.default)  # none where the field is required
        )
        fields.append((field.name, kind, default))
    return msgspec.defstruct(shape.structure.__name__, fields, forbid_unknown_fields=True)


# An Envelope but for `data`, which is left as bytes for its type's reader.
read_envelope: Final = msgspec.json.Decoder(_Ordinary).decode
DATA_READERS: Final = {name: _reader(shape_of(data)) for name, data in TYPES.items()}
