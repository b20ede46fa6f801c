"""What is watched: an expression under a name, and how it is judged."""

from dataclasses import dataclass

from tidegauge.promql.span import Span
from tidegauge.thresholds.tracker import TrackerSettings


@dataclass(frozen=True, slots=True)
class Signal:
    """A PromQL expression that gives one number for each value of the configured labels."""

    name: str
    expr: str
    settings: TrackerSettings

    @property
    def step_seconds(self) -> float:
        return self.settings.step_seconds

    def history(self, until: float) -> Span:
        """All that the state at `until` can depend on, whatever the refresh offset of a series."""
        asked = self.settings.history_seconds + self.settings.refresh_seconds
        steps = -(-asked // self.step_seconds)
        return Span(until - steps * self.step_seconds, until, self.step_seconds)
