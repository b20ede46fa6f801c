"""The open loop: each request leaves when it is due, however long earlier ones take.

A closed loop would wait for answers, and so slow down just when the server does, hiding the queue
that real users would stand in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tidegauge.inject.plan import Planned
from tidegauge.inject.result import Outcome, Result

Send = Callable[[Planned], Awaitable[Result]]
Report = Callable[[Result], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """`in_flight` requests at most; `grace_seconds` for those in flight when told to stop."""

    in_flight: int
    grace_seconds: float


class OpenLoop:
    """Walks a plan. `clock` is in seconds; `started` is its value at the plan's 0."""

    def __init__(
        self,
        send: Send,
        report: Report,
        *,
        limits: Limits,
        clock: Callable[[], float],
        started: float,
    ) -> None:
        self._send = send
        self._report = report
        self._limits = limits
        self._clock = clock
        self._started = started
        self._in_flight: dict[asyncio.Task[None], Planned] = {}
        self._fault: BaseException | None = None

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    async def run(self, planned: Iterable[Planned], *, stop: asyncio.Event) -> None:
        """Send all that is planned and wait for every answer, or less when `stop` is set.

        Every planned request up to the stop is reported exactly once. What `send` or `report`
        raises ends the run and is raised here.
        """
        for request in planned:
            await self._until_due(request, stop)
            if stop.is_set() or self._fault is not None:
                break
            self._dispatch(request)
        await self._drain(stop)
        if self._fault is not None:
            raise self._fault

    async def _until_due(self, request: Planned, stop: asyncio.Event) -> None:
        wait = self._started + request.at_seconds - self._clock()
        if wait <= 0:
            await asyncio.sleep(0)  # behind schedule: answers in flight still get their turn
            return
        try:
            await asyncio.wait_for(stop.wait(), wait)
        except TimeoutError:
            return

    def _dispatch(self, request: Planned) -> None:
        if len(self._in_flight) >= self._limits.in_flight:
            self._report(self._unsent(request, "shed"))
            return
        task = asyncio.create_task(self._send_and_report(request))
        self._in_flight[task] = request
        task.add_done_callback(self._forget)

    async def _send_and_report(self, request: Planned) -> None:
        self._report(await self._send(request))

    def _forget(self, task: asyncio.Task[None]) -> None:
        request = self._in_flight.pop(task)
        if task.cancelled():
            self._report(self._unsent(request, "abandoned"))
        else:
            self._fault = self._fault or task.exception()

    async def _drain(self, stop: asyncio.Event) -> None:
        stopped = asyncio.create_task(stop.wait())
        while self._in_flight and not stop.is_set():
            await asyncio.wait((*self._in_flight, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not self._in_flight:
            return
        _, late = await asyncio.wait(tuple(self._in_flight), timeout=self._limits.grace_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _unsent(self, request: Planned, outcome: Outcome) -> Result:
        late = self._clock() - self._started - request.at_seconds
        return Result(
            request.at_seconds,
            request.kind,
            stream=request.stream,
            outcome=outcome,
            duration_seconds=late,
        )
