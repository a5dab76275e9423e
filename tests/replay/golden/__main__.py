"""Write the golden replay anew."""

import shutil
import tempfile
from pathlib import Path

from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay, replay_file
from streams.simulation.run import simulate
from streams.simulation.scenarios import SCENARIOS

HERE = Path(__file__).parent
COMPARED = ("triggers.ndjson", "decisions.ndjson")
USERS, DAYS, SEED = 10, 8, "golden"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        events = HERE / "events.ndjson"
        if not events.exists():
            simulate(USERS, DAYS, SEED, "ecommerce", events, folder / "truth.ndjson")
        replay = Replay(SCENARIOS["ecommerce"].config, key=TRIAL_KEY, outputs=Outputs(folder))
        replay_file(events, replay)
        for compared in COMPARED:
            shutil.copyfile(folder / compared, HERE / compared)


if __name__ == "__main__":
    main()
