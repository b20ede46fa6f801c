"""The driver's budget: what a tier costs decides how often it may be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.sources.gpu.budget import stretched

TIERS = ("fast", "medium", "slow", "gpm", "ring")
INTERVALS = st.dictionaries(st.sampled_from(TIERS), st.floats(0.1, 600), min_size=1)
COSTS = st.dictionaries(st.sampled_from(TIERS), st.floats(0, 10))
BUDGETS = st.floats(1e-4, 1)


@pytest.mark.parametrize(
    "costs,expected",
    [
        pytest.param({}, {"fast": 0.1, "medium": 5.0, "slow": 30.0}, id="nothing is known"),
        pytest.param(
            {"fast": 0.0005, "medium": 0.01, "slow": 0.05},
            {"fast": 0.1, "medium": 5.0, "slow": 30.0},
            id="all of it fits",
        ),
        pytest.param(
            {"fast": 0.002, "medium": 0.005, "slow": 0.03},
            {"fast": 0.25, "medium": 5.0, "slow": 30.0},
            id="the dearest alone slows down, by what is left for it",
        ),
        pytest.param(
            {"fast": 0.01, "medium": 0.5, "slow": 0.06},
            {"fast": 2.5, "medium": 125.0, "slow": 30.0},
            id="two dear ones share what the cheap one leaves",
        ),
    ],
)
def test_the_dearest_tier_slows_first(costs: dict[str, float], expected: dict[str, float]) -> None:
    intervals = {"fast": 0.1, "medium": 5.0, "slow": 30.0}
    assert stretched(intervals, costs, budget_ratio=0.01) == pytest.approx(expected)


@given(INTERVALS, COSTS, BUDGETS)
def test_the_budget_is_kept_at_the_given_costs(intervals, costs, budget: float) -> None:
    paced = stretched(intervals, costs, budget_ratio=budget)
    spent = sum(costs.get(tier, 0) / seconds for tier, seconds in paced.items())
    assert spent <= budget * (1 + 1e-9)


@given(INTERVALS, COSTS, BUDGETS)
def test_nothing_is_read_more_often_than_configured(intervals, costs, budget: float) -> None:
    paced = stretched(intervals, costs, budget_ratio=budget)
    assert paced.keys() == intervals.keys()
    assert all(paced[tier] >= intervals[tier] * (1 - 1e-9) for tier in intervals)


@given(INTERVALS, COSTS, BUDGETS)
def test_within_the_budget_nothing_changes(intervals, costs, budget: float) -> None:
    if sum(costs.get(tier, 0) / seconds for tier, seconds in intervals.items()) <= budget:
        assert stretched(intervals, costs, budget_ratio=budget) == intervals


@given(INTERVALS, COSTS, BUDGETS)
def test_beyond_it_the_budget_is_used_up(intervals, costs, budget: float) -> None:
    if sum(costs.get(tier, 0) / seconds for tier, seconds in intervals.items()) > budget:
        paced = stretched(intervals, costs, budget_ratio=budget)
        spent = sum(costs.get(tier, 0) / seconds for tier, seconds in paced.items())
        assert spent == pytest.approx(budget)
