"""When the child has to end, and how long to wait for the next one.

No clock, no network, no logging: same arguments, same answer. A restart costs the healthy devices
a second of samples, so what does not get better by one is answered with one ever less often.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from tidegauge.sources.gpu.backoff import Backoff
from tidegauge.sources.gpu.protocol import State

Reason = Literal["exited", "silent", "protocol", "hung", "lost", "driver", "devices", "mig"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""What makes a restart necessary; NVML that is not there at all (`unavailable`) makes none."""

Ended = Reason | Literal["unavailable"]

STEADY_SECONDS = 600.0  # a child that lived so long was well


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is borne: a hung call or a lost device, silence; and the longest waits."""

    hung_seconds: float = 30.0
    silent_seconds: float = 10.0
    first_seconds: float = 1.0
    longest_seconds: float = 300.0
    unavailable_seconds: float = 60.0


class Restarts:
    """Remembers how it went so far. A child that was well for long starts over."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        first, longest = limits.first_seconds, limits.longest_seconds
        self._deaths = Backoff(first, longest, STEADY_SECONDS)
        self._absences = Backoff(first, limits.unavailable_seconds, STEADY_SECONDS)
        self._hangs = Backoff(2 * limits.hung_seconds, longest, STEADY_SECONDS)

    def verdict(self, state: State) -> Ended | None:
        """Why the child ends or has to be ended, None while it may go on.

        The first hung device is borne for `hung_seconds`, while the others are read; where the
        new child finds it hung again, twice as long, and so on.
        """
        if state.end is not None:
            return state.end.reason
        patience = max(self._hangs.seconds, self._limits.hung_seconds)
        if state.opening_seconds is not None and state.opening_seconds > patience:
            return "hung"
        for device in state.devices:
            if device.trouble in ("hung", "lost") and device.trouble_seconds > patience:
                return device.trouble
        return None

    def after(self, ended: Ended, *, lived_seconds: float) -> float:
        """Seconds to wait before the next child is started."""
        if ended in ("hung", "lost"):
            self._hangs = self._hangs.failed(lived_seconds=lived_seconds)
            return 0.0
        if ended == "unavailable":
            self._absences = self._absences.failed(lived_seconds=lived_seconds)
            return self._absences.seconds
        self._deaths = self._deaths.failed(lived_seconds=lived_seconds)
        return self._deaths.seconds
