"""One run of the watch over ordinary requests, with swaps tried from copies of it on the way.

A swap replaces a random share of a stretch's requests by another trace's, which come in that
trace's own order from a random place on. The ordinary run goes on as if it had not been.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.replaying.counted import Counted, Requests
from benchmarks.replaying.watch import Watch

SHARES = (0.2, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Trial:
    """A swap: how many ticks after its start an alarm began.

    `without` is when one began in the same stretch without the swap, `on` when one was on there.
    None is never within the longest stretch tried. A shorter swap is the beginning of a longer one,
    so that one trial answers for all lengths.
    """

    share: float
    alarm: int | None
    without: int | None
    on: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """What a watch did in `ticks` of ordinary requests; `on` of them an alarm lasted."""

    alarms: int
    ticks: int
    on: int
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Swaps:
    """`each` starts of swaps of `ticks` in a stretch; a swap of each share from each start."""

    of: Requests
    ticks: int
    each: int


class Follower:
    """Follows ordinary requests and remembers when an alarm was on."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._on: list[bool] = []
        self._begins: list[bool] = []
        self._trials: list[Trial] = []

    def follow(
        self, ordinary: Requests, first: int, end: int, swaps: Swaps, rng: np.random.Generator
    ) -> None:
        """Ticks first … end - 1, and swaps that lie within them."""
        counted, began = Counted(ordinary.between(0, end), end), len(self._on)
        starts = np.sort(rng.integers(first, end - swaps.ticks + 1, swaps.each)).tolist()
        found = list[tuple[int, float, int | None]]()
        for tick in range(first, end):
            for start in starts:
                if start == tick:
                    stretch = ordinary.between(start, start + swaps.ticks)
                    found += (
                        (start, share, self._tried(stretch, share, swaps, rng)) for share in SHARES
                    )
            self._begins.append(self._watch.take(counted, tick))
            self._on.append(self._watch.on)
        for start, share, alarm in found:
            at = slice(began + start - first, began + start - first + swaps.ticks)
            without, on = _first(self._begins[at]), _first(self._on[at])
            self._trials.append(Trial(share, alarm, without, on))

    def run(self) -> Run:
        """What it has seen so far."""
        return Run(self._watch.alarms, len(self._on), sum(self._on), tuple(self._trials))

    def _tried(
        self, stretch: Requests, share: float, swaps: Swaps, rng: np.random.Generator
    ) -> int | None:
        counted = Counted(swapped(stretch, swaps.of, share, rng), swaps.ticks)
        watch = self._watch.copy()
        return next((tick for tick in range(swaps.ticks) if watch.take(counted, tick)), None)


def swapped(
    ordinary: Requests, others: Requests, share: float, rng: np.random.Generator
) -> Requests:
    """The same ticks, with a random share of the requests being the others."""
    taken = rng.random(len(ordinary)) < share
    place = int(rng.integers(len(others)))
    which = (place + np.arange(int(taken.sum()))) % len(others)
    prompts, answers = ordinary.prompts.copy(), ordinary.answers.copy()
    prompts[taken], answers[taken] = others.prompts[which], others.answers[which]
    return Requests(ordinary.ticks, prompts, answers)


def _first(flags: Sequence[bool]) -> int | None:
    return next((place for place, flag in enumerate(flags) if flag), None)
