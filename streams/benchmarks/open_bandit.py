"""Our off-policy estimators beside obp's own, on the small Open Bandit Dataset inside obp.

python -m streams.benchmarks.open_bandit

Logs of two policies (uniform and Bernoulli Thompson sampling) on three campaigns of a fashion shop,
10 000 impressions each; both policies are evaluated on both logs. obp runs in an environment of its
own below out/peers, made on the first run. Writes out/open_bandit.json; fails where an estimate is
further than 1e-6 from obp's. The data tell whether estimators are right, not which is better: there
are only 38 to 69 clicks in a log.

Source: Saito, Aihara, Matsutani & Narita, Open Bandit Dataset and Pipeline (NeurIPS 2021).
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from streams.benchmarks.peers import environment
from streams.evaluation.off_policy import (
    Estimator,
    Logged,
    NotRankable,
    direct,
    doubly_robust,
    doubly_robust_self_normalised,
    estimate,
    ips,
    rank,
    snips,
    switch,
)

PEER = Path(__file__).parent / "peers" / "open_bandit_pipeline.py"
PACKAGES = ("numpy==2.4.6", "pandas==3.1.1", "scikit-learn==1.9.1", "pyyaml==6.0.3")
PACKAGES += ("tqdm==4.70.1", "mypy-extensions==1.2.0")
WITHOUT_DEPENDENCIES = ("obp==0.4.1",)  # the rest of its dependencies is not used here
TOLERANCE = 1e-6
ESTIMATORS: dict[str, Estimator] = {
    "dm": direct,
    "ips": ips,
    "snips": snips,
    "dr": doubly_robust,
    "sndr": doubly_robust_self_normalised,
    "switch-dr": switch(5.0),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m streams.benchmarks.open_bandit")
    parser.add_argument("--out", type=Path, default=Path("out/open_bandit.json"))
    parser.add_argument("--peers", type=Path, default=Path("out/peers"), help="environments")
    options = parser.parse_args()
    rows = measure(options.peers)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(rows, indent=2) + "\n")
    _show(rows, Console(width=100))
    return int(any(row["difference"] > TOLERANCE for row in rows))


def measure(peers: Path) -> list[dict[str, Any]]:
    """One row for each log, campaign, target policy and estimator; `peers` holds environments."""
    python = environment.python_of(peers / "obp", PACKAGES, WITHOUT_DEPENDENCIES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment.run(python, PEER, folder)
        theirs = json.loads((folder / "estimates.json").read_text())
        return [row for log in sorted(theirs) for row in _rows(folder, log, theirs)]


def _rows(folder: Path, log: str, theirs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for target, values in sorted(theirs[log].items()):
        logged = _logged(folder / f"{log}.npz", target)
        for name, estimator in ESTIMATORS.items():
            ours = estimate(logged, estimator)
            yield {
                "log": log,
                "target": target,
                "estimator": name,
                "obp": values[name],
                "difference": abs(ours.value - values[name]),
                "refused": _refused(logged),
            } | ours._asdict()


def _logged(path: Path, target: str) -> Logged:
    """Policies are by position here; each decision takes its own position's probabilities."""
    with np.load(path) as file:
        return Logged(
            reward=file["reward"].astype(np.float64),
            action=file["action"],
            propensity=file["pscore"],
            target=file[f"target-{target}"].T[file["position"]],
            q_hat=file["q_hat"],
        )


def _refused(logged: Logged) -> str:
    """Empty, or why our ranking refuses this target on this log."""
    try:
        rank({"target": logged, "again": logged})
    except NotRankable as refused:
        return str(refused)
    return ""


def _show(rows: list[dict[str, Any]], console: Console) -> None:
    table = Table(title="small Open Bandit Dataset: clicks per 1 000 impressions")
    for title in ("log", "target", "SNIPS", "DR", "people", "ranked", "off obp"):
        left = title in ("log", "target")
        table.add_column(title, justify="left" if left else "right", no_wrap=True)
    for first in range(0, len(rows), len(ESTIMATORS)):
        group = {row["estimator"]: row for row in rows[first : first + len(ESTIMATORS)]}
        some = group["snips"]
        table.add_row(
            some["log"],
            some["target"],
            *(_cell(group[name]) for name in ("snips", "dr")),
            f"{some['effective_people']:,.0f}",
            "no" if some["refused"] else "yes",
            f"{max(row['difference'] for row in group.values()):.0e}",
        )
    console.print(table)
    console.print("people: effective; off obp: the largest of six estimators' distances to obp's")


def _cell(row: dict[str, Any]) -> str:
    value, low, high = (1_000 * row[part] for part in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f}..{high:.1f})"


if __name__ == "__main__":
    sys.exit(main())
