"""What is in force at each place of a partition's log: policy, journeys, pauses, by the genesis
record and the commands after it.

A command that its partition reports as refused changes nothing; one that must be refused and is
reported as taken is a fault.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from streams.contract.control import ALL, digest
from streams.contract.journeys import JourneySpec
from streams.contract.policy import Policy
from streams.contract.records import Control, Genesis
from streams.contract.reports import Applied

POLICY_ACCOUNT = "policy"
HALTED = ("paused", "retired", "draft")


class Limits(NamedTuple):
    """Of one account, as they were in force at some time; 0: none."""

    total_fen: int
    daily_fen: int


class InForce:
    """`applied`: what the partition reported of its commands, in order; None: not known."""

    def __init__(self, genesis: Genesis, applied: Sequence[Applied] | None) -> None:
        plain: dict[str, Any] = genesis.config
        self.late_ms = int(plain["late_ms"])
        self.tenant = str(plain["tenant"])
        self.policy = msgspec.convert(plain["policy"], Policy)
        self.wrong: list[str] = []
        self.limits: dict[str, list[Limits]] = {}
        self._versions: dict[tuple[str, int], JourneySpec] = {}
        self._digests: dict[tuple[str, int], str] = {}
        self._newest: dict[str, JourneySpec] = {}
        self._paused: dict[str, bool] = {}
        self._policy_version = 0
        self._applied = None if applied is None else list(applied)
        self._limit(POLICY_ACCOUNT, _of_policy(self.policy))
        for spec in msgspec.convert(plain["journeys"], list[JourneySpec]):
            self._take(spec, "")

    def version(self, name: str, version: int) -> JourneySpec | None:
        return self._versions.get((name, version))

    def is_paused(self, name: str) -> bool:
        newest = self._newest.get(name)
        paused = self._paused.get(name, False) or self._paused.get(ALL, False)
        return paused or newest is None or newest.status in HALTED

    def apply(self, command: Control) -> None:
        """A command that is no redelivery, at its place in the log."""
        problem = objection = self._objection(command)
        if self._applied is not None:
            report = self._applied.pop(0) if self._applied else None
            if report is None or _label(report) != _label(command):
                self.wrong.append(f"command {_label(command)}: there is no report of it")
            else:
                problem = report.problem
            if objection and not problem:
                self.wrong.append(f"command {_label(command)}: took effect although {objection}")
        if not problem and not objection:
            self._put(command)

    def end(self) -> list[str]:
        """What is wrong with the commands as a whole."""
        return self.wrong + [f"report {_label(one)}: of no command" for one in self._applied or ()]

    def _put(self, command: Control) -> None:
        if command.kind in ("pause", "resume"):
            self._paused[command.id] = command.kind == "pause"
        elif command.kind == "policy":
            if command.version > self._policy_version:
                self._policy_version = command.version
                self.policy = msgspec.convert(command.body, Policy)
                self._limit(POLICY_ACCOUNT, _of_policy(self.policy))
        elif command.kind == "journey" and (command.id, command.version) not in self._versions:
            self._take(msgspec.convert(command.body, JourneySpec), command.sha256)

    def _objection(self, command: Control) -> str:
        """Why the command must not take effect, in words."""
        if command.kind in ("pause", "resume"):
            known = command.id == ALL or command.id in self._newest
            return "" if known else "no such journey was published"
        if digest(command.body) != command.sha256:
            return "its digest is another"
        try:
            if command.kind == "policy":
                msgspec.convert(command.body, Policy)
            elif command.kind == "journey":
                msgspec.convert(command.body, JourneySpec)
        except msgspec.ValidationError as error:
            return f"it cannot be read: {error}"
        if command.kind != "journey":
            return ""
        newest = self._newest.get(command.id)
        again = self._digests.get((command.id, command.version)) == command.sha256
        if newest is not None and command.version <= newest.version and not again:
            return f"version {newest.version} was published before"
        return ""

    def _take(self, spec: JourneySpec, sha256: str) -> None:
        self._versions[spec.id, spec.version] = spec
        body = msgspec.to_builtins(spec)
        body.pop("test", None)
        self._digests[spec.id, spec.version] = sha256 or digest(body)
        newest = self._newest.get(spec.id)
        if newest is None or newest.version < spec.version:
            self._newest[spec.id] = spec
        if has_budget(spec):
            self._limit(spec.id, Limits(spec.budget.total_fen, spec.budget.daily_fen))

    def _limit(self, account: str, limits: Limits) -> None:
        self.limits.setdefault(account, []).append(limits)


def has_budget(spec: JourneySpec) -> bool:
    """Whether the journey has an account of its own beside the policy's."""
    return bool(spec.budget.total_fen or spec.budget.daily_fen)


def _of_policy(policy: Policy) -> Limits:
    return Limits(policy.total_budget_fen, policy.daily_budget_fen)


def _label(command: Control | Applied) -> str:
    return f"{command.kind} {command.id}@{command.version}"
