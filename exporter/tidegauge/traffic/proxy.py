"""The tap: a reverse proxy before one engine that hears completions as they pass.

Bytes are passed on as they come, in both directions, each at the speed of its reader. An answer
that the upstream left unfinished is never ended cleanly: the client's connection is cut, so that
a half answer can not pass for a whole one.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.client import Client
from tidegauge.traffic.client_limits import Limits
from tidegauge.traffic.client_side import ClientSide
from tidegauge.traffic.course import Course
from tidegauge.traffic.ear import Aside, Ear, Measured, path_of
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.head import RequestHead
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.passage import Passage
from tidegauge.traffic.room import Room
from tidegauge.traffic.upstream import Upstream
from tidegauge.traffic.wire import is_measured

_ABORTED_SECONDS = 1.0  # for connections that were aborted to say so


class Tap:
    """Passes every request on to `upstream` and tells of each completion that ended.

    `upstream` is a base URL such as "http://127.0.0.1:8080". `record` is called once per
    completion, at its end, in the event loop; it must not block. `clock` is monotonic, in
    seconds. `arrivals` counts what begins and ends. Connecting may take
    `connect_seconds`; answers are not limited in time, since a generation may take an hour.
    """

    def __init__(
        self,
        upstream: str,
        record: Callable[[Ended], None],
        *,
        arrivals: Arrivals,
        clock: Callable[[], float],
        labelling: Labelling,
        connect_seconds: float = 5.0,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.room = Room()
        self._measured = Measured(record, arrivals, clock, Aside())
        self._clients: set[ClientSide] = set()
        self._all_left = asyncio.Event()
        self._all_left.set()
        self._url = upstream
        self._course = Course(Upstream(upstream, clock=clock), labelling, connect_seconds)
        self._draining = False

    def turn(self, upstream: str, *, labelling: Labelling, connect_seconds: float) -> None:
        """Pass on elsewhere what begins from now on; what is under way ends where it began."""
        at = self._course.upstream
        if upstream != self._url:
            self._url, at = upstream, Upstream(upstream, clock=self._measured.clock)
        self._course = Course(at, labelling, connect_seconds)

    def connection(self) -> asyncio.BaseProtocol:
        """A protocol for a connection that was accepted."""
        return ClientSide(self)

    async def close(self, *, within_seconds: float = 60.0) -> None:
        """Answer what is under way, and nothing more; after `within_seconds` cut it off."""
        self._draining = True
        for client in tuple(self._clients):
            client.drain()
        if not await self._left_within(within_seconds):
            for client in tuple(self._clients):
                client.abort()
            await self._left_within(_ABORTED_SECONDS)
        self._measured.aside.run()

    async def _left_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._all_left.wait()
                return True
        return False

    # What its connections call.

    def begin(self, head: RequestHead, client: Client) -> Passage:
        """Send a request on its way."""
        course = self._course
        measured = is_measured(head.method.decode(), path_of(head))
        ear = Ear(self._measured, course.labelling, head) if measured else None
        return Passage(head, client, course, ear=ear, room=self.room)

    def opened(self, client: ClientSide) -> None:
        """A client has come."""
        self._clients.add(client)
        self._all_left.clear()
        if self._draining:  # it was accepted at the last moment
            client.answer_one()

    def closed(self, client: ClientSide) -> None:
        """A client has left."""
        self._clients.discard(client)
        if not self._clients:
            self._all_left.set()
