"""What many runs come to, as a benchmark's lines and figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.replaying.counted import TICK_SECONDS
from benchmarks.replaying.runs import SHARES, Run, Trial

LEAST_EXPECTED = 10.0
"""Alarms that have to be expected before the realised ones say anything of a factor of two."""

LEAST_QUIET = 10
"""Stretches without an alarm of their own, of which a share says something."""

Line = dict[str, object]


@dataclass(frozen=True, slots=True)
class Case:
    """Runs at the same budget; only those that are `held` count towards a goal."""

    name: str
    per_hour: float
    runs: Sequence[Run]
    held: bool = True

    @property
    def hours(self) -> float:
        return sum(run.ticks for run in self.runs) * TICK_SECONDS / 3600.0

    @property
    def alarms(self) -> int:
        return sum(run.alarms for run in self.runs)

    @property
    def expected(self) -> float:
        return self.per_hour * self.hours

    @property
    def factor(self) -> float:
        """How far from the budget, either way; 1 is kept exactly. No alarm is half of one."""
        realised = max(self.alarms, 0.5)
        return max(realised / self.expected, self.expected / realised)

    @property
    def says(self) -> bool:
        """Whether it counts, and is long enough for a factor."""
        return self.held and self.expected >= LEAST_EXPECTED

    def line(self) -> Line:
        on = sum(run.on for run in self.runs) / sum(run.ticks for run in self.runs)
        return {
            "case": self.name,
            "alarms": self.alarms,
            "expected": round(self.expected, 1),
            "realised": round(self.alarms / self.expected, 2),
            "hours": round(self.hours, 1),
            "alarms_of_runs": [run.alarms for run in self.runs],
            "evaluations_on_ratio": round(on, 4),
        }

    def swaps(self, minutes: Sequence[float]) -> Iterator[Line]:
        """A line for each length and share."""
        for length in minutes:
            for share in SHARES:
                yield {
                    "case": f"swap of {share:.0%} for {length:g} minutes, {self.name}",
                    **self.swap(share, length).line(),
                }

    def swap(self, share: float, minutes: float) -> "Detection":
        trials = [trial for run in self.runs for trial in run.trials if trial.share == share]
        return Detection(trials, round(minutes * 60 / TICK_SECONDS))


@dataclass(frozen=True, slots=True)
class Detection:
    """Swaps of one share that last so many ticks."""

    trials: Sequence[Trial]
    ticks: int

    @property
    def ratio(self) -> float:
        """Detected ones of those in whose stretch no alarm would have been on without them."""
        quiet = self._quiet()
        return sum(map(self._hit, quiet)) / len(quiet) if quiet else 0.0

    @property
    def shown(self) -> float:
        """The same, or 0 where too few stretches were quiet to show it."""
        return self.ratio if len(self._quiet()) >= LEAST_QUIET else 0.0

    def line(self) -> Line:
        delays = [
            trial.alarm + 1 for trial in self.trials if self._hit(trial) and trial.alarm is not None
        ]
        raw = len(delays) / len(self.trials)
        chance = sum(self._within(trial.without) for trial in self.trials) / len(self.trials)
        return {
            "swaps": len(self.trials),
            "quiet_without": len(self._quiet()),
            "detected": round(self.ratio, 3),
            "of_all": round(raw, 3),
            "by_chance": round(chance, 3),
            "net_of_chance": round(raw - chance, 3),
            "delay_seconds": median(delays) * TICK_SECONDS if delays else None,
        }

    def _quiet(self) -> list[Trial]:
        return [trial for trial in self.trials if not self._within(trial.on)]

    def _hit(self, trial: Trial) -> bool:
        return self._within(trial.alarm)

    def _within(self, tick: int | None) -> bool:
        return tick is not None and tick < self.ticks
