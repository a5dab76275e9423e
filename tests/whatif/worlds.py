"""Logs that real folds wrote, for what-ifs on them."""

from pathlib import Path
from typing import Any

import msgspec

from streams.contract.journeys import JourneySpec
from streams.engine.config import Config
from streams.log_file import write_line
from streams.whatif.change import change
from streams.whatif.logs import scan
from streams.whatif.report import Report, report
from streams.whatif.run import over_log
from tests.engine.world import DAY_MS, HOUR_MS, MINUTE_MS, OPEN, World, altered

PEOPLE = [f"person{number}" for number in range(24)]


def dumped(world: World, path: Path) -> Path:
    """As `streams log dump` writes it: one partition after the other, with holes in the offsets."""
    with path.open("wb") as file:
        for partition, log in enumerate(world.logs):
            for number, raw in enumerate(log):
                write_line(file, "wechat.log", partition, 2 * number, raw)
    return path


def tried(log: Path, *, folded: list[int] | None = None, **given: Any) -> Report:
    """The report of a change on a log."""
    scanned = scan(log)
    return report(over_log(scanned, change(scanned.in_force, **given), folded=folded))


def weeks(config: Config = OPEN, *, days: int = 6) -> World:
    """Some days of people who look, put things into carts, pay, and belong together."""
    world = World(altered(config, partitions=2))
    for alias in PEOPLE:
        world.see(alias, "user.followed")
    for day in range(days):
        for number, alias in enumerate(PEOPLE):
            if (number + day) % 3:
                item = {
                    "item_id": f"i{number % 5}",
                    "category": "tea",
                    "price_fen": 900 * (number + 1),
                }
                world.see(alias, "product.viewed", item)
                world.see(alias, "cart.added", {**item, "cart_id": f"c{day}-{number}"})
            if not (number + day) % 7:
                paid = {"order_id": f"o{day}-{number}", "amount_fen": 2_000}
                world.see(alias, "order.paid", paid)
            world.wait(11 * MINUTE_MS)
        if day == 2:
            link = {"other": PEOPLE[7], "other_source": "test", "method": "phone"}
            world.see(PEOPLE[2], "identity.linked", link)
        settle(world)
        world.wait(DAY_MS - len(PEOPLE) * 11 * MINUTE_MS)
        settle(world)
    world.wait(4 * DAY_MS)
    settle(world)
    return world


def settle(world: World) -> None:
    while world.deliver():
        world.wait(MINUTE_MS)


def spec(text_of: JourneySpec, **changes: Any) -> JourneySpec:
    """The journey with other top-level values."""
    return msgspec.convert({**msgspec.to_builtins(text_of), **changes}, JourneySpec)


__all__ = ["DAY_MS", "HOUR_MS", "OPEN", "PEOPLE", "World", "dumped", "spec", "tried", "weeks"]
