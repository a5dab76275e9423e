"""The price of money: what a fen of cost must bring, so that a budget lasts its period.

Dual ascent on the budget: spending faster than time passes makes money dearer, slower makes it
cheaper, and each decision by itself weighs value against price * cost. The step is a factor, so a
price of 20 moves as readily as one of 2. Source: Balseiro, Gur, Learning in repeated auctions with
budgets: regret minimization and equilibrium (Management Science 2019); Balseiro, Lu, Mirrokni, The
best of many worlds: dual mirror descent (Operations Research 2023) for the factor.
"""

from math import exp
from typing import Final

LEAST: Final = 1.0  # a fen spent is a fen lost, however much of the budget is left
MOST: Final = 100.0
RATE: Final = 20.0  # spending 1 % of the budget too much makes money 22 % dearer
STEP_MOST: Final = 0.7  # of the logarithm: at most about double or half at a time


def next_price(price: float, spent_share: float, time_share: float) -> float:
    """The price from now on, in [LEAST, MOST].

    `spent_share` of the budget was spent while `time_share` of the period went by, both since the
    last call. Take both as shares of what was left at that call, and what was saved early can
    still be spent later. Raises ValueError for a negative or NaN share or price.
    """
    if not (price >= 0.0 and spent_share >= 0.0 and time_share >= 0.0):
        raise ValueError(f"price {price}, spent {spent_share}, time {time_share}: none below 0")
    step = min(max(RATE * (spent_share - time_share), -STEP_MOST), STEP_MOST)
    return min(max(price * exp(step), LEAST), MOST)
