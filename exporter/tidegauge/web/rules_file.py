"""Keeps a front to the rules of its web configuration file: read again when a file changes.

A new file that is wrong changes nothing; it says so once, in the log and in a series.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from tidegauge.catalog import own
from tidegauge.samples import Sample
from tidegauge.web.front import Front
from tidegauge.web.gate import Rules

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0

_State = tuple[int, int, int] | None


class RulesError(Exception):
    """A web configuration file cannot be used. `lines` holds one line per mistake."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


class RulesFile:
    """The web configuration file at `path`, which `read` turns into Rules.

    Construct it before the file may change: what it finds changed later is read again. `read`
    raises RulesError, and is called in a thread.
    """

    def __init__(self, path: Path, read: Callable[[], Rules]) -> None:
        self._path = path
        self._read = read
        self._well = True
        self._lock = asyncio.Lock()
        self._seen = {path: _state(path)}  # before it is read: a change in between is seen later
        self.rules = read()
        self._seen |= {file: _state(file) for file in self.rules.files}

    async def watch(self, front: Front, *, look_seconds: float = _LOOK_SECONDS) -> None:
        """Look for changes until cancelled."""
        while True:
            await asyncio.sleep(look_seconds)
            await self.look(front)

    async def look(self, front: Front) -> None:
        """Read the file again if it, or one that it names, has changed."""
        async with self._lock:
            now = await asyncio.to_thread(self._states, self.rules)
            if now == self._seen:
                return
            self._seen = now
            try:
                rules = await asyncio.to_thread(self._read)
            except RulesError as error:
                self._refuse(error)
                return
            after = await asyncio.to_thread(self._states, rules)
            self._seen = {path: now.get(path, state) for path, state in after.items()}
            self._well, self.rules = True, rules
            await front.adopt(rules)
            logger.info("web configuration reloaded", extra={"file": str(self._path)})

    def samples(self) -> tuple[Sample, ...]:
        """Whether the rules in force are those of the file."""
        return (Sample(own.WEB_CONFIG_RELOADED, float(self._well)),)

    def _refuse(self, error: RulesError) -> None:
        self._well = False
        for line in error.lines:
            logger.error("web configuration not reloaded", extra={"error": line})

    def _states(self, rules: Rules) -> dict[Path, _State]:
        return {path: _state(path) for path in (self._path, *rules.files)}


def _state(path: Path) -> _State:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
