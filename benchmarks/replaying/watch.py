"""The product's own watch over requests, tick by tick: Sequence as a sidecar runs it."""

from collections.abc import Mapping
from copy import deepcopy

from benchmarks.replaying.counted import START, TICK_SECONDS, Counted
from tidegauge import __version__
from tidegauge.drift.cells import SIDES, Side
from tidegauge.drift.reference import Reference
from tidegauge.drift.sequence import Evidence, Sequence


class Watch:
    """Starts at the tick after its reference's last.

    `alarms` are those of both sides: each has half of the budget, so their sum has all of it.
    `budget_seconds` is the mean time between false alarms of the model.
    """

    def __init__(self, of: Counted, reference_ticks: int, *, budget_seconds: float) -> None:
        self._tick = reference_ticks
        self._sequence = Sequence(
            Reference.of(of.sketch(reference_ticks), made_by=__version__),
            tick_seconds=TICK_SECONDS,
            budget_seconds=budget_seconds * len(SIDES),
        )

    @property
    def alarms(self) -> int:
        """That have begun so far."""
        return sum(self._sequence.alarms.values())

    @property
    def alarms_of_sides(self) -> Mapping[Side, int]:
        return self._sequence.alarms

    @property
    def sides(self) -> Mapping[Side, Evidence]:
        """As they are now."""
        return self._sequence.sides

    @property
    def on(self) -> bool:
        """Whether one lasts."""
        return any(side.alarm for side in self._sequence.sides.values())

    def take(self, of: Counted, tick: int) -> bool:
        """The next tick's requests, which are those of `tick` there. Whether an alarm begins."""
        before = self.alarms
        self._tick += 1
        self._sequence.tick(of.block(tick), now=START + self._tick * TICK_SECONDS)
        return self.alarms > before

    def copy(self) -> "Watch":
        """Another one that has seen the same, for what else might come next."""
        return deepcopy(self)
