"""The policy from its file: `deploy/policy.toml`, with the list of holidays that it names."""

import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from streams.contract.events import TYPES
from streams.contract.policy import SPEC, Entitlement, Policy
from streams.faults import UserFault

MOST_BYTES: Final = 1024 * 1024
MOST_HOLIDAY_DAYS: Final = 60  # in one stretch: more is a mistake in a year
TEMPLATED: Final = "template_id"


class PolicyError(UserFault):
    """The first fault of a policy, and how many there are."""


class Holiday(Struct, forbid_unknown_fields=True, rename={"first": "from", "last": "to"}):
    name: str
    first: str
    last: str


class Year(Struct, forbid_unknown_fields=True):
    year: int
    verified: bool
    checked: str
    source: str
    days: list[Holiday]


class Holidays(Struct, forbid_unknown_fields=True):
    spec: Literal["holidays/1"]
    year: list[Year]


def load(path: Path) -> Policy:
    """The policy of a file, holidays filled in. Raises PolicyError if it has a fault."""
    policy, faults = _read(path)
    if policy is None or faults:
        more = f" (and {len(faults) - 1} more: streams policy lint)" if len(faults) > 1 else ""
        raise PolicyError(f"{faults[0]}{more}")
    return policy


def lint(path: Path) -> list[str]:
    """Every fault: the key, what is wrong, what to do. Empty: the policy is good."""
    return _read(path)[1]


def _read(path: Path) -> tuple[Policy | None, list[str]]:
    try:
        fields = _table(path)
        if fields.get("spec") != SPEC:
            found = fields.get("spec", "nothing")
            return None, [f"{path}: spec is {found!r}: write spec = {SPEC!r}"]
        _fill_holidays(path, fields)
        policy = msgspec.convert(fields, Policy)
    except PolicyError as error:
        return None, [str(error)]
    except msgspec.ValidationError as error:
        return None, [f"{path}: {error}: see schemas/policy.json for what may stand there"]
    said: list[Any] = fields.get("cap", [])
    caps = (f"cap {number}: {fault}" for number, cap in enumerate(said, 1) for fault in _cap(cap))
    rights = policy.entitlements if "entitlement" in fields else ()
    found = (*caps, *_faults(policy), *_entitlements(rights))
    return policy, [f"{path}: {fault}" for fault in found]


def _table(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PolicyError(f"{path}: more than {MOST_BYTES} bytes: is it the right file?")
        fields = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}: check the path") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: byte {error.start} is no UTF-8: save it as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"{path}: no TOML: {error}") from error
    plain: dict[str, Any] = _plain(fields)
    return plain


def _plain(value: Any) -> Any:
    """TOML's own dates become texts."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _fill_holidays(path: Path, fields: dict[str, Any]) -> None:
    """Where `quiet.holidays` names a file, its days take the place of the name."""
    quiet = fields.get("quiet")
    if not isinstance(quiet, dict) or not isinstance(quiet.get("holidays"), str):
        return
    file = path.parent / quiet["holidays"]
    try:
        holidays = msgspec.convert(_table(file), Holidays)
        quiet["holidays"] = [
            day.isoformat() for year in holidays.year for one in year.days for day in _days(one)
        ]
    except msgspec.ValidationError as error:
        raise PolicyError(f"{file}: {error}: mend it as in deploy/holidays.toml") from error
    except ValueError as error:
        raise PolicyError(f"{file}: {error}: write dates as 2026-10-01") from error


def _days(holiday: Holiday) -> Iterator[date]:
    first, last = date.fromisoformat(holiday.first), date.fromisoformat(holiday.last)
    length = (last - first).days + 1
    if not 1 <= length <= MOST_HOLIDAY_DAYS:
        raise ValueError(f"{holiday.name} from {first} to {last} has {length} days")
    return (first + timedelta(days=number) for number in range(length))


def _cap(said: dict[str, Any]) -> Iterator[str]:
    if "max" not in said:
        yield "has no max and so limits nothing: write max = 3 (0 is never), or take the cap out"
    if "per" not in said and "window_ms" not in said:
        yield "does not say per: write a rolling window ('24h') or a unit ('calendar day')"


def _faults(policy: Policy) -> Iterator[str]:
    for name, hours in (("quiet", policy.quiet), ("quiet_service", policy.quiet_service)):
        if hours is None:
            continue
        if not _is_zone(hours.zone):
            yield f"{name}.zone: there is no zone {hours.zone!r}: write e.g. 'Asia/Shanghai'"
        for text in hours.holidays:
            if not _is_date(text):
                yield f"{name}.holidays: {text!r} is no date: write e.g. '2026-10-01'"
        if hours.on_holiday != "send" and not hours.holidays:
            yield f"{name}.on_holiday: there are no holidays: name a file in {name}.holidays"
    if policy.quiet_service is not None and policy.quiet_service.on_holiday != "send":
        yield "quiet_service.on_holiday: holidays are about marketing: take it out"
    seen: dict[tuple[str, str, str, int], None] = {}
    for number, cap in enumerate(policy.caps, 1):
        key = (cap.purpose, cap.channel, cap.per, cap.window_ms)
        if key in seen:
            yield f"cap {number}: another one is of the same purpose, channel and per: keep one"
        seen[key] = None


def _entitlements(rights: tuple[Entitlement, ...]) -> Iterator[str]:
    for number, said in enumerate(rights, 1):
        for fault in _entitlement(said):
            yield f"entitlement {number} ({said.channel}): {fault}"


def _entitlement(said: Entitlement) -> Iterator[str]:
    for kind in (*said.grant_on, *said.revoke_events):
        structure = TYPES.get(kind)
        if structure is None:
            yield f"there is no event {kind!r}: see schemas/ for the events"
        elif said.per_template and TEMPLATED not in structure.__struct_fields__:
            yield f"{kind} names no template: take per_template out"
    if said.channel == "ads":
        yield "ads need consent only, nobody grants them: take it out"
    dates = {"since": said.since, "until": said.until, "checked": said.checked}
    wrong = [name for name, text in dates.items() if text and not _is_date(text)]
    for name in wrong:
        yield f"{name}: {dates[name]!r} is no date: write e.g. '2026-11-22'"
    if not wrong and said.until and said.since >= said.until:
        yield f"since {said.since} is not before until {said.until}: it would never be in force"
    if not said.checked or not said.source:
        yield "does not say when it was checked and where it is written: add checked and source"


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
