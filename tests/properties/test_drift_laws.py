"""Laws of the index, the bins, the window and every drift test, for any input."""

from itertools import pairwise
from math import ceil, isfinite

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.drift_channels import CLASSES, NUMBERS, block_of
from tidegauge.drift.bins import MAX_BINS, Bins, bins_of
from tidegauge.drift.block import Block, Counts, joined
from tidegauge.drift.cells import Channel
from tidegauge.drift.psi import population_stability
from tidegauge.drift.registry import DRIFT_TESTS
from tidegauge.drift.row import Row
from tidegauge.drift.shares import smoothed_shares
from tidegauge.drift.window import Window, WindowLimits

COUNT = st.floats(0, 1e6)
PAIRS = st.lists(st.tuples(COUNT, COUNT), min_size=2, max_size=8)
LIMITS = WindowLimits(requests=40, seconds=30.0, min_requests=10)
INTERVAL = 5.0
CHANNEL = st.sampled_from((NUMBERS, CLASSES))


@st.composite
def cells_of(draw: st.DrawFn, channel: Channel) -> Counts:
    """How many requests in each of a channel's cells; a few cells, not none."""
    place = st.integers(0, channel.grid.cells - 1)
    filled = draw(st.dictionaries(place, st.integers(1, 10_000), min_size=1, max_size=12))
    counts = np.zeros(channel.grid.cells, np.int64)
    counts[list(filled)] = list(filled.values())
    return counts


@st.composite
def compared(draw: st.DrawFn) -> tuple[Channel, Counts, Counts]:
    """A channel, and the counts of a reference and of a window."""
    channel = draw(CHANNEL)
    return channel, draw(cells_of(channel)), draw(cells_of(channel))


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


@given(compared())
def test_bins_are_few_and_hold_every_cell_once(given: tuple[Channel, Counts, Counts]) -> None:
    channel, reference, later = given
    bins = bins_of(channel.grid, reference)
    assert 2 <= len(bins.labels) <= MAX_BINS
    assert len(set(bins.labels)) == len(bins.labels)
    assert len(bins.of_cell) == channel.grid.cells
    assert set(bins.of_cell) == set(range(len(bins.labels)))
    assert bins.counts(later).sum() == later.sum()
    if not channel.grid.names:
        assert all(a <= b for a, b in pairwise(bins.of_cell))


@given(st.integers(0, NUMBERS.grid.cells - 1), st.integers(0, NUMBERS.grid.cells - 1))
def test_any_move_of_a_constant_leaves_its_bin(constant: int, moved: int) -> None:
    bins = bins_of(NUMBERS.grid, _only(constant))
    same = _bin(bins, constant) == _bin(bins, moved)
    assert same == (constant == moved)


@given(compared(), st.data())
def test_counts_of_parts_add_up_to_the_counts_of_the_whole(
    given: tuple[Channel, Counts, Counts], data: st.DataObject
) -> None:
    channel, reference, later = given
    more = data.draw(cells_of(channel))
    bins = bins_of(channel.grid, reference)
    parts = bins.counts(later) + bins.counts(more)
    assert parts.tolist() == bins.counts(later + more).tolist()


@given(compared())
def test_an_effect_is_finite_and_never_negative(given: tuple[Channel, Counts, Counts]) -> None:
    channel, reference, later = given
    for make in DRIFT_TESTS.values():
        test = make(channel, block_of(channel, reference.tolist()))
        effect = test.effect(block_of(channel, later.tolist()))
        assert effect is not None
        assert effect.size >= 0
        assert effect.by_chance >= 0
        assert isfinite(effect.size)
        assert isfinite(effect.by_chance)


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(-20, 20), st.integers(0, 25)), max_size=40))
def test_a_window_is_the_sum_of_its_latest_blocks_and_bounded(
    pushes: list[tuple[float, int]],
) -> None:
    window = Window(LIMITS, interval=INTERVAL)
    now, latest, held = 0.0, float("-inf"), list[tuple[float, Block]]()
    for gap, requests in pushes:
        now += gap
        latest = max(latest, now)
        block = Block()
        for _ in range(requests):
            block.add(Row((3, 70)))
        window.push(block, now=now)
        held.append((latest, block))
        young = [block for at, block in held if latest - at < LIMITS.seconds]
        blocks = _latest(young, most=ceil(LIMITS.seconds / INTERVAL))
        assert window.total == joined(blocks)
        assert window.blocks == len(blocks)
        assert window.enough == (window.requests >= LIMITS.min_requests)


def _latest(blocks: list[Block], *, most: int) -> list[Block]:
    """The last of them that hold as many requests as a window needs, empty ones left out."""
    kept = list[Block]()
    for block in reversed(blocks):
        if len(kept) == most or sum(b.requests for b in kept) >= LIMITS.requests:
            break
        if block.requests:
            kept.append(block)
    return kept


def _only(cell: int) -> Counts:
    counts = np.zeros(NUMBERS.grid.cells, np.int64)
    counts[cell] = 100
    return counts


def _bin(bins: Bins, cell: int) -> int:
    return int(np.flatnonzero(bins.counts(_only(cell)))[0])
