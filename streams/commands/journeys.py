"""`streams journey lint|test|simulate|check|diff|picture`; `streams policy|content lint`."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.terminal import out, print_json, print_lines, table
from streams.faults import UserFault

if TYPE_CHECKING:
    from streams.contract.content import Library
    from streams.contract.journeys import JourneySpec
    from streams.contract.policy import Policy
    from streams.journey_files.findings import Finding
    from streams.journey_files.inline_tests import TestResult
    from streams.journey_files.simulate import SimulationResult

Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="FILES", help="Journey files or folders; default: the shipped ones."),
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A journey file.")]
Content = Annotated[
    Path | None, typer.Option("--content", help="The content library; default: the shipped one.")
]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="The policy file; default: the shipped one.")
]
Users = Annotated[int, typer.Option(min=1, max=100_000, help="Synthetic people.")]
Days = Annotated[int, typer.Option(min=1, max=366, help="Simulated days.")]
Scenario = Annotated[str, typer.Option(help="The story; default: the one that fits the entry.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]

MARKS = {"error": "[red]✗[/red]", "warning": "[yellow]![/yellow]"}


def lint(
    files: Files = None, *, content: Content = None, policy: PolicyFile = None, json: AsJson = False
) -> int:
    """Find what is wrong or unwise in journeys. Exit code 1 where there is an error."""
    found = {str(path): _lint(path, content, policy) for path in _paths(files)}
    if json:
        print_json(
            {
                name: [one._asdict() | {"level": one.level} for one in each]
                for name, each in found.items()
            }
        )
    else:
        for name, findings in found.items():
            _show_findings(name, findings)
    return int(any(one.level == "error" for each in found.values() for one in each))


def test(files: Files = None, *, content: Content = None, policy: PolicyFile = None) -> int:
    """Run the inline tests of journeys in simulated time. Exit code 1 where one fails."""
    failed = 0
    for path in _paths(files):
        results = _test(path, content, policy)
        _show_tests(str(path), results)
        failed += sum(not one.passed for one in results)
    return int(failed > 0)


def simulate(
    file: File,
    *,
    users: Users = 150,
    days: Days = 10,
    scenario: Scenario = "",
    content: Content = None,
    policy: PolicyFile = None,
    json: AsJson = False,
) -> None:
    """Let a journey run among synthetic people, alone: who enters, what goes out, what comes."""
    from streams.journey_files.load import load

    found = _simulate(load(file), users, days, scenario, content, policy)
    if json:
        print_json(found)
    else:
        _show_simulation(found)


def check(files: Files = None, *, content: Content = None, policy: PolicyFile = None) -> int:
    """Lint, inline tests and a small simulation, as before publishing."""
    from streams.journey_files.load import load
    from streams.journey_files.simulate import USERS, WEEK

    failed = 0
    for path in _paths(files):
        started = perf_counter()
        findings = _lint(path, content, policy)
        _show_findings(str(path), findings)
        wrong = any(one.level == "error" for one in findings)
        if not wrong:
            results = _test(path, content, policy)
            _show_tests(str(path), results)
            wrong = any(not one.passed for one in results)
            _show_simulation(_simulate(load(path), USERS, WEEK, "", content, policy))
        failed += wrong
        print_lines(f"{path}: {perf_counter() - started:.2f} s")
    return int(failed > 0)


def refuse_faulty(path: Path, content: Path | None, policy: Path | None) -> None:
    """Raises UserFault where lint finds an error or an inline test fails."""
    errors = [one for one in _lint(path, content, policy) if one.level == "error"]
    if errors:
        one = errors[0]
        more = f" (and {len(errors) - 1} more: `streams journey lint`)" if errors[1:] else ""
        raise UserFault(f"{path}: {one.code} {one.place}: {one.message}; {one.remedy}{more}")
    failed = [one for one in _test(path, content, policy) if not one.passed]
    if failed:
        raise UserFault(
            f"{path}: the test {failed[0].name!r} fails; see `streams journey test {path}`"
        )


def diff(
    older: Annotated[Path, typer.Argument(metavar="OLD", help="The version before.")],
    newer: Annotated[Path, typer.Argument(metavar="NEW", help="The version after.")],
    *,
    json: AsJson = False,
) -> int:
    """What changes between two versions, in a marketer's words. Exit code 1 where NEW may not be
    published after OLD."""
    from streams.journey_files.diff import diff as compare
    from streams.journey_files.lint import lint_versions
    from streams.journey_files.load import load

    before, after = load(older), load(newer)
    changes, findings = compare(before, after), lint_versions(before, after)
    if json:
        print_json([one._asdict() for one in changes])
        return int(bool(findings))
    out.print(f"\n[bold]{after.title}[/bold] {before.id} {before.version} → {after.version}")
    for change in changes:
        out.print(f"  {change.line}", markup=False, soft_wrap=True)
    if not changes:
        print_lines("  没有变化 nothing changes")
    if findings:
        _show_findings(str(newer), findings)
    return int(bool(findings))


def picture(
    file: File,
    target: Annotated[
        Path | None, typer.Option("--out", help="SVG file to write; default: standard output.")
    ] = None,
) -> None:
    """The journey as a picture (SVG)."""
    from streams.journey_files.load import load
    from streams.journey_files.picture import picture as draw

    svg = draw(load(file))
    if target is None:
        print_lines(svg)
        return
    try:
        target.write_text(svg, "utf-8")
    except OSError as error:
        raise UserFault(f"{target}: cannot be written: {error.strerror}") from None
    print_lines(f"{target}: written")


def lint_policy(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Default: the shipped one.")
    ] = None,
) -> int:
    """Find what is wrong in a policy file."""
    from streams import policy_files
    from streams.journey_files.load import deploy

    path = file or deploy() / "policy.toml"
    return _show_faults(str(path), policy_files.lint(path))


def lint_content(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Default: the shipped one.")
    ] = None,
) -> int:
    """Find what is wrong in a content library: lengths, words, placeholders, references."""
    from streams.content_files import lint_library
    from streams.journey_files.load import deploy

    path = folder or deploy() / "content"
    return _show_faults(str(path), [str(fault) for fault in lint_library(path)])


def _paths(given: list[Path] | None) -> list[Path]:
    from streams.journey_files.load import deploy

    found: list[Path] = []
    for path in given or [deploy() / "journeys"]:
        files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
        if not files:
            raise UserFault(f"{path}: holds no *.toml; name a folder of journeys")
        found += files
    return found


def _library(path: Path | None) -> "Library":
    from streams.content_files import load_library
    from streams.journey_files.load import shipped_content

    return shipped_content() if path is None else load_library(path)


def _policy(path: Path | None) -> "Policy":
    from streams import policy_files
    from streams.journey_files.load import shipped_policy

    return shipped_policy() if path is None else policy_files.load(path)


def _lint(path: Path, content: Path | None, policy: Path | None) -> "list[Finding]":
    import tomllib

    from streams.journey_files.lint import lint as find
    from streams.journey_files.load import read

    spec, text = read(path)
    return find(spec, _library(content), _policy(policy), written=tomllib.loads(text))


def _test(path: Path, content: Path | None, policy: Path | None) -> "list[TestResult]":
    from streams.journey_files.inline_tests import run_tests
    from streams.journey_files.load import load

    return run_tests(load(path), _library(content), _policy(policy))


def _simulate(
    spec: "JourneySpec",
    users: int,
    days: int,
    scenario: str,
    content: Path | None,
    policy: Path | None,
) -> "SimulationResult":
    from streams.journey_files.simulate import simulate as run

    try:
        return run(
            spec,
            users,
            days,
            scenario=scenario,
            library=_library(content),
            policy=_policy(policy),
        )
    except ValueError as error:
        raise UserFault(str(error)) from None


def _show_findings(name: str, findings: "list[Finding]") -> None:
    wrong = sum(one.level == "error" for one in findings)
    if not findings:
        out.print(f"[green]✓[/green] {name}", soft_wrap=True)
        return
    out.print(f"{'[red]✗[/red]' if wrong else '[yellow]![/yellow]'} {name}", soft_wrap=True)
    for one in findings:
        out.print(f"    {MARKS[one.level]} ", end="")
        out.print(f"{one.code} {one.place}: {one.message}", markup=False, soft_wrap=True)
        out.print(f"      → {one.remedy}", markup=False, soft_wrap=True)


def _show_tests(name: str, results: "list[TestResult]") -> None:
    passed = sum(one.passed for one in results)
    mark = "[green]✓[/green]" if passed == len(results) else "[red]✗[/red]"
    out.print(f"{mark} {name}: {passed}/{len(results)} 测试通过 tests passed", soft_wrap=True)
    for one in results:
        out.print(f"    {'[green]✓[/green]' if one.passed else '[red]✗[/red]'} ", end="")
        out.print(one.name, markup=False, soft_wrap=True)
        for line in one.problem.splitlines():
            out.print(f"        {line}", markup=False, soft_wrap=True)


def _show_simulation(found: "SimulationResult") -> None:
    from streams.contract.decisions import OUTCOMES
    from streams.journey_files.words import CHANNELS, yuan

    print_lines(
        f"\n{found.journey}: {found.users:,} 人 people × {found.days} 天 days · {found.scenario} · "
        f"{found.events:,} 事件 events"
    )
    rows = [
        ["符合进入条件 matched", f"{found.matched:,}"],
        ["进入 entered", f"{found.entered:,}"],
        ["仍在途中 still inside", f"{found.inside:,}"],
        ["发出 sent", f"{found.sends:,}"],
        ["优惠券承诺 coupons promised", yuan(found.promised_fen)],
        ["优惠券核销 coupons redeemed", yuan(found.spent_fen)],
    ]
    table("结果 Result", ["", ""], rows)
    if found.sent:
        channels = list(dict.fromkeys(name for each in found.sent.values() for name in each))
        named = [CHANNELS[name].zh if name in CHANNELS else name for name in channels]
        table(
            "发出 Sent by arm and channel",
            ["arm", *named],
            ([arm, *(f"{each.get(c, 0):,}" for c in channels)] for arm, each in found.sent.items()),
        )
    if found.refused:
        rows = [[code, f"{n:,}", OUTCOMES[code]] for code, n in found.refused.items()]
        table("没有发 Not sent", ["code", "n", ""], rows)
    if found.goal:
        rows = [
            [arm or "(refused)", f"{decided:,}", f"{reached:,}", f"{reached / decided:.1%}"]
            for arm, (decided, reached) in found.goal.items()
        ]
        table("达成目标 Goal by arm (hold: 对照组)", ["arm", "decided", "goal", "rate"], rows)
    else:
        print_lines("目标 Goal: no window has ended yet; simulate more days")


def _show_faults(name: str, faults: list[str]) -> int:
    mark = "[red]✗[/red]" if faults else "[green]✓[/green]"
    out.print(f"{mark} {name}", soft_wrap=True)
    for fault in faults:
        out.print(f"    {fault}", markup=False, soft_wrap=True)
    return int(bool(faults))
