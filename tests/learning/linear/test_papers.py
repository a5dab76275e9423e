"""Our learners against the pseudo-code of the papers, written out literally here."""

from math import exp, sqrt
from random import Random

import pytest
from river.linear_model import LogisticRegression
from river.optim import FTRLProximal

from streams.learning.linear.adagrad import HashedAdaGrad
from streams.learning.linear.arow import HashedAROW
from streams.learning.linear.bayes import HashedBayes
from streams.learning.linear.ftrl import HashedFTRL
from streams.learning.logistic import OnlineLogistic

SIZE = 16
Example = tuple[list[int], list[float], bool]


def examples(count: int = 400) -> list[Example]:
    random = Random(11)
    found = []
    for _ in range(count):
        places = sorted(random.sample(range(SIZE), random.randrange(1, 6)))
        values = [random.choice([1.0, 0.5, -2.0, random.gauss(0, 1)]) for _ in places]
        found.append((places, values, random.random() < 0.3 + 0.5 * (places[0] < 4)))
    return found


def sigma(a: float) -> float:
    return 1.0 / (1.0 + exp(-a))


def duchi(eta: float, delta: float, start: float) -> list[tuple[float, list[float]]]:
    """Duchi, Hazan, Singer 2011, figure 1, diagonal, primal-dual without a regulariser:
    x_{t+1,i} = x_{t,i} - eta g_{t,i} / (delta + ||g_{1:t,i}||). A gradient sqrt(start) comes
    before the first. The last coordinate is the constant."""
    x = [0.0] * (SIZE + 1)
    history: list[list[float]] = [[sqrt(start)] for _ in x]
    found = []
    for places, values, y in examples():
        a = dict(zip([*places, SIZE], [*values, 1.0], strict=True))
        p = sigma(sum(x[i] * v for i, v in a.items()))
        found.append((p, list(x)))
        for i, v in a.items():
            g = (p - y) * v
            history[i].append(g)
            x[i] = x[i] - eta * g / (delta + sqrt(sum(h * h for h in history[i])))
    return found


def mcmahan(
    alpha: float, beta: float, l1: float, l2: float
) -> list[tuple[float, dict[int, float]]]:
    """McMahan et al. 2013, algorithm 1. The constant has no l1 and l2."""
    z, n = [0.0] * (SIZE + 1), [0.0] * (SIZE + 1)
    found = []
    for places, values, y in examples():
        x = dict(zip([*places, SIZE], [*values, 1.0], strict=True))
        w = {}
        for i in x:
            one, two = (l1, l2) if i < SIZE else (0.0, 0.0)
            if abs(z[i]) <= one:
                w[i] = 0.0
            else:
                sign = 1.0 if z[i] > 0 else -1.0
                w[i] = -(((beta + sqrt(n[i])) / alpha + two) ** -1) * (z[i] - sign * one)
        p = sigma(sum(x[i] * w[i] for i in x))
        found.append((p, w))
        for i in x:
            g = (p - y) * x[i]
            s = 1 / alpha * (sqrt(n[i] + g * g) - sqrt(n[i]))
            z[i] = z[i] + g - s * w[i]
            n[i] = n[i] + g * g
    return found


@pytest.mark.parametrize("start", [1e-8, 0.1, 1.0])
def test_adagrad_is_that_of_the_paper(start: float) -> None:
    model = HashedAdaGrad(rate=0.3, start=start, size=SIZE)
    for (places, values, y), (p, x) in zip(examples(), duchi(0.3, 0.0, start), strict=True):
        assert sigma(model.logit(places, values)) == pytest.approx(p, abs=1e-12)
        weights = [*(model.columns[0] if model.columns else [0.0] * SIZE), model.intercept]
        assert weights == pytest.approx(x, abs=1e-12)
        model.learn(places, values, y)


