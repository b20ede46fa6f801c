"""The seam between gathered errors and where they go."""

from collections.abc import Mapping
from typing import Literal, Protocol, get_args

from tidegauge.errors.event import ErrorEvent

Result = Literal["accepted", "dropped", "lost"]
"""accepted: on its way; dropped: never was, such as with a full queue; lost: had been accepted."""
RESULTS: tuple[Result, ...] = get_args(Result)


class Sink(Protocol):
    """Takes events in the event loop, and so neither waits nor raises."""

    @property
    def name(self) -> str:
        """Label value of `sink`."""

    def send(self, event: ErrorEvent) -> None:
        """Send it, or count that it could not be."""

    def results(self) -> Mapping[Result, int]:
        """How many events came to what."""

    def close(self) -> None:
        """Send what waits, for two seconds at most; may block so long."""
