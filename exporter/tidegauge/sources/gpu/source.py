"""The source named `gpu`: what the child last said of every device.

A device that is lost, hung or silent costs its own series and says `llm_gpu_up 0`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from tidegauge.samples import Sample
from tidegauge.sources.gpu.process import Child
from tidegauge.sources.gpu.protocol import DeviceState
from tidegauge.sources.gpu.restarts import Limits
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.supervisor import Speaker, Supervisor
from tidegauge.sources.source import SourceError

START_SECONDS = 10.0  # an interpreter on a busy machine, and NVML's opening
SOON_SECONDS = 1.0  # a child that is about to be started says something by then


class GpuSource:
    """The GPUs that NVML lists, read by a child process that starts with the first read.

    A read waits for nothing but the first word of the first child. A machine without driver or
    GPU is asked again, ever less often: either may come later.

    `before` is the source that this one takes the place of in the same program, as after a reload:
    its child is ended first, and what it counted goes on.
    """

    name = "gpu"

    def __init__(
        self,
        settings: Settings | None = None,
        limits: Limits | None = None,
        *,
        before: "GpuSource | None" = None,
        start: Callable[[], Awaitable[Speaker]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        wanted = settings or Settings()
        self._timeout_seconds = wanted.timeout_seconds
        self._clock = clock
        self._supervisor = Supervisor(
            start or (lambda: Child.start(wanted)), limits or Limits(), clock=clock
        )
        self._running: asyncio.Task[None] | None = None
        self._begun = False
        self._before = before
        self._latest = before.latest() if before else ()

    async def read(self) -> Sequence[Sample]:
        """Every device's series now.

        Raises:
            SourceError: `unavailable` without driver or device, `timeout` where all calls hang.
        """
        await self._take_over()
        if self._running is None:
            self._running = asyncio.create_task(self._supervisor.run())
        if self._running.done():  # it ends by a bug alone, which is not to be taken for silence
            self._running.result()
        if not self._begun:
            await self._first_word()
            self._begun = True
        self._check()
        self._latest = self._supervisor.board.samples(self._clock())
        return (*self._latest, *self._supervisor.samples())

    def unread(self) -> Sequence[Sample]:
        """`llm_gpu_up 0` for every device that was there before, and what has been counted."""
        self._latest = self._supervisor.board.down(self._clock())
        return (*self._latest, *self._supervisor.samples())

    def latest(self) -> tuple[Sample, ...]:
        """What was last said of the devices, for whoever judges them; empty before the first."""
        return self._latest

    async def close(self) -> None:
        """End the child; one that hangs is left behind, and holds up nobody."""
        if self._running is not None:
            if not self._running.cancelling():  # a second time would cut the child's end short
                self._running.cancel()
            await asyncio.wait({self._running})

    async def hand_over(self) -> Supervisor:
        """End the child, and give what was counted to the source that comes after this one."""
        await self._take_over()  # it may have been replaced before its first read
        await self.close()
        return self._supervisor

    async def _take_over(self) -> None:
        if self._before is not None:
            self._supervisor.inherit(await self._before.hand_over())
            self._before = None

    async def _first_word(self) -> None:
        supervisor = self._supervisor
        with suppress(TimeoutError):
            async with asyncio.timeout(START_SECONDS):
                while not (supervisor.absence or self._settled()):
                    supervisor.heard.clear()
                    await supervisor.heard.wait()

    def _settled(self) -> bool:
        """Whether each device has answered, or has something to say for itself, once."""
        board, state = self._supervisor.board, self._supervisor.state
        if state is not None and state.opening_seconds is None and board.devices:
            return all(device.trouble or device.settled for device in board.devices)
        return bool(state and (state.opening_seconds or 0.0) > self._timeout_seconds)

    def _check(self) -> None:
        supervisor, devices = self._supervisor, self._supervisor.board.devices
        if supervisor.absence is not None:
            wait = max(supervisor.next_at - self._clock(), 0.0) + SOON_SECONDS
            raise SourceError("unavailable", supervisor.absence, retry_after_seconds=wait)
        if not devices:
            opening = supervisor.state.opening if supervisor.state else ""
            message = f"{opening} has not returned" if opening else "NVML's child says nothing"
            raise SourceError("timeout", message)
        ours = [device for device in devices if device.trouble != "forbidden"]
        if not ours:
            raise SourceError("unavailable", _messages(devices))
        if all(device.trouble == "hung" for device in ours):
            raise SourceError("timeout", _messages(ours))


def _messages(devices: Sequence[DeviceState]) -> str:
    return "; ".join(device.message for device in devices)
