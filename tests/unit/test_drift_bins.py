"""Bins made of cells, their labels, and what a block's counts are in them."""

from itertools import pairwise
from math import log1p

import numpy as np
import pytest

from tests.unit.drift_rows import random_rows
from tidegauge.drift.bins import MAX_BINS, AllBins, bins_of
from tidegauge.drift.block import Block
from tidegauge.drift.cells import CELLS, CHANNELS
from tidegauge.drift.grid import Grid, classes, powers, steps

WHOLE = Grid("tokens", tuple(log1p(n - 0.5) for n in range(1, 64)))  # a cell for each of 0 to 63
COLOURS = classes(("red", "blue", "green"))
LETTERS = classes(tuple("abcdefghij"))
SHARES = Grid("ratio", (1e-9, 0.0625, 0.25, 0.5625))
KINDS = classes(("plain", "other", "odd"))


@pytest.mark.parametrize(
    "lengths,labels",
    [
        pytest.param(
            range(64), ("0-7", "8-15", "16-23", "24-31", "32-39", "40-47", "48-55", "56+"),
            id="even lengths give eight even bins",
        ),
        pytest.param([16] * 100, ("0-15", "16", "17+"), id="a constant: below, equal, above"),
        pytest.param([0] * 100, ("0", "1+"), id="nothing is below zero"),
        pytest.param([1] * 100, ("0", "1", "2+"), id="one is above zero"),
        pytest.param([63] * 100, ("0-62", "63+"), id="nothing is above the last cell"),
        pytest.param(
            [3] * 5 + [16] * 90 + [30] * 5, ("0-15", "16", "17+"),
            id="a common length stands alone though others occur",
        ),
        pytest.param([4] * 50 + [8] * 50, ("0-3", "4", "5-7", "8", "9+"), id="two values"),
        pytest.param([5], ("0-4", "5", "6+"), id="a single request"),
    ],
)  # fmt: skip
def test_bins_by_the_references_quantiles(lengths: list[int], labels: tuple[str, ...]) -> None:
    counts = np.bincount(list(lengths), minlength=WHOLE.cells)
    assert bins_of(WHOLE, counts).labels == labels


@pytest.mark.parametrize(
    "grid,cells,labels",
    [
        pytest.param(SHARES, [9, 0, 0, 0, 0], ("0", "0+"), id="a share that is 0"),
        pytest.param(
            SHARES, [9, 9, 0, 9, 0], ("0", "0-0.0625", "0.0625-0.25", "0.25-0.562", "0.562+"),
            id="shares between edges of the grid",
        ),
        pytest.param(
            steps("ratio", 0.05, 32), [0] * 20 + [9] + [0] * 11, ("0-1", "1-1.05", "1.05+"),
            id="ratios that end in zero",
        ),
        pytest.param(
            powers("seconds", 1e-4, 10, 4), [0, 0, 9, 0], ("0-0.001", "0.001-0.01", "0.01+"),
            id="seconds",
        ),
        pytest.param(COLOURS, [5, 0, 0], ("red", "other"), id="a constant class, and any other"),
        pytest.param(COLOURS, [5, 2, 0], ("red", "blue", "green"), id="the one left has a name"),
        pytest.param(COLOURS, [0, 2, 0], ("blue", "other"), id="classes that never were are other"),
        pytest.param(
            LETTERS, [9, 1, 8, 7, 2, 6, 5, 4, 3, 0], ("a", "c", "d", "f", "g", "h", "i", "other"),
            id="the seven most common of many classes",
        ),
        pytest.param(LETTERS, [1] * 10, (*"abcdefg", "other"), id="of equals the first"),
        pytest.param(KINDS, [0, 5, 0], ("other", "rest"), id="a class that is called other"),
    ],
)  # fmt: skip
def test_labels_are_in_the_units_own_terms(
    grid: Grid, cells: list[int], labels: tuple[str, ...]
) -> None:
    assert bins_of(grid, np.array(cells)).labels == labels


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.name)
def test_labels_of_any_bins_of_a_channel_are_unlike_each_other(channel) -> None:
    # Two constants side by side have every edge of the grid among their labels.
    for cell in range(channel.grid.cells - 1):
        counts = np.zeros(channel.grid.cells, np.int64)
        counts[[cell, cell + 1]] = 5
        labels = bins_of(channel.grid, counts).labels
        assert len(set(labels)) == len(labels)
        assert 2 <= len(labels) <= MAX_BINS


def test_a_bin_counts_what_its_cells_hold() -> None:
    counts = np.zeros(WHOLE.cells, np.int64)
    counts[[0, 15, 16, 17, 63]] = 1, 2, 100, 4, 8
    bins = bins_of(WHOLE, counts)
    assert bins.labels == ("0-15", "16", "17+")
    assert bins.counts(counts).tolist() == [3, 100, 12]


def test_a_reference_of_nothing_has_no_bins() -> None:
    with pytest.raises(ValueError, match="reference of 0 requests: bins need at least 1"):
        bins_of(COLOURS, np.zeros(3, np.int64))


def test_all_bins_at_once_count_as_each_channels_own() -> None:
    reference, later = Block(), Block()
    for row in random_rows(200, seed=1):
        reference.add(row)
    for row in random_rows(50, seed=2):
        later.add(row)
    bins = AllBins(reference.counts)
    counts = bins.counts(later.counts)
    assert counts.shape == (bins.size,)
    places = [bins.place(channel.name) for channel in CHANNELS]
    assert all(before.stop == after.start for before, after in pairwise(places))
    for channel, place in zip(CHANNELS, places, strict=True):
        own = bins_of(channel.grid, reference.counts[channel.place])
        assert bins.channels[channel.name] == own
        assert counts[place].tolist() == own.counts(later.counts[channel.place]).tolist()
        assert counts[place].sum() == 50


def test_a_channel_that_the_reference_does_not_know_has_no_bins() -> None:
    reference = np.zeros(CELLS, np.int64)
    known = CHANNELS[3]
    reference[known.first + 2] = 10
    bins = AllBins(reference)
    assert list(bins.channels) == [known.name]
    assert bins.counts(np.ones(CELLS, np.int64)).tolist() == [2, 1, known.grid.cells - 3]
