"""What the classifier of `snownlp` says of reviews: taught by its own code, and as it is shipped.

python snownlp_reviews.py < JSON > JSON

Runs in an environment of its own and knows nothing of ours. In: `teach` (text, positive) and `ask`
(texts). Out: the probabilities of positive, `taught` and `shipped`. Each text is cut into words
once, for that takes nearly all of its time.
"""

import json
import sys
from collections.abc import Callable

from snownlp import sentiment
from snownlp.classification.bayes import Bayes

Words = list[str]


def main() -> None:
    given = json.load(sys.stdin)
    words: Callable[[str], Words] = sentiment.classifier.handle
    taught = Bayes()
    taught.train([[words(text), "pos" if positive else "neg"] for text, positive in given["teach"]])
    asked = [words(text) for text in given["ask"]]
    found = {
        name: [positive(bayes, one) for one in asked]
        for name, bayes in (("taught", taught), ("shipped", sentiment.classifier.classifier))
    }
    json.dump(found, sys.stdout)


def positive(bayes: Bayes, words: Words) -> float:
    side, probability = bayes.classify(words)
    return probability if side == "pos" else 1.0 - probability


main()
