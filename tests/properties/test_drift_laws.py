"""Laws of the index, the bins and the window, for any input."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegauge.drift.bins import MAX_LENGTH_BINS, LengthBins, quantile_bins
from tidegauge.drift.psi import PopulationStability, population_stability
from tidegauge.drift.reference import ChannelReference, DriftReferenceError
from tidegauge.drift.reference_text import load
from tidegauge.drift.shares import smoothed_shares
from tidegauge.drift.window import WindowLimits

COUNT = st.floats(0, 1e6)
LENGTHS = st.lists(st.integers(0, 500), min_size=1, max_size=300)
PAIRS = st.lists(st.tuples(COUNT, COUNT), min_size=2, max_size=8)
LIMITS = WindowLimits(requests=40, seconds=30.0, min_requests=10)


@given(PAIRS)
def test_the_index_is_never_negative_and_symmetric(pairs: list[tuple[float, float]]) -> None:
    now, then = (smoothed_shares(column) for column in zip(*pairs, strict=True))
    psi = population_stability(now, then)
    assert psi >= 0
    assert psi == pytest.approx(population_stability(then, now))


@given(st.lists(COUNT, min_size=2, max_size=8))
def test_the_index_of_equal_shares_is_zero(counts: list[float]) -> None:
    shares = smoothed_shares(counts)
    assert population_stability(shares, shares) == 0


@given(st.lists(COUNT, min_size=2, max_size=8))
def test_shares_are_above_zero_and_sum_to_one(counts: list[float]) -> None:
    shares = smoothed_shares(counts)
    assert min(shares) > 0
    assert sum(shares) == pytest.approx(1)


@given(LENGTHS, LENGTHS)
def test_bins_are_few_ascending_and_hold_every_length_once(
    reference: list[int], later: list[int]
) -> None:
    bins = quantile_bins(reference)
    assert 2 <= len(bins.labels) <= MAX_LENGTH_BINS
    assert len(set(bins.labels)) == len(bins.labels)
    assert all(a < b for a, b in pairwise(bins.edges))
    for length in later:
        spread = bins.spread((float(length),))
        assert sum(spread) == 1
        assert set(spread) <= {0.0, 1.0}


@given(st.integers(1, 500), st.integers(0, 500))
def test_any_move_of_a_constant_leaves_its_bin(constant: int, moved: int) -> None:
    bins = quantile_bins([constant] * 100)
    same = bins.spread((float(constant),)) == bins.spread((float(moved),))
    assert same == (constant == moved)


@given(LENGTHS, LENGTHS, st.data())
def test_counts_of_parts_add_up_to_the_counts_of_the_whole(
    reference: list[int], later: list[int], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(later)))
    bins = quantile_bins(reference)
    parts = zip(_counts(bins, later[:cut]), _counts(bins, later[cut:]), strict=True)
    assert [a + b for a, b in parts] == _counts(bins, later)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 100)), max_size=120))
def test_a_score_is_there_exactly_when_the_window_holds_enough(
    arrivals: list[tuple[float, int]],
) -> None:
    reference = ChannelReference("prompt_length", LengthBins((10, 50)), (50.0, 30.0, 20.0), 100)
    test = PopulationStability(reference, LIMITS)
    now, seen = 0.0, []
    for gap, length in arrivals:
        now += gap
        seen.append((now, length))
        verdict = test.update(((float(length),),), now=now)
        held = [n for at, n in seen[-LIMITS.requests :] if now - at <= LIMITS.seconds]
        assert verdict.evidence_requests == len(held)
        assert (verdict.effect_size is None) == (len(held) < LIMITS.min_requests)
        if verdict.effect_size is not None:
            shares = smoothed_shares(_counts(reference.bins, held))
            expected = population_stability(shares, reference.shares)
            assert verdict.effect_size == pytest.approx(expected, abs=1e-12)


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_reading_a_reference_raises_only_its_own_error(raw: bytes | str) -> None:
    with pytest.raises(DriftReferenceError):
        load(raw)


def _counts(bins: LengthBins, lengths: list[int]) -> list[float]:
    spreads = [bins.spread((float(length),)) for length in lengths]
    return [sum(spread[index] for spread in spreads) for index in range(len(bins.labels))]
