"""Keeps a child running, and a board of what it says; says why it had to be started anew."""

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from tidegauge.catalog import nvml as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.board import Board
from tidegauge.sources.gpu.protocol import DeviceState, ProtocolError, State, decode
from tidegauge.sources.gpu.restarts import REASONS, Ended, Limits, Restarts

LEFT_AT_MOST = 4  # children that the kernel does not let die; each holds memory, and helps nobody

_log = logging.getLogger(__name__)


class Speaker(Protocol):
    """A child as the supervisor sees it; Child is one."""

    @property
    def pid(self) -> int: ...

    async def line(self) -> bytes | None:
        """The next line, None when there are no more; raises ProtocolError."""

    @property
    def status(self) -> int | None:
        """How it ended, below 0 by a signal; None while it runs."""

    async def stop(self) -> None:
        """End it, whatever it does."""


class Supervisor:
    """`state` is the last one of the present child, `absence` why there is nothing to read.

    `next_at` is when the next child is started, where none runs, and `pid` the present one's.
    `counts` says how many were started anew, and why.
    """

    def __init__(
        self,
        start: Callable[[], Awaitable[Speaker]],
        limits: Limits,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board = Board()
        self.state: State | None = None
        self.absence: str | None = None
        self.next_at = 0.0
        self.pid: int | None = None
        self.heard = asyncio.Event()
        self._start = start
        self._limits = limits
        self._restarts = Restarts(limits)
        self._clock = clock
        self.counts = dict.fromkeys(REASONS, 0)
        self._troubles: dict[int, str] = {}
        self._left: list[Speaker] = []

    async def run(self) -> None:
        """One child after the other, until cancelled."""
        while True:
            if self._left_behind() > LEFT_AT_MOST:
                await asyncio.sleep(self._limits.first_seconds)
                continue
            started = self._clock()
            ended, why = await self._live()
            self.board.turn()
            self.state = None
            wait = self._restarts.after(ended, lived_seconds=self._clock() - started)
            self.next_at = self._clock() + wait
            self._ended(ended, why, wait)
            self.heard.set()
            await asyncio.sleep(wait)

    def inherit(self, before: "Supervisor") -> None:
        """Go on with what another one counted, which has ended and read the same devices."""
        self.board = before.board
        self.board.turn()
        self.board.forget(catalog.TIER_INTERVAL)  # other tiers may be read now
        self.counts = before.counts

    def samples(self) -> tuple[Sample, ...]:
        """How the child fares."""
        restarts = (
            Sample(catalog.CHILD_RESTARTS, n, (reason,)) for reason, n in self.counts.items()
        )
        return (Sample(catalog.CHILD_UP, float(self.state is not None)), *restarts)

    async def _live(self) -> tuple[Ended, str]:
        """One child's life: why it ended, in a word and in a sentence."""
        try:
            child = await self._start()
        except OSError as error:
            return "exited", f"no process can be had: {error}"
        self.pid = child.pid
        try:
            ended, why = await self._follow(child)
        finally:
            self.pid = None
            await child.stop()
            if child.status is None:
                self._left.append(child)
        return ended, f"{why}: {_how(child.status)}" if ended == "exited" else why

    async def _follow(self, child: Speaker) -> tuple[Ended, str]:
        while True:
            try:
                async with asyncio.timeout(self._limits.silent_seconds):
                    line = await child.line()
                if line is None:
                    return "exited", "it ended without a word"
                state = decode(line)
            except TimeoutError:
                return "silent", f"it has said nothing for {self._limits.silent_seconds:g} s"
            except ProtocolError as error:
                return "protocol", str(error)
            ended = self._restarts.verdict(state)
            self._take(state)
            borne = ended in ("hung", "lost") and self._left_behind() >= LEFT_AT_MOST
            if ended is not None and not borne:
                return ended, _why(state)

    def _left_behind(self) -> int:
        self._left = [child for child in self._left if child.status is None]
        return len(self._left)

    def _take(self, state: State) -> None:
        self.board.take(state)
        self.state = state
        if state.devices:
            self.absence = None
        for device in state.devices:
            self._note(device)
        self.heard.set()

    def _note(self, device: DeviceState) -> None:
        """Log what changed: a device that fell silent, or that answers again."""
        before = self._troubles.pop(device.index, None)
        if device.trouble is not None:
            self._troubles[device.index] = device.trouble
        if device.trouble is not None and device.trouble != before:
            details = {"gpu": device.index, "trouble": device.trouble, "error": device.message}
            _log.warning("GPU silent", extra=details)
        if device.trouble is None and before is not None and device.answered_at is not None:
            _log.info("GPU answers again", extra={"gpu": device.index})
        if device.trouble is None and before is not None and device.answered_at is None:
            self._troubles[device.index] = before  # a new child has not asked it yet

    def _ended(self, ended: Ended, why: str, wait: float) -> None:
        if ended == "unavailable":
            self.absence = why  # the pipeline logs that the source is down
            return
        self.counts[ended] += 1
        details = {"reason": ended, "why": why, "wait_seconds": wait}
        _log.warning("NVML child ended", extra=details)


def _why(state: State) -> str:
    if state.end is not None:
        return state.end.message
    said = [device.message for device in state.devices if device.trouble in ("hung", "lost")]
    return "; ".join(said) or f"{state.opening} has not returned"


def _how(status: int | None) -> str:
    """How a process ended.

    >>> _how(-9), _how(1), _how(None)
    ('signal 9, Killed', 'status 1', 'it still runs')
    """
    if status is None:
        return "it still runs"
    return f"signal {-status}, {signal.strsignal(-status)}" if status < 0 else f"status {status}"
