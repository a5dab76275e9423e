"""Letters between models of different partitions, as they stand on the log, and what is refused.

To one model: {"model": name, "version": 2, "letter": {...}}, for `Model.receive`. What was learned,
a letter to each model in one mail: {"learned": {name: delta}, "versions": {name: 2}}, for
`Model.absorb`. A letter without a version is of before there were any: of version 1.

A letter is read whole before anything is changed, so one that is malformed changes nothing: it is
counted and gone, for no release will ever read it, and what else is in the mail counts. So is one
to a model that is not here: nothing here could hold what it says.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, NamedTuple

from msgspec import Meta

from streams.engine.models.model import Body, Model
from streams.engine.outcome import Effect
from streams.learning.logistic import INTERCEPT, LogisticDelta

FIRST: Final = 1  # version of letters that do not say theirs
MOST: Final = 1e15  # of any number: sums of many such are still finite
UNKNOWN: Final = "unknown"  # stands for models that are not here

# What letters are made of. Bounds are far beyond what partitions tell each other in an hour.
UserId = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Count = Annotated[int, Meta(ge=0, le=10**9)]
Amount = Annotated[float, Meta(ge=0.0, le=1e9)]
TimeMs = Annotated[int, Meta(ge=0, le=10**14)]


class NewerLetterError(ValueError):
    """A letter of a newer release. The fold stops before it, as before a row of a newer version:
    the letter is sound and stays on the log, so whoever is upgraded folds it and no sum is lost.
    Refused and counted it would be lost for good, for each sum is told once; and a replay by the
    newer release would end in another state than the one that was lived."""


class Letter(NamedTuple):
    model: str
    version: object
    body: object
    learned: bool  # for `absorb`, not for `receive`


class Post:
    """The letters of all models of this partition. `refused` is told whose letter was none."""

    def __init__(self, models: Sequence[Model], refused: Callable[[str], None]) -> None:
        self._models = {model.NAME: model for model in models}
        self._refused = refused

    def deliver(self, body: object, now_ms: int) -> list[Effect]:
        """All letters of a mail. Raises NewerLetterError before any of them is read."""
        letters = letters_in(body)
        for letter in letters:
            self._check_version(letter)
        return [effect for letter in letters for effect in self._deliver(letter, now_ms)]

    def learned(self) -> Body | None:
        """What all learned since the last call, as the body of a mail; None: nothing."""
        told = [(model, model.share()) for model in self._models.values()]
        found = {model.NAME: delta for model, delta in told if delta is not None}
        versions = {name: self._models[name].LETTERS for name in found}
        return {"learned": found, "versions": versions} if found else None

    def _check_version(self, letter: Letter) -> None:
        model, version = self._models.get(letter.model), letter.version
        if model is not None and type(version) is int and version > model.LETTERS:
            raise NewerLetterError(
                f"a letter to the {letter.model} model is of version {version}, this release reads "
                f"up to {model.LETTERS}: run the release that wrote it, or a newer one"
            )

    def _deliver(self, letter: Letter, now_ms: int) -> list[Effect]:
        model = self._models.get(letter.model)
        if model is None:
            self._refused(UNKNOWN)
            return []
        try:
            body = _sound(letter)
            read = model.read_delta(body) if letter.learned else model.read(body)
        except ValueError:
            self._refused(letter.model)
            return []
        if not letter.learned:
            return model.receive(read, now_ms)
        model.absorb(read, now_ms)
        return []


def letters_in(body: object) -> list[Letter]:
    """Those of a mail; one to nobody where it is no mail of models."""
    if isinstance(body, dict):
        if "model" in body:
            name, version = str(body["model"]), body.get("version", FIRST)
            return [Letter(name, version, body.get("letter"), learned=False)]
        learned, versions = body.get("learned"), body.get("versions", {})
        if isinstance(learned, dict) and isinstance(versions, dict):
            return [
                Letter(str(name), versions.get(name, FIRST), delta, learned=True)
                for name, delta in learned.items()
            ]
    return [Letter(UNKNOWN, FIRST, None, learned=False)]


def _sound(letter: Letter) -> Body:
    """Its body. Raises ValueError where that or the version is none, and for a number that is not
    finite or beyond all that is told."""
    if type(letter.version) is not int or letter.version < FIRST:
        raise ValueError(f"{letter.version!r} is no version")
    if not isinstance(letter.body, dict):
        raise ValueError("a letter is an object")
    parts: list[Any] = [letter.body]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, int | float) and not abs(part) <= MOST:  # so that NaN is caught
            raise ValueError(f"{part!r} is nothing a model says")
    return letter.body


def check_weights(delta: LogisticDelta, size: int) -> None:
    """Raises ValueError where a delta does not fit together, or not a learner of `size` features
    beside the intercept."""
    places, named = delta.places, sum(place != INTERCEPT for place in delta.places)
    if not len(places) == len(delta.sums) == len(delta.squares):
        raise ValueError(f"{len(places)} places, other numbers of sums or squares")
    if len(delta.names) not in (0, named):
        raise ValueError(f"{named} places with {len(delta.names)} names")
    if len(set(places)) != len(places):
        raise ValueError("a place twice")
    if any(not INTERCEPT <= place < size for place in places):
        raise ValueError(f"a place beyond {size} features")
    if delta.examples < 0 or any(square <= 0.0 for square in delta.squares):
        raise ValueError("less than nothing was learned")


def check_size(what: str, found: int, wanted: int) -> None:
    """Raises ValueError."""
    if found != wanted:
        raise ValueError(f"{found} {what}, not {wanted}")
