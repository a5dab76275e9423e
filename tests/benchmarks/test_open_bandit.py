"""Our off-policy estimators against obp's own, on the small Open Bandit Dataset."""

from pathlib import Path

from streams.benchmarks.open_bandit import TOLERANCE, measure

PEERS = Path(__file__).parents[2] / "out" / "peers"


def test_every_estimate_is_obp_s_own_to_a_millionth() -> None:
    """Two logs, three campaigns, two target policies, six estimators."""
    rows = measure(PEERS)
    assert len(rows) == 2 * 3 * 2 * 6
    assert [row for row in rows if not row["difference"] <= TOLERANCE] == []
