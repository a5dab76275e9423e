"""What the harness relies on: rows made many, samples put to stages, the table."""

from rich.console import Console

from streams.benchmarks.million import multiplied
from streams.benchmarks.profile import stage_of
from streams.benchmarks.run import show
from streams.benchmarks.topics import by_key
from streams.benchmarks.work import PARTITIONS
from streams.contract.partitioning import partition_of
from streams.snapshot import StateRow

ROWS = [
    StateRow(0, b"c:counts", b"counts"),
    StateRow(0, b"a:AAAAAAAA", b"linked"),
    StateRow(1, b"u:AAAAAAAA", b"first"),
    StateRow(2, b"u:BBBBBBBB.2", b"second"),
]


def test_multiplied_people_are_different_and_live_where_they_belong() -> None:
    people = [row for row in multiplied(ROWS, 1_000) if row.key.startswith(b"u:")]
    assert len({row.key for row in people}) == 1_000
    assert all(row.partition == partition_of(row.key[2:].decode(), PARTITIONS) for row in people)


def test_rows_of_no_person_are_kept_once_and_links_are_left_out() -> None:
    others = [row for row in multiplied(ROWS, 10) if not row.key.startswith(b"u:")]
    assert others == [ROWS[0]]


def test_a_module_belongs_to_the_stage_of_its_folder() -> None:
    assert stage_of("engine/models/churn") == "engine/models"
    assert stage_of("intake") == "intake"


def test_records_of_one_key_stand_in_one_partition() -> None:
    records = list(by_key([("a", b"1"), ("b", b"2"), ("a", b"3")], PARTITIONS))
    assert records[0].partition == records[2].partition


def test_the_table_tells_how_many_times_faster_we_are() -> None:
    result = {
        "small_job": {"ours": 3_000, "faust": 200},
        "small_job_rounds": {
            name: [{"events_per_s": 1, "cpu_us_per_event": 5}] for name in ("ours", "faust")
        },
        "full_engine": {"replay": 2_000, "live": 1_500},
        "conditions": {"contestants": {"ours": "exact", "faust": "per event"}},
    }
    console = Console(record=True, width=100)
    show(result, console)
    text = console.export_text()
    assert "15.0 x" in text
    assert "0.75" in text