def test_dense_adagrad_is_that_of_the_paper() -> None:
    model = OnlineLogistic(rate=0.3, start=0.5)
    model.begin([str(i) for i in range(SIZE)], [0.0] * SIZE)
    for (places, values, y), (p, x) in zip(examples(), duchi(0.3, 0.0, 0.5), strict=True):
        dense = [0.0] * SIZE
        for i, v in zip(places, values, strict=True):
            dense[i] = v
        assert [*model.weights, model.intercept] == pytest.approx(x, abs=1e-12)
        assert model.learn(dense, y) == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize(("l1", "l2"), [(0.0, 0.0), (0.4, 0.0), (0.4, 0.7)])
def test_ftrl_is_algorithm_1(l1: float, l2: float) -> None:
    model = HashedFTRL(alpha=0.5, beta=1.0, l1=l1, l2=l2, size=SIZE)
    for (places, values, y), (p, w) in zip(examples(), mcmahan(0.5, 1.0, l1, l2), strict=True):
        assert sigma(model.logit(places, values)) == pytest.approx(p, abs=1e-12)
        assert model.weights(places) == pytest.approx([w[i] for i in places], abs=1e-12)
        model.learn(places, values, y)


def test_ftrl_keeps_weak_evidence_at_exactly_zero() -> None:
    model = HashedFTRL(alpha=0.5, l1=1.0, size=SIZE)
    for _ in range(5):
        model.learn([3], [1.0], True)
    assert model.weights([3])[0] > 0.0
    for _ in range(3):
        model.learn([3], [1.0], False)
    assert abs(model.columns[0][3]) <= 1.0
    assert model.weights([3])[0] == 0.0


def test_river_s_ftrl_serves_the_weights_of_one_example_before() -> None:
    """After one positive example the paper's P is above one half; river's is still one half."""
    theirs = LogisticRegression(FTRLProximal(alpha=0.5, beta=1.0, l1=0.0, l2=0.0), intercept_lr=0.0)
    ours = HashedFTRL(alpha=0.5, beta=1.0, size=SIZE)
    said: list[tuple[float, float]] = []
    for _ in range(4):
        theirs.learn_one({"a": 1.0}, True)
        gradient_only = dict(zip([3], [1.0], strict=True))
        ours.learn(list(gradient_only), list(gradient_only.values()), True)
        ours.intercept_z = ours.intercept_n = 0.0  # only the feature is compared
        said.append((theirs.predict_proba_one({"a": 1.0})[True], sigma(ours.logit([3], [1.0]))))
    assert said[0][0] == 0.5
    assert said[0][1] > 0.54
    assert said[1][0] == pytest.approx(said[0][1], abs=1e-12)  # one example late
    assert all(late < paper for late, paper in said)


def test_arow_is_that_of_the_paper_with_a_diagonal() -> None:
    """Crammer, Kulesza, Dredze 2009, figure 1: Sigma kept diagonal."""
    model = HashedAROW(r=0.7, size=SIZE)
    mu, sigma_diagonal = [0.0] * SIZE, [1.0] * SIZE
    for places, values, positive in examples():
        y = 1.0 if positive else -1.0
        m = sum(mu[i] * v for i, v in zip(places, values, strict=True))
        v_t = sum(sigma_diagonal[i] * v * v for i, v in zip(places, values, strict=True))
        assert model.logit(places, values) / 2.0 == pytest.approx(m, abs=1e-12)
        if m * y < 1.0:
            beta = 1.0 / (v_t + 0.7)
            alpha = max(0.0, 1.0 - y * m) * beta
            for i, v in zip(places, values, strict=True):
                mu[i] += alpha * sigma_diagonal[i] * y * v
                sigma_diagonal[i] -= beta * (sigma_diagonal[i] * v) ** 2
        model.learn(places, values, positive)


def test_naive_bayes_is_the_ratio_of_smoothed_counts() -> None:
    model = HashedBayes(alpha=0.5, size=SIZE)
    for places, y in (([1, 2], True), ([1, 3], True), ([2], False)):
        model.learn(places, [1.0] * len(places), y)
    shift = (1 + 1) / (4 + 1)
    expected = [2.5 / 0.5 * shift, 1.5 / 1.5 * shift]
    found = [exp(part) for part in model.contributions([1, 2, 9], [1.0] * 3)]
    assert found == pytest.approx([*expected, 1.0], abs=1e-12)
