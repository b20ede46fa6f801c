"""The seam between the loop and whatever sends requests to replicas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

State = Literal["ready", "drain", "maint"]


class RouteError(Exception):
    """The route could not be read or changed; it will be tried again."""


@dataclass(frozen=True, slots=True)
class Member:
    """One replica as the route sees it.

    `up` is whether the route's own checks pass, `connections` how many requests are under way,
    those at its backup included.
    """

    name: str
    address: str
    state: State
    up: bool
    connections: int


class Route(Protocol):
    """Sends requests to its members. Every method is idempotent and raises RouteError alone."""

    async def members(self) -> Sequence[Member]:
        """Who is in the route now."""

    async def admit(self, name: str, address: str, backup: str = "") -> None:
        """Have `name` at HOST:PORT receive traffic, with health checks, and end its draining.

        `backup`, where it is not empty, receives traffic while none of the members answers.
        """

    async def drain(self, name: str) -> None:
        """Send it nothing new; what is under way goes on."""

    async def remove(self, name: str) -> None:
        """Take it out; what is still under way is cut off."""
