"""A channel's groups: few, made of its cells by what the reference holds, thin at both ends.

No clock, no network, no logging: same arguments, same answer. Ends are thin since a shift of a
fifth of the traffic is mostly seen there: against eighths of equal mass, they found twice as many
of the swaps that we put into an hour of Azure's conversation trace.
"""

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Counts
from tidegauge.drift.cells import CELLS, CHANNELS, Channel

Numbers = NDArray[np.float64]

MASSES = (0.001, 0.01, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.99, 0.999)
"""Where one group ends and the next begins: the share of the reference below the cell's middle."""
MAX_GROUPS = len(MASSES) + 1
MIN_KNOWN = 20
"""Requests of the reference that a channel needs; of fewer, nothing is said."""


class Groups:
    """The groups of all channels that the reference knows, C of them, in the order of CHANNELS.

    `exists`: (C, MAX_GROUPS), whether the channel has so many groups; the others stay 0.
    `ranks`: (C, MAX_GROUPS), the middle of each group from -1, the lowest, to 1, the highest of
    the reference; all 0 where cells have no order.
    """

    def __init__(self, reference: Counts) -> None:
        self.channels: tuple[Channel, ...] = tuple(
            channel for channel in CHANNELS if reference[channel.place].sum() >= MIN_KNOWN
        )
        self.exists = np.zeros((len(self.channels), MAX_GROUPS), np.bool_)
        self.ranks: Numbers = np.zeros(self.exists.shape)
        self._known = np.zeros(CELLS, np.bool_)
        of_cell = np.zeros(CELLS, np.int64)
        for place, channel in enumerate(self.channels):
            held = reference[channel.place]
            groups = _by_class(held) if _unordered(channel) else _by_mass(held)
            of_cell[channel.place] = groups + place * MAX_GROUPS
            self._known[channel.place] = True
            self.exists[place, : groups.max() + 1] = True
            if not _unordered(channel):
                shares = np.bincount(groups, weights=held, minlength=MAX_GROUPS) / held.sum()
                self.ranks[place] = 2 * (np.cumsum(shares) - shares / 2) - 1
        self._of_known_cell = of_cell[self._known]

    def counts(self, cells: Counts) -> Numbers:
        """(C, MAX_GROUPS) requests of each group, of a block's (CELLS,) counts."""
        size = self.exists.size
        # Sums of whole numbers in float64, which holds them exactly up to 2^53.
        sums = np.bincount(self._of_known_cell, weights=cells[self._known], minlength=size)
        counts: Numbers = sums.astype(np.float64).reshape(self.exists.shape)
        return counts


def _unordered(channel: Channel) -> bool:
    yes_or_no = 2
    return len(channel.grid.names) > yes_or_no


def _by_mass(held: Counts) -> Counts:
    middles = (np.cumsum(held) - held / 2) / held.sum()
    groups = np.unique(np.searchsorted(MASSES, middles), return_inverse=True)[1]
    return groups.astype(np.int64)


def _by_class(held: Counts) -> Counts:
    """The most common ones each by itself, the rest together."""
    by_count = np.argsort(-held, kind="stable")
    groups = np.full(len(held), MAX_GROUPS - 1, np.int64)
    common = by_count[: MAX_GROUPS - 1]
    groups[common] = np.where(held[common] > 0, np.arange(len(common)), MAX_GROUPS - 1)
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)
