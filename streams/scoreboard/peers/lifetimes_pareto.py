"""The package `lifetimes` as a peer of churn: its Pareto/NBD, fitted.

A program of its own environment: histories as JSON on standard input, for each customer the
expected purchases and P(still a customer) on standard output.
"""

import json
import sys

from lifetimes import ParetoNBDFitter

if __name__ == "__main__":
    work = json.load(sys.stdin)
    model = ParetoNBDFitter(penalizer_coef=0.0)
    model.fit(work["repeats"], work["last"], work["age"])
    expected = model.conditional_expected_number_of_purchases_up_to_time(
        work["time"], work["repeats"], work["last"], work["age"]
    )
    json.dump([float(value) for value in expected], sys.stdout)
