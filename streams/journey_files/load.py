"""Journeys, policy and content from their files; those that come with the software.

What is wrong in a file is a UserFault: file and line, what, and what to do.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from streams import policy_files
from streams.content_files import load_library
from streams.contract.content import Library
from streams.contract.journeys import JourneySpec
from streams.contract.policy import Policy
from streams.faults import UserFault
from streams.journey_files.places import line_of

MOST_BYTES: Final = 1024 * 1024
_PACKAGE: Final = Path(__file__).parents[1]
_UNKNOWN: Final = re.compile(r"unknown field `(.+?)`")

T = TypeVar("T", bound=Struct)


def load(path: Path) -> JourneySpec:
    """The journey of one file. Raises UserFault."""
    spec, _ = read(path)
    return spec


def read(path: Path) -> tuple[JourneySpec, str]:
    """The journey, and the text it was read from. Raises UserFault."""
    text = _text(path)
    return parse(text, str(path)), text


def parse(text: str, name: str) -> JourneySpec:
    """The journey of a text; `name` is what faults call its file. Raises UserFault."""
    return _converted(_table(text, name), text, name, JourneySpec)


def load_all(directory: Path) -> list[JourneySpec]:
    """Every `*.toml` of a directory, by file name. Raises UserFault, for two of one id as well."""
    files = sorted(directory.glob("*.toml"))
    if not files:
        raise UserFault(f"{directory}: holds no *.toml; name a directory of journeys")
    found: dict[str, Path] = {}
    specs = []
    for path in files:
        spec = load(path)
        if spec.id in found:
            raise UserFault(
                f"{path}: id {spec.id!r} stands in {found[spec.id]} already; give it another id"
            )
        found[spec.id] = path
        specs.append(spec)
    return specs


def deploy() -> Path:
    """The files that come with the software: in a wheel its data, else those of the source tree.
    Raises UserFault."""
    for place in (_PACKAGE / "shipped", _PACKAGE.parent / "deploy"):
        if (place / "journeys").is_dir():
            return place
    raise UserFault(f"{_PACKAGE}: the shipped journeys are missing; install the package anew")


@cache
def shipped() -> tuple[JourneySpec, ...]:
    """The journeys that come with the software, by id."""
    specs = load_all(deploy() / "journeys")
    return tuple(sorted(specs, key=_id))


@cache
def shipped_content() -> Library:
    return load_library(deploy() / "content")


@cache
def shipped_policy() -> Policy:
    return policy_files.load(deploy() / "policy.toml")


def shipped_journey(name: str) -> JourneySpec:
    """Raises UserFault with the names there are."""
    for spec in shipped():
        if spec.id == name:
            return spec
    raise UserFault(f"no shipped journey {name!r}; there are: {', '.join(map(_id, shipped()))}")


def _id(spec: JourneySpec) -> str:
    return spec.id


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserFault(f"{path}: larger than {MOST_BYTES} bytes; a journey is a page of text")
        return path.read_text("utf-8")
    except OSError as error:
        raise UserFault(f"{path}: cannot be read: {error.strerror}; check the path") from None
    except UnicodeDecodeError as error:
        raise UserFault(f"{path}: byte {error.start} is no UTF-8; save it as UTF-8") from None


def _table(text: str, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        place = f"{name}:{line.group(1)}" if line else name
        raise UserFault(f"{place}: is no TOML: {error}") from None


def _converted(table: dict[str, Any], text: str, name: str, what: type[T]) -> T:
    try:
        return msgspec.convert(table, what)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`").lstrip(".")
        unknown = _UNKNOWN.search(message)
        if unknown:
            path, message = _misspelt(path, unknown.group(1), what)
        elif message.startswith("Object missing"):
            message += "; add it"
        shown = f" {path}" if path else ""
        raise UserFault(f"{name}:{line_of(text, path)}{shown}: {message}") from None


def _misspelt(path: str, key: str, what: type[Struct]) -> tuple[str, str]:
    """Path of an unknown key, and what was probably meant."""
    known = sorted(_keys_at(path, what))
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    remedy = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
    return f"{path}.{key}".lstrip("."), f"there is no key {key!r} here; {remedy}"


def _keys_at(path: str, what: type[Struct]) -> Iterable[str]:
    """The keys of the structure that a decoder's path leads to."""
    info = msgspec.inspect.type_info(what)
    for step in re.findall(r"[^.\[\]]+", path):
        if step.isdigit() or step == "...":
            continue
        assert isinstance(info, msgspec.inspect.StructType)
        kind = next(one.type for one in info.fields if one.encode_name == step)
        found = _structure(kind)
        if found is None:
            return ()
        info = found
    assert isinstance(info, msgspec.inspect.StructType)
    return (one.encode_name for one in info.fields)


def _structure(kind: msgspec.inspect.Type) -> msgspec.inspect.StructType | None:
    if isinstance(kind, msgspec.inspect.StructType):
        return kind
    if isinstance(kind, msgspec.inspect.ListType | msgspec.inspect.VarTupleType):
        return _structure(kind.item_type)
    if isinstance(kind, msgspec.inspect.DictType):
        return _structure(kind.value_type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return next(filter(None, map(_structure, kind.types)), None)
    return None
