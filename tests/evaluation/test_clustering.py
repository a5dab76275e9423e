"""Silhouettes and k-means with all data at hand."""

import numpy as np
import pytest

from streams.evaluation.clustering import batch_k_means, silhouettes, standardised


def blobs() -> np.ndarray:
    rng = np.random.default_rng(1)
    return np.concatenate([rng.normal(middle, 0.5, (40, 2)) for middle in (0.0, 5.0, 10.0)])


def test_a_silhouette_is_the_distance_to_one_s_own_group_against_the_next() -> None:
    points = np.array([[0.0], [2.0], [10.0], [14.0]])
    found = silhouettes(points, np.array([0, 0, 1, 1]))
    assert found == pytest.approx([1 - 2 / 12, 1 - 2 / 10, 1 - 4 / 9, 1 - 4 / 13])


def test_whoever_is_alone_in_a_group_has_a_silhouette_of_nothing() -> None:
    assert silhouettes(np.array([[0.0], [1.0], [9.0]]), np.array([0, 0, 1]))[2] == 0.0


def test_groups_that_lie_apart_are_found() -> None:
    labels = batch_k_means(blobs(), 3)
    assert [len(set(labels[start : start + 40].tolist())) for start in (0, 40, 80)] == [1, 1, 1]
    assert len(set(labels.tolist())) == 3


def test_the_same_points_and_seed_give_the_same_labels() -> None:
    assert (batch_k_means(blobs(), 4, seed=2) == batch_k_means(blobs(), 4, seed=2)).all()


def test_a_feature_that_never_varies_counts_for_nothing() -> None:
    assert standardised(np.array([[1.0, 7.0], [3.0, 7.0]])).tolist() == [[-1.0, 0.0], [1.0, 0.0]]
