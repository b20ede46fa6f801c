"""When the child is ended, and when the next one starts.

No clock, no network, no logging: same arguments, same answer. Each restart costs the healthy
devices a second of samples, so what does not get better by one is tried ever less often.
"""

from dataclasses import dataclass, field, replace
from typing import Literal, assert_never, get_args

from tidegauge.sources.gpu.backoff import Backoff
from tidegauge.sources.gpu.protocol import State

Reason = Literal["exited", "silent", "protocol", "hung", "lost", "driver", "devices", "mig"]
REASONS: tuple[Reason, ...] = get_args(Reason)
Ended = Reason | Literal["unavailable"]

STEADY_SECONDS = 600.0  # a child that lived so long was well


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what is borne: a hung call, a lost device, silence; and the longest waits."""

    hung_seconds: float = 30.0
    silent_seconds: float = 10.0
    first_seconds: float = 1.0
    longest_seconds: float = 300.0
    unavailable_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Restarts:
    """`wait_seconds` until the next child, and how long that one bears a sick device."""

    limits: Limits = field(default_factory=Limits)
    _deaths: Backoff = field(init=False)
    _absences: Backoff = field(init=False)
    _patience: Backoff = field(init=False)

    def __post_init__(self) -> None:
        limits = self.limits
        first, longest = limits.first_seconds, limits.longest_seconds
        put = object.__setattr__  # the way to fill a frozen value from its own fields
        put(self, "_deaths", Backoff(first, longest, STEADY_SECONDS))
        put(self, "_absences", Backoff(first, limits.unavailable_seconds, STEADY_SECONDS))
        put(self, "_patience", Backoff(limits.hung_seconds, longest, STEADY_SECONDS))
