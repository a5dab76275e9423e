"""The segments task, on a small synthetic run: no data is fetched."""

from datetime import date, timedelta
from math import isfinite
from random import Random

from streams.scoreboard.tasks import segments, segments_simulated


def orders() -> str:
    """A hundred and twenty customers in the form of the file: a third buys often and dear."""
    random, lines = Random(1), []
    for customer in range(120):
        day, often = date(1997, 1, 1) + timedelta(customer % 20), customer % 3 == 0
        for _ in range(1 + random.randrange(12 if often else 2)):
            amount = random.uniform(50, 90) if often else random.uniform(5, 20)
            lines.append(f" {customer:05d} {customer:04d} {day:%Y%m%d}  1 {amount:7.2f}")
            day += timedelta(1 + random.randrange(15 if often else 40))
    return "\n".join(lines)


def test_orders_are_read_by_customer_and_day() -> None:
    found = segments.read(" 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n")
    assert found == {"0001": [(0, 29.33), (17, 29.73)]}


def test_every_figure_comes_with_its_interval_and_peers() -> None:
    found = {score.metric: score for score in segments.scores(segments.read(orders()), "toy", 70)}
    assert list(found) == [
        "silhouette of clusters",
        "segments changed a day",
        "clusters changed a day",
        "quintiles as exact ones",
        "later spend of champions / of all",
    ]
    for score in found.values():
        assert isfinite(score.ours)
        assert score.low <= score.ours <= score.high
    assert set(found["silhouette of clusters"].peers) == {"batch k-means", "river KMeans"}
    assert found["quintiles as exact ones"].ours > 0.8
    assert found["later spend of champions / of all"].ours > 1.5


def test_the_simulator_s_people_pass_through_the_engine() -> None:
    found = segments_simulated.scores(users=40, days=6, settled=3)
    assert [score.metric for score in found] == [
        "silhouette of clusters",
        "segments changed a day",
        "value segments changed a day",
        "clusters changed a day",
    ]
    assert all(isfinite(score.ours) for score in found)
