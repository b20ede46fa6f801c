"""Tails beyond what was seen: they rise with rarity, and know what was known before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.thresholds.pareto_tail import Known, reached

PEAKS = st.lists(st.floats(0.5, 50.0), min_size=1, max_size=11).map(
    lambda peaks: sorted(peaks, reverse=True)
)


@given(peaks=PEAKS, often=st.floats(0.01, 0.9), times=st.floats(1.0, 50.0))
def test_what_is_rarer_is_higher(peaks: list[float], often: float, times: float) -> None:
    assert reached(peaks, often / times) >= reached(peaks, often) * (1 - 1e-12)


@given(peaks=PEAKS, expected=st.floats(0.001, 0.9))
def test_it_is_never_below_the_lowest(peaks: list[float], expected: float) -> None:
    assert reached(peaks, expected) >= peaks[-1]


def test_peaks_that_are_alike_say_no_more_unless_something_is_known_before() -> None:
    alike = [2.0, 2.0, 2.0]

    assert reached(alike, 0.1) == 2.0
    assert reached(alike, 0.1, before=Known(values=1.0, spread=0.35)) > 2.0


def test_one_peak_is_a_beginning() -> None:
    assert reached([2.0], 0.5, before=Known(values=1.0, spread=0.35)) == pytest.approx(
        2.0 * 2.718281828459045**0.35
    )
