"""Processes with the middleware as a source: they tell by themselves, and a read only adds up."""

from collections.abc import Sequence
from pathlib import Path

from tidegauge.catalog import middleware
from tidegauge.samples import Sample
from tidegauge.sources.middleware.receiver import Receiver


class MiddlewareSource:
    """Counts of what `receiver` has taken in at `path`."""

    name = "middleware"

    def __init__(self, receiver: Receiver, *, made_at: tuple[Path, int]) -> None:
        self.receiver = receiver
        self.made_at = made_at
        """The path that it listens at and its permissions: while they stay, the socket does."""

    async def read(self) -> Sequence[Sample]:
        receiver = self.receiver
        receiver.sweep()
        return (
            Sample(middleware.PROCESSES, receiver.processes),
            Sample(middleware.EXCHANGES, receiver.exchanges),
            Sample(middleware.DROPPED, receiver.dropped),
            Sample(middleware.VECTORS_LEFT_OUT, receiver.left_out),
            *(Sample(middleware.REJECTED, n, (why,)) for why, n in receiver.rejected.items()),
        )

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        self.receiver.close()
