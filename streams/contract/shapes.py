"""What a structure of the contract knows: its fields, which are text, which hold structures.

The intake needs it to count unknown fields and to convert what is clear though of another type.
"""

from typing import Any, NamedTuple

import msgspec
from msgspec import Struct


class Shape(NamedTuple):
    structure: type[Struct]
    known: frozenset[str]
    texts: frozenset[str]
    optional: frozenset[str]
    nested: dict[str, "Shape"]  # field -> the structure its list holds


def shape_of(structure: type[Struct]) -> Shape:
    kinds = {
        field.name: _bare(kind.type)
        for field, kind in zip(
            msgspec.structs.fields(structure), _struct_type(structure).fields, strict=True
        )
    }
    return Shape(
        structure=structure,
        known=frozenset(kinds),
        texts=frozenset(
            n for n, kind in kinds.items() if isinstance(kind, msgspec.inspect.StrType)
        ),
        optional=frozenset(f.name for f in msgspec.structs.fields(structure) if not f.required),
        nested={
            name: shape_of(item.cls)
            for name, kind in kinds.items()
            if isinstance(kind, msgspec.inspect.ListType)
            and isinstance(item := _bare(kind.item_type), msgspec.inspect.StructType)
        },
    )


def unknown_fields(fields: dict[str, Any], shape: Shape) -> int:
    """How many fields the contract does not know, in this structure and in those it holds."""
    count = strangers(fields, shape.known)
    if not shape.nested:
        return count
    for name, inner in shape.nested.items():
        items = fields.get(name)
        if type(items) is list:
            count += sum(unknown_fields(item, inner) for item in items if type(item) is dict)
    return count


def strangers(fields: dict[str, Any], known: frozenset[str]) -> int:
    return 0 if known.issuperset(fields) else len(fields.keys() - known)


def convert_loosely(fields: dict[str, Any], shape: Shape) -> tuple[Any, int]:
    """Convert what is clear though of another type; the structure and how many values it took.

    Numbers and booleans written as text, whole numbers where text is expected (an id sent as a
    number), whole floats where an integer is, null where a field may be absent. Never a boolean as
    a number. Raises msgspec.ValidationError.
    """
    loosened, count = _loosen(fields, shape)
    structure = msgspec.convert(loosened, shape.structure, strict=False)
    return structure, count + _conversions(loosened, structure, shape)


def _loosen(fields: dict[str, Any], shape: Shape) -> tuple[dict[str, Any], int]:
    loosened: dict[str, Any] = {}
    count = 0
    for name, value in fields.items():
        if name not in shape.known:
            continue
        if value is None and name in shape.optional:
            count += 1
        elif type(value) is int and name in shape.texts:
            loosened[name] = str(value)
            count += 1
        elif name in shape.nested and type(value) is list:
            inner = [
                _loosen(item, shape.nested[name]) if type(item) is dict else (item, 0)
                for item in value
            ]
            loosened[name] = [item for item, _ in inner]
            count += sum(changed for _, changed in inner)
        else:
            loosened[name] = value
    return loosened, count


def _conversions(before: dict[str, Any], after: Struct, shape: Shape) -> int:
    count = 0
    for name, value in before.items():
        result = getattr(after, name)
        if name in shape.nested:
            pairs = zip(value, result, strict=True)
            count += sum(_conversions(old, new, shape.nested[name]) for old, new in pairs)
        elif type(value) is not type(result) and not (type(value) is int and type(result) is float):
            count += 1
    return count


def _struct_type(structure: type[Struct]) -> msgspec.inspect.StructType:
    info = _bare(msgspec.inspect.type_info(structure))
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{structure!r} is no msgspec structure")
    return info


def _bare(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    return kind.type if isinstance(kind, msgspec.inspect.Metadata) else kind
