"""The tap on the network: opened, sent elsewhere and closed while requests pass.

The tap outlives every change but its own removal: a request that is under way ends where it
began, and a connection that is open stays open.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from tidegauge.server.plan import TapPlan
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.measuring import Measuring
from tidegauge.traffic.measuring_in_loop import measuring_in_loop
from tidegauge.traffic.proxying.proxy import Tap
from tidegauge.traffic.texts.vector_settings import VectorSettings, VectorTallies
from tidegauge.web.listening import Listening, Opened


@dataclass(frozen=True, slots=True)
class _Standing:
    tap: Tap
    listening: Listening

    async def close(self) -> None:
        self.listening.close()
        await self.tap.close()


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """A door as it is going to be: what `turn` uses up, or `abandon` gives back."""

    plan: TapPlan | None
    standing: _Standing | None
    opened: Opened


class Door:
    """`record` is told of every exchange, `arrivals` counts them; `clock` is monotonic.

    `vectors` counts what becomes of the vectors that a plan asks for.
    """

    def __init__(
        self,
        record: Callable[[Exchange], None],
        *,
        arrivals: Arrivals,
        vectors: VectorTallies,
        clock: Callable[[], float],
    ) -> None:
        self._record = record
        self._arrivals = arrivals
        self._vectors = vectors
        self._clock = clock
        self._measuring: Measuring | None = None
        self._standing: _Standing | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    async def open(self, plan: TapPlan | None) -> OpenDoor:
        """Make ready what `plan` needs beyond what is there.

        Raises:
            OSError: the address cannot be had; the message names it.
        """
        if plan is None:
            return OpenDoor(None, None, Opened())
        standing = self._standing or self._built(plan)
        try:
            opened = await standing.listening.open([plan.address])
        except OSError:
            await self.abandon(OpenDoor(plan, standing, Opened()))
            raise
        return OpenDoor(plan, standing, opened)

    async def turn(self, door: OpenDoor) -> None:
        """Go over to `door`. A tap that is in no plan any more drains, and nobody waits for it."""
        before, self._standing = self._standing, door.standing
        if door.plan and door.standing:
            plan, standing = door.plan, door.standing
            self._turn_measuring(plan.vectors)
            standing.tap.turn(
                plan.upstream, labelling=plan.labelling, connect_seconds=plan.connect_seconds
            )
            await standing.listening.turn([plan.address], door.opened, None)
        elif before:
            before.listening.close()
            task = asyncio.create_task(before.close())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def abandon(self, door: OpenDoor) -> None:
        """Stay as it was before `open`."""
        door.opened.close()
        if door.standing and door.standing is not self._standing:
            await door.standing.close()

    async def close(self) -> None:
        """Accept no more requests, and wait until the last answers are out."""
        if self._standing:
            await self._standing.close()
        await asyncio.gather(*self._leaving)
        if self._measuring:
            self._measuring.close()

    def _built(self, plan: TapPlan) -> _Standing:
        tap = Tap(
            plan.upstream,
            self._measure,
            arrivals=self._arrivals,
            clock=self._clock,
            labelling=plan.labelling,
            connect_seconds=plan.connect_seconds,
        )
        return _Standing(tap, Listening(tap.connection))

    def _turn_measuring(self, settings: VectorSettings) -> None:
        if self._measuring:
            if self._measuring.settings == settings:
                return
            self._measuring.close()
        self._measuring = measuring_in_loop(settings, self._vectors, clock=self._clock)

    def _measure(self, ended: Ended) -> None:
        if self._measuring is None:
            raise RuntimeError("a tap listens after the door has turned, which begins measuring")
        self._measuring.measure(ended, self._record)
