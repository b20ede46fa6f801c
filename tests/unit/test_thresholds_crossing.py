"""Where logarithms that begin one after the other reach a level, against halving the way there."""

from math import e, inf, log, log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.thresholds.crossing import Rise, crossing

ONE: Rise = (0.0, 0.0, 1.0, 1.0)  # ln(1 + x)


@pytest.mark.parametrize(
    "rises, level, expected",
    [
        pytest.param([ONE], 1.0, e - 1, id="one"),
        pytest.param([ONE, ONE], log(9.0), 2.0, id="two, of the same argument"),
        pytest.param([ONE, (5.0, 9.0, 1.0, 1.0)], 3.0, 5.0, id="a jump over the level"),
        pytest.param([ONE, (5.0, 9.0, 1.0, 1.0)], 1.0, e - 1, id="before the next begins"),
        pytest.param([(2.0, 3.0, 1.0, 0.0)], 3.0, 2.0, id="a jump to the level, and no rise"),
        pytest.param([(2.0, 3.0, 1.0, 0.0)], 4.0, inf, id="a jump that is too low"),
        pytest.param([(inf, 3.0, 1.0, 2.0)], 1.0, inf, id="one that never begins"),
        pytest.param([], 1.0, inf, id="none"),
        pytest.param([ONE], 1000.0, inf, id="a level that nothing reaches"),
    ],
)
def test_by_hand(rises: list[Rise], level: float, expected: float) -> None:
    assert crossing(rises, level) == pytest.approx(expected)


def number(least: float, most: float) -> st.SearchStrategy[float]:
    return st.floats(least, most, allow_nan=False)


@given(
    rises=st.lists(
        st.tuples(number(-10, 10), number(0, 30), number(0.01, 100), number(0.1, 2)),
        min_size=1,
        max_size=3,
    ),
    level=number(0.1, 60),
)
def test_just_before_the_level_is_not_reached_and_just_beyond_it_is(
    rises: list[Rise], level: float
) -> None:
    def total(x: float) -> float:
        begun = (rise for rise in rises if rise[0] < x)
        return sum(
            jump + weight * log1p((x - start) / scale) for start, jump, scale, weight in begun
        )

    found = crossing(rises, level)
    near = 1e-6 * max(1.0, abs(found))
    assert total(found + near) >= level - 1e-6
    assert total(found - near) <= level + 1e-6
