"""A program of the demo: started with its output in a file, awaited, and stopped for certain."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class DemoError(Exception):
    """A part of the demo did not do what it should; the message says where to look."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and where its output goes."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None
    ) -> "Program":
        """Start it in a session of its own, so that Ctrl-C reaches us first and we end it in order.

        Should we be killed, the kernel ends it.
        """
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        return cls(name, process, log)

    async def ready(self, url: str, *, seconds: float = 20) -> None:
        """Wait until `url` answers 200.

        Raises:
            DemoError: it ended, or did not answer in time.
        """
        await eventually(lambda: answers(url), seconds=seconds, give_up=self._ended, what=self.name)

    def _ended(self) -> str | None:
        if self.process.returncode is None:
            return None
        tail = self.log.read_text(errors="replace").splitlines()[-5:]
        return f"{self.name} ended with status {self.process.returncode}: {' | '.join(tail)}"

    async def stop(self, *, grace_seconds: float = 10) -> None:
        """SIGTERM, and SIGKILL after the grace."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.returncode is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), grace_seconds)


async def eventually(
    check: Callable[[], Awaitable[bool]],
    *,
    seconds: float,
    what: str,
    give_up: Callable[[], str | None] = lambda: None,
) -> None:
    """Wait until `check` is true.

    Raises:
        DemoError: not within `seconds`, or `give_up` said why it never will be.
    """
    deadline = asyncio.get_running_loop().time() + seconds
    while not await check():
        if reason := give_up():
            raise DemoError(reason)
        if asyncio.get_running_loop().time() > deadline:
            raise DemoError(f"{what}: not so after {seconds:g} s")
        await asyncio.sleep(0.1)


async def answers(url: str) -> bool:
    """Whether the URL answers 200 soon."""
    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return response.ok
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


def _end_with_parent() -> None:
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
