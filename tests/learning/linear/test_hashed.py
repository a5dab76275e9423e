"""Hashed learners: river's protocol, hostile numbers, state in small checked rows."""

from collections.abc import Callable
from math import isfinite, nan
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from river import checks
from river.datasets import Phishing
from river.metrics import ROCAUC

from streams.learning.linear.adagrad import HashedAdaGrad
from streams.learning.linear.arow import HashedAROW
from streams.learning.linear.bayes import HashedBayes
from streams.learning.linear.ftrl import HashedFTRL
from streams.learning.linear.hashed import Column, HashedLinear
from streams.learning.linear.storage import Storage

KINDS: list[Callable[..., HashedLinear]] = [HashedAdaGrad, HashedFTRL, HashedAROW, HashedBayes]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def river_checks() -> list:
    original = checks._yield_datasets
    checks._yield_datasets = lambda model, scale=1: [list(Phishing().take(100 * scale))]
    try:
        return list(checks.yield_checks(HashedAdaGrad(size=64)))
    finally:
        checks._yield_datasets = original


@each_kind
@pytest.mark.parametrize("check", river_checks(), ids=lambda check: check.__name__)
def test_river_s_own_checks_pass(kind: Callable[..., HashedLinear], check) -> None:
    check(kind(size=64))


@each_kind
def test_river_s_data_is_learned(kind: Callable[..., HashedLinear]) -> None:
    model, auc = kind(size=2**10), ROCAUC(n_thresholds=100)
    for x, y in Phishing():
        auc.update(y, model.predict_proba_one(x))
        model.learn_one(x, y)
    assert auc.get() > (0.85 if kind is HashedBayes else 0.92)


HOSTILE = st.sampled_from([nan, float("inf"), -float("inf"), 1e308, -1e308, 0.0, 1.0])


@each_kind
@given(st.lists(st.tuples(HOSTILE, HOSTILE, st.booleans()), max_size=25))
def test_no_example_makes_a_number_non_finite(kind: Callable[..., HashedLinear], given_) -> None:
    model = kind(size=8, kind="f")
    for a, b, y in given_:
        model.learn_one({"a": a, "b": b}, y)
        assert all(map(isfinite, model.predict_proba_one({"a": a, "b": b}).values()))
    for column in model.columns:
        assert all(map(isfinite, column))
    assert all(map(isfinite, model.intercepts))


@each_kind
def test_predicting_changes_nothing(kind: Callable[..., HashedLinear]) -> None:
    model = kind(size=64)
    model.predict_proba_one({"a": 1.0})
    assert not model.columns
    model.learn_one({"a": 1.0}, True)
    before = [bytes(column) for column in model.columns]
    model.predict_proba_one({"a": 1.0, "never seen": 2.0})
    assert [bytes(column) for column in model.columns] == before


def stored() -> tuple[list[Column], Storage, dict[int, bytes]]:
    random = Random(5)
    columns: list[Column] = [
        np.array([random.gauss(0, 1) for _ in range(100)], "f") for _ in range(3)
    ]
    storage = Storage(places=8)
    storage.touch([0, 1, 7, 50, 99, 50])
    return columns, storage, dict(storage.changed(columns))


def test_only_rows_that_were_touched_are_written_and_each_once() -> None:
    columns, storage, rows = stored()
    assert sorted(rows) == [0, 6, 12]
    assert storage.changed(columns) == []


def test_rows_bring_back_what_was_written_bit_for_bit() -> None:
    columns, storage, rows = stored()
    copies: list[Column] = [np.zeros(100, "f") for _ in columns]
    for number, row in rows.items():
        storage.load(copies, number, row)
    for copy, column in zip(copies, columns, strict=True):
        for part in (slice(8), slice(48, 56), slice(96, 100)):
            assert copy[part].tobytes() == column[part].tobytes()
        assert not copy[8:48].any()


def test_every_damaged_bit_of_the_numbers_is_found() -> None:
    columns, storage, rows = stored()
    row = rows[6]
    start = row.index(columns[0][48:50].tobytes())
    for bit in range(8 * 96):
        damaged = bytearray(row)
        damaged[start + bit // 8] ^= 1 << bit % 8
        with pytest.raises(ValueError, match="CRC32"):
            storage.load(columns, 6, bytes(damaged))


def test_a_row_of_another_place_shape_or_schema_is_refused() -> None:
    columns, storage, rows = stored()
    with pytest.raises(ValueError, match="another place"):
        storage.load(columns, 7, rows[6])
    with pytest.raises(ValueError, match="precision"):
        storage.load([column.astype("d") for column in columns], 6, rows[6])
    with pytest.raises(ValueError, match="columns of 32"):
        storage.load(columns[:2], 6, rows[6])
    _, state = msgspec.msgpack.decode(rows[6])
    with pytest.raises(ValueError, match="schema 99"):
        storage.load(columns, 6, msgspec.msgpack.encode([99, state]))
