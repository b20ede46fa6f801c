"""How drift is watched: what a reference takes, what a window holds, how often it may cry wolf.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass

from tidegauge.drift.registry import DRIFT_TESTS
from tidegauge.drift.window import WindowLimits


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """`budget_seconds` is the mean time between two false alarms of a model.

    A reference is of `warmup_seconds` at least and of `warmup_requests`. One that was learned and
    is `refresh_seconds` old gives way to a later one without alarms; None: never by itself.
    `tick_seconds` lie between two looks, `test` is one of DRIFT_TESTS.

    Raises:
        ValueError: there is no such test.
    """

    limits: WindowLimits
    budget_seconds: float
    tick_seconds: float
    warmup_seconds: float
    warmup_requests: int
    refresh_seconds: float | None = None
    test: str = "psi"

    def __post_init__(self) -> None:
        if self.test not in DRIFT_TESTS:
            known = ", ".join(DRIFT_TESTS)
            raise ValueError(f"drift test {self.test!r}: is unknown; known are {known}")
