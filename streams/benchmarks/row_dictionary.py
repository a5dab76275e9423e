"""Trains the dictionary that people's rows are packed with, and writes it as a module.

python -m streams.benchmarks.row_dictionary

Rows are those of simulated people of all scenarios after five weeks. A new dictionary is a new
version of the row: see streams/engine/state.py before you keep what this writes.
"""

import sys
import tempfile
from base64 import b85encode
from pathlib import Path

import msgspec
from zstandard import train_dictionary

from streams.engine import packing_dictionary
from streams.engine.state import decode_user
from streams.outputs import Outputs
from streams.replay import TRIAL_KEY, Replay, read_lines
from streams.simulation.run import simulate
from streams.simulation.scenarios import SCENARIOS

USERS, DAYS, SIZE = 250, 35, 8_192
WIDTH = 96
TITLE = "What people's rows have in common, in base85; made by benchmarks/row_dictionary.py."


def main() -> int:
    bodies = [body for scenario in SCENARIOS for body in rows_of(scenario)]
    # Interleaved, so that no scenario is what the trainer saw last.
    bodies = [body for start in range(USERS) for body in bodies[start::USERS]]
    dictionary = train_dictionary(SIZE, bodies).as_bytes()
    text = b85encode(dictionary).decode()
    lines = "\n".join(text[at : at + WIDTH] for at in range(0, len(text), WIDTH))
    path = Path(packing_dictionary.__file__)
    path.write_text(f'"""{TITLE}"""\n\nDICTIONARY = """\n{lines}\n"""\n')
    sys.stdout.write(f"{len(bodies)} rows, {len(dictionary)} bytes: {path}\n")
    return 0


def rows_of(scenario: str) -> list[bytes]:
    """The encoded people of a scenario, unpacked."""
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.ndjson"
        simulate(USERS, DAYS, "rows", scenario, events, Path(folder) / "truth.ndjson")
        config = SCENARIOS[scenario].config
        outputs = Outputs(Path(folder) / "out")
        replay = Replay(config, key=TRIAL_KEY, outputs=outputs, keep_rows=True)
        replay.feed(read_lines(events))
        replay.close()
        found = [row.value for row in replay.state_rows() if row.key[:2] == b"u:"]
    return [msgspec.msgpack.encode(decode_user(row)) for row in found]


if __name__ == "__main__":
    sys.exit(main())
