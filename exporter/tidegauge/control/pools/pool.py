"""The seam between the loop and whatever runs replicas.

A Pool is told the size to have and converges to it; `resize` returns when the wish is accepted,
not when it is true. What runs is remembered by whoever runs it, never by the controller.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

Phase = Literal["starting", "serving", "stopping"]
PHASES: tuple[Phase, ...] = get_args(Phase)

Failure = Literal["died", "unhealthy", "start_timeout"]
FAILURES: tuple[Failure, ...] = get_args(Failure)


class PoolError(Exception):
    """The pool could not do what it was asked; it will be asked again."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One replica as its pool sees it.

    `serve` and `scrape` are HOST:PORT for traffic and for Prometheus; `backup`, where there is one,
    is for traffic when nobody answers at `serve`. `healthy` is whether its own
    checks pass now. A replica is starting until they first pass, and serving from then on.
    """

    name: str
    phase: Phase
    healthy: bool
    serve: str
    scrape: str
    backup: str = ""


class Pool(Protocol):
    """A group of interchangeable replicas. Idempotent throughout."""

    def adopt(self) -> None:
        """Take charge, before the first resize: what runs already is the pool's own.

        Raises:
            PoolError: somebody else is in charge.
        """

    def wanted(self) -> int | None:
        """The size that it was last told to have, by whomever; None if it does not know."""

    async def replicas(self) -> Sequence[Replica]:
        """The replicas that exist now, oldest first, a lost one as stopping. Changes nothing.

        Raises:
            PoolError: it cannot be told.
        """

    async def resize(self, size: int, *, victims: Collection[str] = ()) -> None:
        """Have `size` replicas, stopping ones not counted. `victims` are the ones to stop.

        Also follows up on what was begun and clears away what was lost, so it is called each round.

        Raises:
            PoolError: nothing, or not all of it, could be begun.
        """

    def failures(self) -> Mapping[Failure, int]:
        """Replicas lost since the start of this process, by reason; every reason is present."""

    def restarts(self) -> Mapping[str, int]:
        """Parts started again by themselves since the start of this process; all that may be."""
