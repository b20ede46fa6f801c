"""The `serve.drift:` section: what is ordinary, and how often drift may cry wolf."""

from typing import Self

from pydantic import Field, model_validator

from tidegauge.config.budget import Budget
from tidegauge.config.values import Directory, PositiveSeconds, ReadableFile, Section
from tidegauge.drift.registry import DRIFT_TESTS


class DriftConfig(Section):
    """Drift of requests and answers of every model of `serve.traffic.models` from a reference."""

    directory: Directory | None = Field(
        default=None,
        description="Where references are learned to and kept; a model without one is learned from "
        "its first requests. Left out: nothing is learned, only `references` are used.",
    )
    references: tuple[ReadableFile, ...] = Field(
        default=(),
        description="Files written by `tidegauge reference build`, one per model at most. They "
        "come before what is in `directory`.",
    )
    warmup: PositiveSeconds = Field(
        default=86_400.0,
        description="How long a reference is learned: take a period in which the traffic shows all "
        "its ordinary hours.",
    )
    warmup_requests: int = Field(
        default=1000,
        ge=100,
        description="It is of so many requests at least, however long it takes.",
    )
    refresh: PositiveSeconds | None = Field(
        default=None,
        description="Age at which a learned reference gives way to the period before, if that had "
        "no alarm. Left out: only `tidegauge reference promote` replaces it.",
    )
    alert_budget: Budget = Field(
        default="1 per 30d",
        validate_default=True,
        description="False alarms that a model may have, such as `1 per week`: half of them on its "
        "inputs, half on its outputs.",
    )
    test: str = Field(
        default="psi", description=f"What `llm_drift_score` is: {', '.join(DRIFT_TESTS)}."
    )
    window: PositiveSeconds = Field(
        default=600.0, description="Age at which a request leaves the window."
    )
    window_requests: int = Field(
        default=1000, ge=20, description="Requests in the window at most; the oldest leave first."
    )
    min_requests: int = Field(
        default=100, ge=20, description="No score before the window holds this many requests."
    )
    interval: PositiveSeconds = Field(default=10.0, description="Time between two scores.")
    checkpoint: PositiveSeconds = Field(
        default=300.0,
        description="How often what is being learned is written to `directory`: a restart loses "
        "no more than that.",
    )

    @model_validator(mode="after")
    def _learns_or_is_told(self) -> Self:
        if self.directory is None and not self.references:
            raise ValueError(
                "directory: is missing, and so is references; name where references are learned "
                "to, or the files that hold them"
            )
        return self

    @model_validator(mode="after")
    def _refreshable(self) -> Self:
        if self.refresh is not None and self.directory is None:
            raise ValueError("refresh: needs directory; only what is learned there is refreshed")
        return self

    @model_validator(mode="after")
    def _scorable(self) -> Self:
        if self.min_requests > self.window_requests:
            raise ValueError(
                f"min_requests: {self.min_requests} is more than window_requests "
                f"({self.window_requests}); the window could never be scored"
            )
        return self

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.test not in DRIFT_TESTS:
            raise ValueError(f"test: {self.test!r} is unknown; known are {', '.join(DRIFT_TESTS)}")
        return self
