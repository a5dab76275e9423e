"""Where the time goes in the full engine's replay.

python -m streams.benchmarks.profile [EVENTS.ndjson]

Samples the stack every few milliseconds of processor time, which hardly disturbs what it measures;
a tracing profiler would make every small call look expensive. A sample counts for the innermost of
our functions on the stack and for its stage. Times are processor time.
"""

import argparse
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from streams.benchmarks import full_engine
from streams.outputs import Outputs
from streams.replay import Replay, replay_file
from streams.simulation.scenarios import SCENARIOS

INTERVAL_S = 0.001
OURS = str(Path(__file__).parents[1])
KEY = b"benchmark benchmark benchmark 32"


class Samples:
    def __init__(self) -> None:
        self.stages: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    def take(self, _signal: int, frame: FrameType | None) -> None:
        """Attribute one sample to the innermost frame in our package."""
        while frame is not None:
            code = frame.f_code
            if code.co_filename.startswith(OURS):
                module = code.co_filename.removeprefix(OURS).lstrip("/").removesuffix(".py")
                self.stages[stage_of(module)] += 1
                self.functions[f"{module}:{code.co_qualname}"] += 1
                return
            frame = frame.f_back

    @contextmanager
    def taken(self) -> Iterator[None]:
        before = signal.signal(signal.SIGPROF, self.take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)


def stage_of(module: str) -> str:
    """`engine/models/churn` is of the stage `engine/models`; what else stands alone is its own."""
    return "/".join(module.split("/")[:2])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.profile")
    parser.add_argument("events", nargs="?", type=Path, help="default: simulated ones")
    parser.add_argument("--users", type=int, default=4_000)
    parser.add_argument("--days", type=int, default=10)
    options = parser.parse_args()
    samples = Samples()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        events = options.events or full_engine.simulated(folder, options.users, options.days)[0]
        replay = Replay(SCENARIOS["ecommerce"].config, key=KEY, outputs=Outputs(folder / "out"))
        before_s = time.process_time()
        with samples.taken():
            replay_file(events, replay)
    show(samples, replay.events_in, time.process_time() - before_s)


def show(samples: Samples, events: int, seconds: float) -> None:
    console = Console()
    total = sum(samples.stages.values())
    each_us = seconds / events * 1e6
    console.print(f"{events:,} events, {each_us:.1f} us each")
    for title, counter, most in (
        ("stage", samples.stages, 20),
        ("function", samples.functions, 30),
    ):
        table = Table(title, "share", "us/event")
        for name, count in counter.most_common(most):
            share = count / total
            table.add_row(name, f"{share:.1%}", f"{share * each_us:.1f}")
        console.print(table)


if __name__ == "__main__":
    main()
