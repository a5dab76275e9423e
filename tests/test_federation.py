"""Federated rounds as files, through the commands."""

from pathlib import Path

import msgspec
import pytest

from streams.commands import federate
from streams.faults import UserFault
from streams.federation import read
from streams.learning.federated.rounds import Round, Update
from streams.learning.federated.site import Ledger


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A round of two sites with twenty people each, and their keys and examples."""
    federate.begin(
        tmp_path / "round-1.json", "a, b", ["north=20", "south=20"], epsilon="8", rounds=3
    )
    for site in ("north", "south"):
        federate.key(tmp_path / f"{site}.key")
        lines = [
            msgspec.json.encode({"person": f"{n % 20}", "x": {"a": n % 2 - 0.5}, "y": n % 2 == 1})
            for n in range(40)
        ]
        (tmp_path / f"{site}.ndjson").write_bytes(b"\n".join(lines) + b"\n")
    return tmp_path


def contribute(place: Path, site: str, number: int = 1, epsilon: str = "8") -> None:
    federate.contribute(
        place / f"round-{number}.json",
        place / f"{site}.ndjson",
        site,
        place / f"{site}.key",
        place / f"{site}.ledger.json",
        place / "updates",
        epsilon=epsilon,
    )


def test_three_rounds_through_files_learn_and_count_what_they_cost(place: Path, capsys) -> None:
    for number in (1, 2, 3):
        for site in ("north", "south"):
            contribute(place, site, number)
        federate.combine(
            place / f"round-{number}.json", place / "updates", place / f"round-{number + 1}.json"
        )
    said = capsys.readouterr().out
    assert "round 4, from north, south" in said
    assert "refused: north: is of round 1, this is 3" in said
    ledger = read(place / "north.ledger.json", Ledger)
    assert ledger.last_round == 3
    assert read(place / "round-4.json", Round).number == 4


def test_a_budget_that_is_spent_stops_a_site(place: Path) -> None:
    with pytest.raises(UserFault, match="would spend epsilon"):
        contribute(place, "north", epsilon="0.5")
    assert not (place / "updates").exists()


def test_a_site_answers_a_round_once_even_when_its_update_was_lost(place: Path) -> None:
    contribute(place, "north")
    for path in (place / "updates").iterdir():
        path.unlink()
    with pytest.raises(UserFault, match="is over"):
        contribute(place, "north")


def test_an_update_holds_nothing_of_a_person_and_the_key_is_its_owner_s(place: Path) -> None:
    contribute(place, "north")
    update = read(place / "updates" / "north-1.update.json", Update)
    assert len(update.values) == 3
    assert (place / "north.key").stat().st_mode & 0o077 == 0


def test_what_is_no_update_is_refused_and_the_rest_counts(place: Path, capsys) -> None:
    contribute(place, "north")
    (place / "updates" / "odd.update.json").write_bytes(b'{"round": NaN}')
    (place / "updates" / "large.update.json").write_bytes(b" " * ((1 << 20) + 1))
    federate.combine(place / "round-1.json", place / "updates", place / "round-2.json")
    said = capsys.readouterr().out
    assert "is no update" in said
    assert "larger than" in said
    assert "round 2, from north" in said


def test_a_round_of_which_nothing_can_be_used_writes_nothing(place: Path) -> None:
    (place / "updates").mkdir()
    with pytest.raises(UserFault, match="no update could be used"):
        federate.combine(place / "round-1.json", place / "updates", place / "round-2.json")
    assert not (place / "round-2.json").exists()


def test_faults_of_files_are_one_line(place: Path) -> None:
    with pytest.raises(UserFault, match="begins once"):
        federate.begin(place / "round-1.json", "a", ["north=1"])
    with pytest.raises(UserFault, match="never overwritten"):
        federate.key(place / "north.key")
    with pytest.raises(UserFault, match="say NAME=PEOPLE"):
        federate.begin(place / "other.json", "a", ["north"])
    with pytest.raises(UserFault, match="no budget"):
        federate.begin(place / "other.json", "a", ["north=1"], epsilon="-1")
    with pytest.raises(UserFault, match="no round"):
        federate.begin(place / "other.json", "", ["north=1"])
    (place / "north.ndjson").write_bytes(b"{}\n")
    with pytest.raises(UserFault, match="line 1: is no example"):
        contribute(place, "north")
    (place / "south.key").write_text("short")
    with pytest.raises(UserFault, match="holds no key"):
        contribute(place, "south")
    (place / "south.key").unlink()
    with pytest.raises(UserFault, match="cannot be read"):
        contribute(place, "south")
