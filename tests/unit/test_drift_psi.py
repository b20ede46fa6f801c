"""The index against values worked out by hand, and against what chance gives."""

from math import log

import numpy as np
import pytest

from tests.unit.drift_channels import block_of
from tidegauge.drift.cells import Channel
from tidegauge.drift.grid import classes
from tidegauge.drift.psi import PopulationStability, population_stability, psi_by_chance
from tidegauge.drift.shares import smoothed_shares

REFUSAL = Channel("answer_refusal", "outputs", "refusal", classes(("no", "yes")), 0)


def test_shares_are_smoothed_by_half_a_request_per_bin() -> None:
    assert smoothed_shares((9, 29)) == (9.5 / 39, 29.5 / 39)
    assert smoothed_shares((0, 0)) == (0.5, 0.5)


@pytest.mark.parametrize(
    "shares,reference,expected",
    [
        pytest.param((0.5, 0.5), (0.5, 0.5), 0.0, id="equal shares score nothing"),
        pytest.param((0.6, 0.4), (0.4, 0.6), 0.4 * log(1.5), id="two fifths swapped"),
        pytest.param((0.5, 0.25, 0.25), (0.25, 0.25, 0.5), 0.5 * log(2), id="one bin unmoved"),
        pytest.param((0.9, 0.1), (0.1, 0.9), 1.6 * log(9), id="nearly all moved"),
    ],
)
def test_index_by_hand(
    shares: tuple[float, ...], reference: tuple[float, ...], expected: float
) -> None:
    assert population_stability(shares, reference) == pytest.approx(expected)


def test_a_window_is_scored_by_hand() -> None:
    effect = PopulationStability(REFUSAL, block_of(REFUSAL, (9, 29))).effect(
        block_of(REFUSAL, (3, 1))
    )
    q, p = (3.5 / 5, 1.5 / 5), (9.5 / 39, 29.5 / 39)
    by_hand = (q[0] - p[0]) * log(q[0] / p[0]) + (q[1] - p[1]) * log(q[1] / p[1])
    assert effect is not None
    assert effect.size == pytest.approx(by_hand)
    assert effect.by_chance == pytest.approx(1 / 4 + 1 / 38)


def test_independent_requests_score_on_average_what_chance_says() -> None:
    rng = np.random.default_rng(7)
    shares = np.full(8, 1 / 8)
    scores = [
        population_stability(
            smoothed_shares([float(n) for n in rng.multinomial(500, shares)]),
            smoothed_shares([float(n) for n in rng.multinomial(1000, shares)]),
        )
        for _ in range(400)
    ]
    assert np.mean(scores) == pytest.approx(psi_by_chance(8, 500, 1000), rel=0.1)
