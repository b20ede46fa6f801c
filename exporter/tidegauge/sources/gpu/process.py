"""The child as the parent holds it: started, listened to, ended, and never waited for in vain.

Lines come over a pipe of their own; what the child or NVML's library prints is logged, a little
of it, and the rest is thrown away.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from tidegauge.sources.gpu.protocol import MAX_LINE_BYTES, ProtocolError
from tidegauge.sources.gpu.settings import Settings, dump

MODULE = "tidegauge.sources.gpu.child"
END_SECONDS = 1.0  # to end when asked, on SIGTERM, and on SIGKILL; in the driver it may do neither
LOGGED_CHUNKS = 20
CHUNK_BYTES = 4000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pipe:
    """The end that we read, and may close while somebody still holds the other one."""

    reader: asyncio.StreamReader
    transport: asyncio.ReadTransport

    @classmethod
    async def reading(cls, fd: int) -> "Pipe":
        reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
        )
        return cls(reader, transport)


class Child:
    """A running child. `start` is the way to make one."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        lines: Pipe,
        output: Pipe,
        *,
        end_seconds: float = END_SECONDS,
    ) -> None:
        self._process = process
        self._lines = lines
        self._output = output
        self._end_seconds = end_seconds
        self._logging = asyncio.create_task(self._log_output())

    @classmethod
    async def start(
        cls, settings: Settings, *, command: Callable[[str, int], Sequence[str]] | None = None
    ) -> "Child":
        """Raises OSError where no process can be had."""
        with ExitStack() as theirs, ExitStack() as ours:
            lines, told = os.pipe()
            ours.callback(os.close, lines)
            theirs.callback(os.close, told)
            output, printed = os.pipe()
            ours.callback(os.close, output)
            theirs.callback(os.close, printed)
            process = await asyncio.create_subprocess_exec(
                *(command or _command)(dump(settings), told),
                stdin=asyncio.subprocess.PIPE,
                stdout=printed,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(told,),
            )
            ours.pop_all()
        return cls(process, await Pipe.reading(lines), await Pipe.reading(output))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended, below 0 by a signal; None while it runs. One left behind may for ever."""
        return self._process.returncode

    async def line(self) -> bytes | None:
        """The next line, None when there are no more.

        Raises:
            ProtocolError: it is longer than a line may be.
        """
        try:
            line = await self._lines.reader.readline()
        except ValueError as error:
            raise ProtocolError(f"a line of more than {MAX_LINE_BYTES} bytes") from error
        return line if line.endswith(b"\n") else None

    async def stop(self) -> None:
        """End it, by force where it does not listen. One that the kernel holds is left behind.

        Asked first and waited for: a signal to one that has just ended by itself would take its
        exit status from asyncio, which says so in the log.
        """
        for end in (self._hang_up, self._process.terminate, self._process.kill):
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    end()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), self._end_seconds)
        if self._process.returncode is None:
            _log.warning("child does not end; left behind", extra={"pid": self.pid})
        self._logging.cancel()
        for pipe in (self._lines, self._output):
            pipe.transport.close()

    def _hang_up(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _log_output(self) -> None:
        chunks = 0
        while chunk := await self._output.reader.read(CHUNK_BYTES):
            chunks += 1
            if chunks <= LOGGED_CHUNKS:
                text = chunk.decode(errors="replace").strip()
                _log.warning("child printed", extra={"pid": self.pid, "text": text})


def _command(settings: str, fd: int) -> Sequence[str]:
    # -P: no module out of the folder that we happen to run in.
    return (sys.executable, "-P", "-m", MODULE, settings, str(fd))
