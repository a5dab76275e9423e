"""What the classifier of `snownlp` says of reviews: taught by its own code, and as it is shipped.

python snownlp_reviews.py < JSON > JSON

Runs in an environment of its own and knows nothing of ours. In: shuffles, each with `teach` (text,
positive) and `ask` (texts). Out: for each the probabilities of positive, `taught` and `shipped`.
"""

import json
import sys

from snownlp import sentiment
from snownlp.sentiment import Sentiment


def main() -> None:
    found = []
    for shuffle in json.load(sys.stdin):
        taught = Sentiment()
        positives = [text for text, positive in shuffle["teach"] if positive]
        negatives = [text for text, positive in shuffle["teach"] if not positive]
        taught.train(negatives, positives)
        found.append(
            {
                "taught": [taught.classify(text) for text in shuffle["ask"]],
                "shipped": [sentiment.classify(text) for text in shuffle["ask"]],
            }
        )
    json.dump(found, sys.stdout)


main()
