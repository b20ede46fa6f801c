"""How often each tier may be read, so that all calls together stay within the driver's budget.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def stretched(
    intervals: Mapping[Key, float], costs: Mapping[Key, float], *, budget_ratio: float
) -> dict[Key, float]:
    """The intervals, those of the dearest tiers stretched until the budget is kept.

    `costs` are seconds of driver time for one read of a tier, all devices together; a tier
    without one costs nothing as far as we know. What a tier spends is cost / interval. Where the
    sum is above the budget, a level is found so that the sum of min(spent, level) is the budget,
    as water finds one: what spends less than the level is left alone.

    >>> stretched({"fast": 1.0, "slow": 30.0}, {"fast": 0.002, "slow": 0.6}, budget_ratio=0.01)
    {'fast': 1.0, 'slow': 75.0}
    """
    spent = {key: costs.get(key, 0.0) / seconds for key, seconds in intervals.items()}
    if sum(spent.values()) <= budget_ratio:
        return dict(intervals)
    level = _level(sorted(spent.values()), budget_ratio)
    return {
        key: seconds if spent[key] <= level else costs[key] / level
        for key, seconds in intervals.items()
    }


def _level(spent: list[float], budget: float) -> float:
    """Where the sum of min(spent, level) is `budget`; `spent` ascends and sums up to more."""
    left = budget
    for position, amount in enumerate(spent):
        share = left / (len(spent) - position)
        if amount > share:
            return share
        left -= amount
    return spent[-1]
