"""The batch peer of recommendation: implicit's ALS, refitted periodically on all events so far.

A program of its own environment: work as JSON on standard input, places on standard output.
"""

import json
import sys

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix


def places(work):
    """For each test the place of its film among the best of the last fit; `best`: not there."""
    events, best = work["events"], work["best"]
    tests = frozenset(work["tests"])
    people, films, found = {}, {}, []
    rows, columns = [], []
    known = {}
    model, fitted, films_fitted = None, 0, 0
    for number, (person, film) in enumerate(events):
        row = people.setdefault(person, len(people))
        own = known.setdefault(row, [])
        if number in tests:
            if model is None or number - fitted >= work["every"]:
                model = fit(rows, columns, len(people), len(films))
                fitted, films_fitted = number, len(films)
            met = [column for column in own if column < films_fitted]
            mine = csr_matrix(
                (np.ones(len(met), np.float32), ([0] * len(met), met)), shape=(1, films_fitted)
            )
            # The person's factors follow from what they met up to now, the films' from the fit.
            ids, _ = model.recommend(0, mine, N=best, recalculate_user=True)
            listed = ids.tolist()
            column = films[film]
            found.append(listed.index(column) if column in listed else best)
        column = films.setdefault(film, len(films))
        rows.append(row)
        columns.append(column)
        own.append(column)
    return found


def fit(rows, columns, people, films):
    model = AlternatingLeastSquares(
        factors=64, regularization=0.05, alpha=5.0, iterations=10, num_threads=1, random_state=1
    )
    ones = np.ones(len(rows), np.float32)
    model.fit(csr_matrix((ones, (rows, columns)), shape=(people, films)), show_progress=False)
    return model


if __name__ == "__main__":
    json.dump(places(json.load(sys.stdin)), sys.stdout)
