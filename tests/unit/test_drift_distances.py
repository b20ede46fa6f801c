"""Kolmogorov-Smirnov, Wasserstein, total variation and Jensen-Shannon by hand."""

from math import log2, sqrt

import numpy as np
import pytest

from tests.unit.drift_channels import CLASSES, NUMBERS, block_of
from tidegauge.drift.jensen_shannon import jensen_shannon_distance
from tidegauge.drift.ks import KolmogorovSmirnov, ks_distance
from tidegauge.drift.registry import MakeDriftTest
from tidegauge.drift.wasserstein import Wasserstein, wasserstein_distance

HALVES = np.array([0.5, 0.5, 0.0, 0.0])


@pytest.mark.parametrize(
    "shares,expected",
    [
        pytest.param([0.5, 0.5, 0.0, 0.0], 0.0, id="nothing moved"),
        pytest.param([0.5, 0.0, 0.5, 0.0], 0.5, id="half moved one cell"),
        pytest.param([0.5, 0.0, 0.0, 0.5], 0.5, id="how far does not count"),
        pytest.param([0.0, 0.0, 0.5, 0.5], 1.0, id="all moved out of reach"),
    ],
)
def test_kolmogorov_smirnov_by_hand(shares: list[float], expected: float) -> None:
    assert ks_distance(np.array(shares), HALVES) == pytest.approx(expected)


@pytest.mark.parametrize(
    "shares,cells",
    [
        pytest.param([0.5, 0.5, 0.0, 0.0], 0.0, id="nothing moved"),
        pytest.param([0.5, 0.0, 0.5, 0.0], 0.5, id="half moved one cell"),
        pytest.param([0.5, 0.0, 0.0, 0.5], 1.0, id="half moved two cells"),
        pytest.param([0.0, 0.0, 0.5, 0.5], 2.0, id="all moved two cells"),
    ],
)
def test_wasserstein_by_hand(shares: list[float], cells: float) -> None:
    deviation = sqrt(1 / 4 + 1 / 12)  # of two cells side by side, and within a cell
    assert wasserstein_distance(np.array(shares), HALVES) == pytest.approx(cells / deviation)


def test_a_constant_that_moves_one_cell_is_three_and_a_half_deviations_away() -> None:
    moved = wasserstein_distance(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert moved == pytest.approx(sqrt(12))


def test_jensen_shannon_by_hand() -> None:
    q, p = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    divergence = (log2(1 / 0.75) + 0.5 * log2(0.5 / 0.75) + 0.5 * log2(0.5 / 0.25)) / 2
    assert jensen_shannon_distance(q, p) == pytest.approx(sqrt(divergence))


@pytest.mark.parametrize("make", [KolmogorovSmirnov, Wasserstein])
def test_classes_have_no_order_and_are_compared_by_the_share_that_moved(
    make: MakeDriftTest,
) -> None:
    test = make(CLASSES, block_of(CLASSES, (50, 50)))
    for window in ((50, 20, 30), (50, 20, *[0] * 7, 30)):
        effect = test.effect(block_of(CLASSES, window))
        assert effect is not None
        assert effect.size == pytest.approx(0.3)


@pytest.mark.parametrize("make", [KolmogorovSmirnov, Wasserstein])
def test_a_constant_channel_gives_nothing_by_chance(make: MakeDriftTest) -> None:
    constant = block_of(NUMBERS, (0, 0, 80))
    effect = make(NUMBERS, constant).effect(constant)
    assert effect is not None
    assert (effect.size, effect.by_chance) == (0, 0)
