"""The tasks of the scoreboard: one module each, `run(fetch)` gives its scores.

Imported by name when asked for: each brings its own data and peers.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Final

from streams.faults import UserFault
from streams.scoreboard.board import Score
from streams.scoreboard.data import Fetch

NAMES: Final = (
    "churn",
    "recommend",
    "sentiment",
    "forecast",
    "abuse",
    "bandit",
    "uplift",
    "actions",
    "segments",
    "growth",
    "partitions",
    "federated",
    "edge",
    "pacing",
)


def run(name: str, fetch: Fetch) -> Sequence[Score]:
    """The scores of one task. Raises UserFault where its data cannot be had."""
    try:
        module = import_module(f"streams.scoreboard.tasks.{name}")
    except ModuleNotFoundError as error:
        raise UserFault(
            f"{error.name} is needed for the peers of {name}: "
            "pip install 'wechat-streams[bench]', or `make scoreboard`"
        ) from None
    found: Sequence[Score] = module.run(fetch)
    return found
