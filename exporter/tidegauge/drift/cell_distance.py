"""A distance over the cells of a channel as a DriftTest; of classes it is total variation.

No clock, no network, no logging: same arguments, same answer. Classes have no order to go along.
"""

from collections.abc import Callable

from tidegauge.drift.block import Block
from tidegauge.drift.cells import Channel
from tidegauge.drift.shares import Shares, shares_of
from tidegauge.drift.test import Effect
from tidegauge.drift.total_variation import total_variation, total_variation_by_chance


class CellDistance:
    """`size` of shares from the reference's, `by_chance` of these and of 1/n + 1/m."""

    def __init__(
        self,
        channel: Channel,
        reference: Block,
        *,
        size: Callable[[Shares, Shares], float],
        by_chance: Callable[[Shares, float], float],
    ) -> None:
        self._place = channel.place
        self._reference = shares_of(reference.counts[channel.place])
        ordered = not channel.grid.names
        self._size = size if ordered else total_variation
        self._by_chance = by_chance if ordered else total_variation_by_chance

    def effect(self, window: Block) -> Effect | None:
        now, then = shares_of(window.counts[self._place]), self._reference
        if now is None or then is None:
            return None
        spread = 1 / now.requests + 1 / then.requests
        return Effect(self._size(now.shares, then.shares), self._by_chance(then.shares, spread))
