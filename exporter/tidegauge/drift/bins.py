"""A channel's bins: few, made of its cells by what the reference holds, for counters in Prometheus.

No clock, no network, no logging: same arguments, same answer. Bins come from the reference alone
and never move afterwards, so that their counts add up over time and over replicas.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, expm1

import numpy as np

from tidegauge.drift.block import Counts
from tidegauge.drift.cells import CELLS, CHANNELS
from tidegauge.drift.grid import Grid

MAX_BINS = 8


@dataclass(frozen=True, slots=True)
class Bins:
    """`of_cell[i]` is the bin that cell i lies in; bins are numbered in the order of `labels`."""

    labels: tuple[str, ...]
    of_cell: tuple[int, ...]
    _places: Counts = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", np.array(self.of_cell, np.int64))

    def counts(self, cells: Counts) -> Counts:
        """(bins,) requests, of (cells,) requests."""
        return _added(self._places, cells, len(self.labels))


def bins_of(grid: Grid, reference: Counts) -> Bins:
    """At most MAX_BINS bins of a grid's cells, from how many of the reference each cell holds.

    Numbers: bins that hold about equally many. A cell so common that several quantiles fall into
    it gets a bin of its own, so that a move to either side of it is seen; of a constant channel
    the bins are below, equal and above. Labels are the grid's edges in the unit's own terms,
    rounded to three digits: tokens are whole numbers, both ends belong to the bin; of others, the
    upper end is that of the next bin.

    Classes: the most common that the reference has, and one bin for the rest. It is called other,
    or rest where a class is called other.

    >>> from tidegauge.drift.grid import classes, lengths
    >>> bins_of(lengths(0.5, 20), np.array([0, 0, 9, 0, 0, 0, 0])).labels
    ('0-1', '2-3', '4+')
    >>> bins_of(classes(("stop", "length", "error")), np.array([9, 0, 0])).labels
    ('stop', 'other')

    Raises:
        ValueError: the reference holds nothing.
    """
    if reference.sum() <= 0:
        raise ValueError("reference of 0 requests: bins need at least 1")
    return _class_bins(grid, reference) if grid.names else _number_bins(grid, reference)


class AllBins:
    """The bins of every channel that the reference knows, side by side in one array.

    `reference`: (CELLS,) requests, as a block counts them. `channels` has a channel's bins by its
    name, `size` is how many bins there are in all, at most MAX_BINS of each channel.
    """

    def __init__(self, reference: Counts) -> None:
        self.channels: dict[str, Bins] = {}
        self.size = 0
        self._places: dict[str, slice[int, int, None]] = {}
        self._known = np.zeros(CELLS, np.bool_)
        of_cell = np.zeros(CELLS, np.int64)
        for channel in CHANNELS:
            held = reference[channel.place]
            if held.any():
                bins = bins_of(channel.grid, held)
                of_cell[channel.place] = np.array(bins.of_cell) + self.size
                self._known[channel.place] = True
                self.channels[channel.name] = bins
                self._places[channel.name] = slice(self.size, self.size + len(bins.labels))
                self.size += len(bins.labels)
        self._of_known_cell = of_cell[self._known]

    def place(self, channel: str) -> "slice[int, int, None]":
        """Where a channel's bins lie among all."""
        return self._places[channel]

    def counts(self, cells: Counts) -> Counts:
        """(size,) requests of each bin, of a block's (CELLS,) counts."""
        return _added(self._of_known_cell, cells[self._known], self.size)


def _added(of_cell: Counts, cells: Counts, bins: int) -> Counts:
    # Sums of whole numbers in float64, which holds them exactly up to 2^53.
    sums: Counts = np.bincount(of_cell, weights=cells, minlength=bins).astype(np.int64)
    return sums


def _number_bins(grid: Grid, reference: Counts) -> Bins:
    cumulated = np.cumsum(reference)
    total = int(cumulated[-1])
    ranks = [-(-part * total // MAX_BINS) for part in range(1, MAX_BINS)]
    quantiles = Counter(int(cell) for cell in np.searchsorted(cumulated, ranks))
    alone = {cell - 1 for cell, times in quantiles.items() if times > 1}
    lasts = sorted((alone | quantiles.keys()) - {-1, grid.cells - 1})
    bounds = (-1, *lasts, grid.cells - 1)
    labels = tuple(_label(grid, before + 1, last) for before, last in pairwise(bounds))
    of_cell = tuple(int(b) for b in np.searchsorted(lasts, np.arange(grid.cells)))
    return Bins(labels, of_cell)


def _class_bins(grid: Grid, reference: Counts) -> Bins:
    by_count = sorted(range(grid.cells), key=lambda cell: (-int(reference[cell]), cell))
    kept = sorted(cell for cell in by_count[: MAX_BINS - 1] if reference[cell])
    if len(kept) == grid.cells - 1:  # the rest is one class: it has a name
        kept = list(range(grid.cells))
    names = tuple(grid.names[cell] for cell in kept)
    rest = () if len(kept) == grid.cells else ("rest" if "other" in grid.names else "other",)
    places = {cell: place for place, cell in enumerate(kept)}
    return Bins((*names, *rest), tuple(places.get(c, len(kept)) for c in range(grid.cells)))


def _label(grid: Grid, first: int, last: int) -> str:
    """Of the cells from `first` to `last`."""
    low = grid.edges[first - 1] if first else None
    high = grid.edges[last] if last < len(grid.edges) else None
    return _whole_numbers(low, high) if grid.unit == "tokens" else _numbers(low, high)


def _whole_numbers(low: float | None, high: float | None) -> str:
    least = 0 if low is None else ceil(expm1(low))
    if high is None:
        return f"{least}+"
    most = ceil(expm1(high)) - 1
    return str(least) if least == most else f"{least}-{most}"


def _numbers(low: float | None, high: float | None) -> str:
    least = _short(low or 0.0)
    if high is None:
        return f"{least}+"
    most = _short(high)
    return least if least == most else f"{least}-{most}"


def _short(edge: float) -> str:
    tiny = 1e-6  # the edge above 0 of shares, which are 0 or at least one character of many
    return "0" if edge < tiny else f"{edge:.3g}"
