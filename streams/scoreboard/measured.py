"""Forecasts of one question by several, as a line of the scoreboard."""

from collections.abc import Callable, Hashable, Mapping, Sequence

from streams.scoreboard.board import RESAMPLES, Indices, Score, interval

Forecasts = dict[str, list[float]]
Statistic = Callable[[Sequence[float], Sequence[bool]], float]


def measured(
    task: str,
    data: str,
    ours: Sequence[float],
    labels: Sequence[bool],
    groups: Sequence[Hashable],
    metric: str,
    statistic: Statistic,
    peers: Mapping[str, Sequence[float]],
    *,
    bars: Mapping[str, float],
    resamples: int = RESAMPLES,
) -> Score:
    """One metric of ours, with its interval by group, and of the peers on the same cases. More is
    better of `auc` alone."""

    def drawn(places: Indices) -> float:
        chosen = places.tolist()
        return statistic([ours[place] for place in chosen], [labels[place] for place in chosen])

    low, high = interval(drawn, groups, resamples=resamples)
    return Score(
        task=task,
        data=data,
        metric=metric,
        ours=statistic(ours, labels),
        low=low,
        high=high,
        better="higher" if metric == "auc" else "lower",
        bar=bars.get(metric),
        cases=len(labels),
        peers={name: statistic(theirs, labels) for name, theirs in peers.items()},
    )
