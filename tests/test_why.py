"""`streams why`: the answers in words, and from a snapshot without reading all of it."""

from pathlib import Path

import pytest

from streams import snapshot
from streams.cli import run
from streams.contract.partitioning import partition_of
from streams.contract.why import CODES, Gates, Why
from streams.engine.fold import ENGINE_VERSION
from streams.faults import UserFault
from streams.snapshot import StateRow
from streams.why import sentence, told, words_of
from streams.why_snapshot import why_in
from tests.engine.world import DAY_MS, NOON_MS, OPEN, World, alias_in, altered


def saved(world: World, path: Path) -> Path:
    header = snapshot.Header(
        engine_version=ENGINE_VERSION,
        partitions=world.config.partitions,
        clock_ms=world.now_ms,
        positions={},
        config={},
    )
    rows = (
        StateRow(partition, key, value)
        for partition, found in enumerate(world.rows())
        for key, value in sorted(found.items())
    )
    snapshot.write(path, header, rows)
    return path


def a_world(partitions: int = 2) -> World:
    world = World(altered(OPEN, partitions=partitions))
    for number in range(300):
        world.see(f"other{number}", "page.viewed", {"page": "p"})
    return world


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_has_words_in_both_languages(code: str) -> None:
    for found in (words_of(code), sentence(code, {}), sentence(code, {}, "wecom")):
        assert found.zh
        assert found.en
        assert found.zh != code != found.en
        assert any("一" <= letter <= "鿿" for letter in found.zh)
        assert found.en.isascii() or "¥" in found.en


def test_a_cap_is_told_with_its_values_and_the_time_in_the_persons_zone_and_utc() -> None:
    gates = Gates("CAP_PERSON", "remind", seen={"sent": 3.0, "most": 3.0}, next_ms=NOON_MS + DAY_MS)
    found = Why(
        user_id="ann",
        code="CAP_PERSON",
        at_ms=NOON_MS,
        zone="Asia/Shanghai",
        journey="cart",
        seen=gates.seen,
        next_ms=gates.next_ms,
        gates=gates,
    )
    text = told([found])
    when = "2026-10-02 12:00 (04:00 UTC)"
    said = "这位用户已收到 3 条（上限 3 条），达到个人频次上限"
    assert f"{said}，最早 {when} 后可再次触达。" in text
    assert f"has had 3 of 3: the frequency cap is reached; next eligible {when}." in text


def test_a_snapshot_answers_as_the_fold_it_was_taken_of(tmp_path: Path) -> None:
    world = a_world()
    world.see("ann", "user.followed")
    world.see("ann", "cart.added", {"item_id": "i"})
    path = saved(world, tmp_path / "state")
    fold = world.folds[partition_of("ann", 2)]
    assert why_in(path, "ann") == fold.why("ann", None, world.now_ms)
    assert [one.code for one in why_in(path, "nobody")] == ["UNKNOWN_USER"]


@pytest.mark.parametrize("partition", [0, 1])
def test_an_id_merged_into_a_person_of_any_partition_leads_to_them(
    partition: int, tmp_path: Path
) -> None:
    world, other = a_world(), alias_in(partition, 2, "twin")
    world.see("ann", "user.followed")
    world.see(other, "user.followed")
    world.see("ann", "identity.linked", {"other": other})
    world.deliver()
    first, *others = why_in(saved(world, tmp_path / "state"), other, "cart_rescue")
    assert (first.code, first.forwarded_to) == ("FORWARDED", "ann")
    assert [(one.user_id, one.code) for one in others] == [("ann", "NEEDS_EVENT")]


def test_a_look_up_finds_each_row_and_no_other(tmp_path: Path) -> None:
    rows = [
        StateRow(partition, b"u:%04d" % number, b"%d" % number)
        for partition in range(2)
        for number in range(0, 1_000, 2)
    ]
    header = snapshot.Header(
        engine_version=1, partitions=2, clock_ms=0, positions={}, config={"a": 1}
    )
    snapshot.write(tmp_path / "s", header, rows)
    assert list(snapshot.read_rows(tmp_path / "s")) == rows
    assert snapshot.verify(tmp_path / "s").config == {"a": 1}
    with snapshot.Lookup(tmp_path / "s") as lookup:
        for row in rows:
            assert lookup.row(row.partition, row.key) == row.value
        assert lookup.row(0, b"u:0001") is None
        assert lookup.row(1, b"u:9999") is None
        assert len(list(lookup.rows(1, b"u:0100", b"u:0200"))) == 50


def test_a_snapshot_without_an_index_says_how_to_get_one(tmp_path: Path) -> None:
    header = snapshot.Header(engine_version=1, partitions=1, clock_ms=0, positions={}, config={})
    rows = [StateRow(0, b"u:b", b""), StateRow(0, b"u:a", b"")]
    snapshot.write(tmp_path / "s", header, rows)
    assert list(snapshot.read_rows(tmp_path / "s")) == rows
    with pytest.raises(UserFault, match="has no index"):
        snapshot.Lookup(tmp_path / "s")


def test_the_command_prints_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = a_world()
    world.see("ann", "user.followed")
    path = saved(world, tmp_path / "state.snapshot")
    assert run(["why", "ann", "cart_rescue", "--in", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "没有任何阻拦" in out
    assert "Nothing stands against it" in out
    assert run(["why", "user:ann", "carts", "--state", str(path)]) == 1
    assert "no journey 'carts'" in capsys.readouterr().err


def test_a_folder_without_a_snapshot_says_what_writes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["why", "ann", "--in", str(tmp_path)]) == 1
    assert "streams demo" in capsys.readouterr().err
