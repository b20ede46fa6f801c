"""The `control.signals:` section: what is watched, and how often it may alarm."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tidegauge.catalog.default_signals import DEFAULT_SIGNALS
from tidegauge.config.budget import Budget
from tidegauge.config.values import Name, PositiveSeconds, Seconds, Section
from tidegauge.thresholds.budget import MIN_POINTS
from tidegauge.thresholds.registry import DETECTORS

_LABEL = re.compile(r"[a-z][a-z0-9_]*\Z")
_OUR_LABELS = ("detector", "signal")
_FIRST_SCORE_POINTS = 200  # of the detector that takes the longest to give one, spot
_MOST_POINTS = 20_000


def _detector(name: str) -> str:
    if name not in DETECTORS:
        raise ValueError(f"{name!r} is no detector; there are {', '.join(DETECTORS)}")
    return name


def _label(name: str) -> str:
    if name in _OUR_LABELS:
        raise ValueError(f"{name!r} is a label that we give; name labels of the expressions")
    if name == "le" or _LABEL.match(name) is None:
        raise ValueError(f"{name!r} is no label that a signal can have; use a-z, 0-9 and _")
    return name


Detector = Annotated[str, AfterValidator(_detector)]
Label = Annotated[str, AfterValidator(_label)]
Direction = Literal["both", "above", "below"]


class BackfillConfig(Section):
    """How history is read from Prometheus when a signal is new to us."""

    concurrency: int = Field(
        default=2,
        ge=1,
        le=16,
        description="Queries at a time. After each we wait as long as it took.",
    )
    timeout: PositiveSeconds = Field(
        default=30.0,
        description="When a query counts as unanswered; a shorter piece is asked for then.",
    )


class SignalConfig(Section):
    """One signal of your own, or what is to be different of a default one of the same name."""

    name: Name = Field(description="Label value of `signal`.")
    expr: str | None = Field(
        default=None,
        min_length=1,
        description="PromQL that gives one number, or one for each value of `labels`. May be left "
        "out for a default signal.",
    )
    direction: Direction | None = Field(
        default=None, description="Which side is news: above, below or both. Left out: both."
    )
    budget: Budget | None = Field(default=None, description="Instead of the budget of all.")
    detector: Detector | None = Field(default=None, description="Instead of the detector of all.")
    interval: PositiveSeconds | None = Field(
        default=None, description="Instead of the interval of all."
    )
    history: PositiveSeconds | None = Field(
        default=None, description="Instead of the history of all."
    )

    @model_validator(mode="after")
    def _has_an_expression(self) -> Self:
        if self.expr is None and self.name not in {signal.name for signal in DEFAULT_SIGNALS}:
            raise ValueError(f"expr: is missing; {self.name!r} is no default signal that has one")
        return self


class SignalsConfig(Section):
    """Values over time that are judged by what is usual for them."""

    interval: PositiveSeconds = Field(
        default=300.0, description="Time between two points; points lie on whole multiples of it."
    )
    history: PositiveSeconds = Field(
        default=4 * 604_800.0, description="How much of the past says what is usual."
    )
    refresh: PositiveSeconds = Field(
        default=86_400.0,
        description="How often the oldest history is let go of, and the threshold set anew.",
    )
    min_points: int = Field(
        default=MIN_POINTS,
        ge=10,
        description="A series has a band once so many points of its history were judged. With "
        "fewer it comes sooner, and alarms at what more would have shown to be usual.",
    )
    query_offset: Seconds = Field(
        default=30.0,
        description="A point is asked for this much later than its time, when Prometheus has all "
        "that belongs to it: longer than a scrape takes.",
    )
    budget: Budget = Field(
        default="4 per week",
        validate_default=True,
        description="How many alarms a series may give on its own history, incidents included, "
        "such as `1 per week`.",
    )
    detector: Detector = Field(
        default="novelty", description=f"What judges: {', '.join(DETECTORS)}."
    )
    labels: tuple[Label, ...] = Field(
        default=("model", "pool", "channel"),
        description="Labels that tell series of a signal apart; others are dropped.",
    )
    max_series: int = Field(
        default=500, ge=1, description="Series of all signals together; those beyond are refused."
    )
    backfill: BackfillConfig = BackfillConfig()
    defaults: bool = Field(default=True, description="Watch the default signals, too.")
    custom: tuple[SignalConfig, ...] = Field(
        default=(), description="Signals of your own, and changes to default ones, by name."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError(f"labels: names must differ (got {', '.join(self.labels)})")
        names = [signal.name for signal in self.custom]
        if len(set(names)) != len(names):
            raise ValueError(f"custom: names must differ (got {', '.join(names)})")
        if not self.defaults and not self.custom:
            raise ValueError("custom: is empty and defaults is false; there is nothing to watch")
        self._check_grid("", self.interval, self.history)
        for signal in self.custom:
            interval, history = signal.interval or self.interval, signal.history or self.history
            self._check_grid(f"custom[{signal.name}].", interval, history)
        return self

    def _check_grid(self, where: str, interval: float, history: float) -> None:
        points, fewest = history / interval, self.min_points + _FIRST_SCORE_POINTS
        if not fewest <= points <= _MOST_POINTS:
            raise ValueError(
                f"{where}history: {history:.0f} s is {points:.0f} points of {interval:g} s; "
                f"{fewest} to {_MOST_POINTS} are needed"
            )
        if not interval <= self.refresh <= history:
            raise ValueError(
                f"refresh: {self.refresh:.0f} s is not between {where}interval ({interval:g} s) "
                f"and {where}history ({history:.0f} s)"
            )
        if self.query_offset >= interval:
            raise ValueError(
                f"query_offset: {self.query_offset:g} s is not below {where}interval "
                f"({interval:g} s)"
            )
