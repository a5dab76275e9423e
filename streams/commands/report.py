"""`streams report`: what came of the journeys, measured against their control groups."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from streams.commands.configuration import settings
from streams.commands.terminal import print_json, print_lines, table
from streams.contract.reports import JourneyReport
from streams.faults import UserFault
from streams.report import figures
from streams.report.words import ARMS, LIFECYCLES, Words, journey, outcome, pick, verdict

MOST_OUTCOMES = 6


def report(
    folder: Annotated[
        Path | None, typer.Option("--in", "--out", help="A folder that demo or replay wrote.")
    ] = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="From the running deployment's topic.")] = (
        False
    ),
    only: Annotated[str, typer.Option("--journey", help="Only this journey, by its id.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page instead.")] = None,
) -> None:
    """Delivered, opened, redeemed, converted; and the effect against the control groups."""
    from streams.evaluation.effect import results

    if (folder is None) == (not live):
        raise typer.BadParameter("give either --in DIR or --live")
    reports = _live() if folder is None else _written(folder)
    found: list[dict[str, Any]] = msgspec.to_builtins(results(reports))
    if only:
        known = ", ".join(one["journey"] for one in found)
        found = [one for one in found if one["journey"] == only]
        if not found:
            raise UserFault(f"no results of a journey {only!r}; there are: {known or 'none yet'}")
    if html is not None:
        _write_page(html, found)
    elif json:
        print_json(found)
    else:
        show_effects(found)
        for one in figures.ordered(found):
            _show_journey(one)


def show_effects(found: Sequence[Mapping[str, Any]]) -> None:
    """One line for each journey: what it changed, beside what last touch says."""
    if not found:
        print_lines("还没有旅程结果。No results of journeys yet.")
        return
    rows = []
    for one in figures.ordered(found):
        effect, name = one["effect"], _name(one)
        treated, held = effect["treated"], effect["held_out"]
        rows.append(
            (
                f"{name.zh} {one['journey']}",
                f"{treated['people']:,} · {figures.share(treated['share'])}",
                f"{held['people']:,} · {figures.share(held['share'])}",
                figures.points(effect["conversion"]),
                figures.share(figures.touch(one)),
            )
        )
    table(
        "旅程效果 What the journeys changed (95 %)",
        (
            *("", "可得 treated", "对照 held out"),
            *("增量 effect", "末次触点 last touch"),
        ),
        rows,
    )
    print_lines(
        "增量 = 可得的人 − 对照组，随机分组；末次触点把本来也会发生的也算进来。\n"
        "Effect: everybody not held out less the control groups, drawn at random. Last touch: "
        "messages that a goal\nwas credited to; it counts what would have come anyway."
    )


def _show_journey(one: Mapping[str, Any]) -> None:
    name = _name(one)
    table(
        f"{name.zh} {one['journey']} v{one['version']}  {figures.goal(one)}",
        (
            *(
                "方案\narm",
                "决策\ndecided",
                "发出\nsent",
                "送达\ndeliv.",
                "打开\nopen",
                "点击\nCTR",
            ),
            *("核销\nused", "达成\ngoal", "价值\nvalue", "成本\ncost", "每次达成\nper goal"),
            "阅读\nreads",
        ),
        [_arm(arm) for arm in one["arms"]],
    )
    effect, touch = one["effect"], one["last_touch"]
    rows = [
        ("达成率 conversion", figures.points(effect["conversion"])),
        ("多达成 extra goals", figures.number(effect["extra"])),
        ("人均价值 value per person", figures.yuan(effect["value_fen"])),
        ("券的回报 return on cost", figures.times(effect["return_on_cost"])),
        (
            "末次触点 last touch",
            f"{touch['credited']:,} / {touch['sent']:,}, {figures.money(touch['credited_fen'])}",
        ),
        *(
            (
                f"· {pick(LIFECYCLES, part['lifecycle']).zh} {part['lifecycle']}",
                figures.points(part["conversion"]),
            )
            for part in one["segments"]
        ),
    ]
    table("增量 Effect", ("", ""), rows)
    measured = effect["conversion"]
    if figures.is_measured(measured):
        print_lines(" ".join(verdict(measured["low"], measured["high"])))
    codes = list(one["outcomes"].items())[:MOST_OUTCOMES]
    print_lines(" · ".join(f"{outcome(code).zh} {code} {count:,}" for code, count in codes))


def _arm(arm: Mapping[str, Any]) -> tuple[str, ...]:
    reads = f"{arm['reads']:,} ({arm['dwell_ms'] // 1000:,} s)" if arm["reads"] else "—"
    return (
        f"{pick(ARMS, arm['arm']).zh} {arm['arm']}",
        *figures.of_arm(arm),
        reads,
    )


def _name(one: Mapping[str, Any]) -> Words:
    return journey(one["journey"], {one["journey"]: one["title"]})


def _written(folder: Path) -> list[JourneyReport]:
    from streams.summary import journey_reports

    path = folder / "reports.ndjson"
    try:
        return journey_reports(folder)
    except OSError as error:
        raise UserFault(
            f"{path}: cannot be read: {error.strerror}; give a folder that demo or replay wrote"
        ) from None
    except msgspec.DecodeError as error:
        raise UserFault(f"{path}: is not what demo or replay wrote: {error}") from None


def _live() -> list[JourneyReport]:
    from streams.commands.live import with_kafka

    found: list[JourneyReport] = with_kafka(partial(_read_topic, settings()))
    return found


async def _read_topic(found: Any) -> list[JourneyReport]:
    """Every report on the topic; the latest of each partition is picked later."""
    from streams.contract.reports import Report
    from streams.contract.topics import REPORTS
    from streams.runtime.dump import records
    from streams.runtime.kafka import AioKafka

    decoder = msgspec.json.Decoder(Report)
    kafka, latest = AioKafka(found.kafka_options()), dict[tuple[int, str], JourneyReport]()
    try:
        for partition in range(found.partitions):
            async for record in records(kafka, found.topic(REPORTS), partition):
                report = decoder.decode(record.value or b"")
                if isinstance(report, JourneyReport):
                    latest[report.partition, report.journey] = report
    finally:
        await kafka.close()
    return list(latest.values())


def _write_page(path: Path, found: Sequence[Mapping[str, Any]]) -> None:
    from streams.report.results import results_page

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(results_page(found), "utf-8")
    except OSError as error:
        raise UserFault(f"{path}: cannot be written: {error.strerror}") from None
    print_lines(f"报告 Report: {path}")
