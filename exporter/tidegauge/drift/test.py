"""The seam of drift tests: one is made of a channel's reference, and scores windows against it."""

from dataclasses import dataclass
from typing import Protocol

from tidegauge.drift.block import Block


@dataclass(frozen=True, slots=True)
class Effect:
    """How far a window is from the reference.

    `size` is in the test's own unit, 0 where nothing differs and never below. `by_chance` is what
    it is on average with no shift at all, for as many independent requests: no verdict without a
    look at it. Real requests come in bursts and differ by more than that.
    """

    size: float
    by_chance: float


class DriftTest(Protocol):
    """One test on one channel of one model."""

    def effect(self, window: Block) -> Effect | None:
        """Of the window's requests; None where it, or the reference, says nothing of the channel.

        It is the caller's to ask only once the window holds enough requests.
        """
