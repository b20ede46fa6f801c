"""The index against values worked out by hand, and against what chance gives."""

from math import log

import numpy as np
import pytest

from tidegauge.drift.bins import ClassBins, LengthBins
from tidegauge.drift.psi import PopulationStability, population_stability, psi_by_chance
from tidegauge.drift.reference import ChannelReference
from tidegauge.drift.shares import smoothed_shares
from tidegauge.drift.window import WindowLimits

# Shares (9.5, 29.5) / 39 ... by hand: counts (9, 29) of 38 requests, half a request per bin.
SHORT_OR_LONG = ChannelReference("prompt_length", LengthBins((10,)), (9.0, 29.0), 38)
LIMITS = WindowLimits(requests=50, seconds=60.0, min_requests=4)
SHORT, LONG = (5.0,), (20.0,)


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
    verdict = PopulationStability(SHORT_OR_LONG, LIMITS).update((SHORT, SHORT, SHORT, LONG), now=0)
    q, p = (3.5 / 5, 1.5 / 5), (9.5 / 39, 29.5 / 39)
    by_hand = (q[0] - p[0]) * log(q[0] / p[0]) + (q[1] - p[1]) * log(q[1] / p[1])
    assert verdict.effect_size == pytest.approx(by_hand)
    assert verdict.evidence_requests == 4
    assert verdict.effect_by_chance == pytest.approx(1 / 4 + 1 / 38)


def test_nothing_is_scored_before_there_is_enough_evidence() -> None:
    test = PopulationStability(SHORT_OR_LONG, LIMITS)
    verdict = test.update((SHORT, SHORT, SHORT), now=0)
    assert (verdict.effect_size, verdict.effect_by_chance) == (None, None)
    assert verdict.evidence_requests == 3
    assert test.update((SHORT,), now=0).effect_size is not None


def test_a_window_too_old_is_unknown_again_and_not_zero() -> None:
    test = PopulationStability(SHORT_OR_LONG, LIMITS)
    test.update((SHORT,) * 10, now=0)
    assert test.update((), now=60).evidence_requests == 10
    verdict = test.update((), now=60.5)
    assert verdict.evidence_requests == 0
    assert verdict.effect_size is None


def test_a_shift_scores_and_its_end_brings_the_score_back() -> None:
    test = PopulationStability(SHORT_OR_LONG, LIMITS)
    before = test.update((*(SHORT,) * 12, *(LONG,) * 38), now=0).effect_size
    shifted = test.update((SHORT,) * 50, now=1).effect_size
    after = test.update((*(SHORT,) * 12, *(LONG,) * 38), now=2).effect_size
    assert before is not None
    assert shifted is not None
    assert before < 0.01
    assert shifted > 1
    assert after == pytest.approx(before)


def test_a_mix_adds_its_shares() -> None:
    reference = ChannelReference("prompt_mix", ClassBins(("lower", "digit")), (80.0, 20.0), 100)
    test = PopulationStability(reference, LIMITS)
    verdict = test.update(((0.5, 0.5), (1.0, 0.0), (0.75, 0.25), (0.75, 0.25)), now=0)
    expected = population_stability((3.5 / 5, 1.5 / 5), (80.5 / 101, 20.5 / 101))
    assert verdict.effect_size == pytest.approx(expected)
    assert verdict.evidence_requests == 4


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
