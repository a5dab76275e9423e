"""Small models for the edge: the file, the reference scorer, and the one in JavaScript."""

import shutil
import subprocess
from math import inf, isfinite, nan
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.learning.edge import (
    Bits,
    EdgeModel,
    EdgeScorer,
    bucket,
    checksum,
    compress,
    decode,
    encode,
    hashed,
)
from streams.learning.logistic import sigmoid

SCORER = Path(__file__).parents[2] / "docs/examples/edge_scorer.js"
NAMES = ["presence", "orders", "评分", "naïve", "🎁"]
WEIGHTS = [1.25, -0.5, 0.031, 2.0, -0.0007]
# The file of these weights as it was first written, and what it gives: neither may change.
GOLDEN = (
    b'{"model":"golden","names":["presence","orders","\xe8\xaf\x84\xe5\x88\x86",'
    b'"na\xc3\xafve","\xf0\x9f\x8e\x81"],"buckets":0,"bits":8,"scales":"BAKBPA==","codes":"T+ACfwA=",'
    b'"gaps":"","intercept":-0.25,"slope":1.5,"shift":0.125,"block":32,"crc32":1760375900,'
    b'"format":"streams.edge","version":1}'
)
CASES: list[dict[str, float]] = [
    {},
    {"presence": 0.7, "orders": -0.5},
    {"评分": 3.0, "naïve": -1.0, "🎁": 5.0, "unknown": 9.0},
    {"presence": 1e308},
    {"orders": -1e308, "presence": 0.1},
]


def golden() -> EdgeModel:
    return compress("golden", WEIGHTS, -0.25, names=NAMES, slope=1.5, shift=0.125)


def test_the_file_of_a_model_is_what_it_was() -> None:
    assert encode(golden()) == GOLDEN
    found = EdgeScorer(decode(GOLDEN)).probability(CASES[1])
    assert found == pytest.approx(0.8075629563366918, abs=1e-12)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=100),
    st.sampled_from([4, 8]),
)
def test_no_weight_is_further_off_than_half_a_step_of_its_block(
    weights: list[float], bits: Bits
) -> None:
    scorer = EdgeScorer(decode(encode(compress("m", weights, 0.0, bits=bits))))
    for start in range(0, len(weights), 32):
        part = weights[start : start + 32]
        step = max(map(abs, part)) / (127 if bits == 8 else 7)
        for weight, small in zip(part, scorer.weights[start:], strict=False):
            assert abs(weight - small) <= 0.5001 * step + 1e-30


def test_the_largest_weights_are_the_ones_that_are_kept() -> None:
    scorer = EdgeScorer(decode(encode(compress("m", WEIGHTS, 0.0, names=NAMES, keep=0.4))))
    assert scorer.weights == pytest.approx([1.25, 0.0, 0.0, 2.0, 0.0], abs=0.01)


def test_hashed_features_need_no_names() -> None:
    buckets = 1_000
    model = compress("m", hashed(NAMES, WEIGHTS, buckets), 0.5)
    assert model.names == []
    assert len({bucket(name, buckets) for name in NAMES}) == 5
    x = {"presence": 1.0, "评分": 2.0}
    assert EdgeScorer(model).logit(x) == pytest.approx(0.5 + 1.25 + 0.062, abs=0.02)


@pytest.mark.parametrize("bits", [4, 8])
def test_a_smaller_file_scores_nearly_the_same(bits: Bits) -> None:
    random = Random(1)
    weights = [random.gauss(0.0, 0.3) for _ in range(2_000)]
    model = compress("m", weights, 0.0, bits=bits)
    assert len(encode(model)) < len(msgspec.json.encode(weights)) / (5 if bits == 8 else 8)
    scorer = EdgeScorer(model)
    for _ in range(50):
        places = random.sample(range(2_000), 20)
        full = sigmoid(sum(weights[place] for place in places))
        small = sigmoid(sum(scorer.weights[place] for place in places))
        assert small == pytest.approx(full, abs=0.01 if bits == 8 else 0.12)


@pytest.mark.parametrize("value", [nan, inf, -inf, 1e308])
def test_no_value_makes_a_score_that_is_none(value: float) -> None:
    assert 0.0 <= EdgeScorer(golden()).probability({"presence": value}) <= 1.0
    assert isfinite(EdgeScorer(golden()).logit({"presence": value}))


def test_a_damaged_file_is_refused() -> None:
    text = encode(golden())
    with pytest.raises(ValueError, match="checksum differs"):
        decode(text.replace(b"-0.25", b"-0.35"))
    with pytest.raises(ValueError, match="is no edge model"):
        decode(b"{}")
    with pytest.raises(ValueError, match="or older"):
        decode(text.replace(b'"version":1', b'"version":2'))


@pytest.mark.parametrize(
    "change",
    [
        {"codes": b""},
        {"scales": b""},
        {"gaps": bytes([9, 0, 0, 0, 0])},
        {"block": 0},
        {"buckets": 1 << 30},
    ],
)
def test_a_file_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    broken = msgspec.structs.replace(golden(), **change)
    broken = msgspec.structs.replace(broken, crc32=checksum(broken))
    with pytest.raises(ValueError, match=r"holds no|do not exist|not 1 to"):
        decode(encode(broken))


@pytest.mark.parametrize(
    ("weights", "settings"),
    [([], {}), ([nan], {}), ([1.0], {"names": ["a", "b"]}), ([1.0], {"keep": 0.0})],
)
def test_what_makes_no_model_is_refused(weights: list[float], settings: dict) -> None:
    with pytest.raises(ValueError, match=r"weights|keep"):
        compress("m", weights, 0.0, **settings)


def test_javascript_scores_the_same_where_node_is_at_hand(tmp_path: Path) -> None:
    models = [
        golden(),
        compress("four bits", WEIGHTS, 0.5, names=NAMES, bits=4),
        compress("pruned", WEIGHTS, 0.5, names=NAMES, keep=0.6),
        compress("hashed", hashed(NAMES, WEIGHTS, 500), 0.5, bits=4),
        compress("hashed and pruned", hashed(NAMES, WEIGHTS, 5_000), 0.5, bits=4, keep=0.001),
    ]
    node = shutil.which("node")
    assert "module.exports = { load }" in SCORER.read_text("utf-8")
    if node is None:
        return
    work = tmp_path / "work.json"
    work.write_bytes(msgspec.json.encode([[encode(m).decode() for m in models], CASES]))
    script = (
        "const {load} = require(process.argv[1]);"
        "const [models, cases] = JSON.parse(require('fs').readFileSync(process.argv[2]));"
        "console.log(JSON.stringify(models.map(m => cases.map(load(m)))));"
        "try { load(models[0].replace('-0.25', '-0.35')); } catch (e) { console.log(e.message); }"
    )
    done = subprocess.run(
        [node, "-e", script, str(SCORER), str(work)], capture_output=True, check=True, text=True
    )
    scores, refused = done.stdout.splitlines()
    for model, theirs in zip(models, msgspec.json.decode(scores), strict=True):
        ours = [EdgeScorer(model).probability(case) for case in CASES]
        assert theirs == pytest.approx(ours, rel=1e-12, abs=1e-12)
    assert "checksum differs" in refused
