"""The reference's own period, watched as if it came now: what every threshold is made from.

No clock, no network, no logging: same arguments, same answer. A period is not to be judged by what
was learned from it: each third is scored by what is usual in the other two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.bank import Bank
from tidegauge.drift.block import Block
from tidegauge.drift.moving import Counted, Means, Moving, Watching, together
from tidegauge.drift.pace import Pace
from tidegauge.drift.usual import Usual
from tidegauge.thresholds.levels import onsets, places_of

Numbers = NDArray[np.float64]

_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Step:
    """Requests that came within `waited` seconds."""

    block: Block
    waited: float


def steps_of(pace: Pace, blocks: Sequence[tuple[float, Block]], width: float) -> Iterator[Step]:
    """A reference's blocks, of `width` seconds, as a sequence would have seen them.

    At least one block gives at least one step: what is too short for one is one all the same.
    """
    joined, waited, before = Block(), 0.0, blocks[0][0] - width if blocks else 0.0
    found = False
    for start, block in blocks:
        joined.join(block)
        waited, before = waited + start - before, start
        if pace.over(joined, waited=waited):
            yield Step(joined, min(waited, pace.longest_seconds))
            joined, waited, found = Block(), 0.0, True
    if blocks and not found:
        yield Step(joined, min(waited, pace.longest_seconds))


class Replay:
    """Of at least one step."""

    def __init__(
        self, watching: Watching, pace: Pace, scales: Sequence[float], steps: Sequence[Step]
    ) -> None:
        self._watching = watching
        self._scales = np.array(scales)
        self._counted = [watching.counted(step.block) for step in steps]
        self.steps = len(steps)
        ages = [pace.age(step.block, waited=step.waited) for step in steps]
        self._ages = np.array(ages)
        moving = self.moving()
        self._means = together(
            [moving.add(c, elapsed=age) for c, age in zip(self._counted, ages, strict=True)]
        )
        self.seconds = sum(step.waited for step in steps)
        self._third = np.arange(self.steps) * _FOLDS // self.steps
        self._thirds = self._of_thirds()

    def moving(self) -> Moving:
        """That begins with the period's own means, as a sequence that had long gone on."""
        found = Moving(self._watching, self._scales.tolist())
        found.begin(self._sum(self._counted, by=self.steps), elapsed=float(self._ages.mean()))
        return found

    def usual(self) -> Usual:
        """Of the whole."""
        return self._usual(np.ones(self.steps, np.bool_))

    def excesses(self) -> Numbers:
        """(S, members, T), each third by the other two."""
        parts = []
        for third in sorted(set(self._third.tolist())):
            during = self._third == third
            others = ~during if self.steps > 1 else during
            usual, means = self._usual(others), self._means.during(during)
            shared = 1 - self._thirds[:, :, during, third]
            parts.append(usual.excesses(means, shared=shared))
        return np.concatenate(parts, axis=2)

    def alarms(self, values: Numbers, *, hold: int) -> Numbers:
        """(R, L) that (R, T) values would have made."""
        return onsets(places_of(values), hold=hold)

    def _of_thirds(self) -> Numbers:
        """(S, V, T, thirds): how much of each mean is of vectors of each third."""
        vectors = np.array([counted.vectors for counted in self._counted])
        of_third = self._third[:, None] == np.arange(_FOLDS)
        bank = Bank(self._scales.tolist(), vectors.shape[1], _FOLDS)
        usual = vectors.mean(axis=0)
        bank.begin(vectors.T @ of_third / self.steps, usual, elapsed=float(self._ages.mean()))
        found = list[Numbers]()
        for count, third, age in zip(vectors, of_third, self._ages.tolist(), strict=True):
            bank.add(count[:, None] * third, count, elapsed=age)
            found.append(bank.means)
        return np.stack(found, axis=2)

    def _usual(self, during: NDArray[np.bool_]) -> Usual:
        counted = [c for c, chosen in zip(self._counted, during, strict=True) if chosen]
        total = self._sum(counted)
        means: Means = self._means.during(during)
        independent = np.maximum(self._ages[during].sum() / (2 * self._scales), 1.0)
        return Usual(self._watching, total, means=means, independent=independent)

    def _sum(self, counted: Sequence[Counted], *, by: int = 1) -> Counted:
        return Counted(
            np.sum([c.groups for c in counted], axis=0) / by,
            np.sum([c.vectors for c in counted], axis=0) / by,
            np.sum([c.sums for c in counted], axis=0) / by,
        )
