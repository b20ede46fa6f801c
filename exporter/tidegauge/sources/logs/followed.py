"""Which files are followed: those that the configured paths and patterns lead to, a bounded number.

Everything here blocks, and runs in the source's thread.
"""

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tidegauge.sources.logs.file import LogFile
from tidegauge.sources.logs.lines import Counts
from tidegauge.sources.logs.stream import Stream

MOST_FILES = 64
_SEARCH_SECONDS = 5.0  # between two looks at what a pattern leads to


@dataclass(frozen=True, slots=True)
class Followed:
    """A file and the stream that its bytes go to."""

    file: LogFile
    stream: Stream


class FollowedFiles:
    """The files now. Those that a pattern leads to later are read from their start."""

    def __init__(self, paths: Iterable[str], counts: Counts, *, from_start: bool) -> None:
        self._paths = tuple(paths)
        self._counts = counts
        self._from_start = from_start
        self._by_path: dict[Path, Followed] = {}
        self._searched: float | None = None

    def __iter__(self) -> Iterator[Followed]:
        return iter(tuple(self._by_path.values()))

    def search(self, now: float) -> tuple[Followed, ...]:
        """Take up files that are there now; those that a pattern leads to no more, let go of."""
        if self._searched is not None and now - self._searched < _SEARCH_SECONDS:
            return ()
        found = list(dict.fromkeys(self._found()))[:MOST_FILES]
        for path in found:
            if path not in self._by_path:
                from_start = self._from_start or self._searched is not None
                self._by_path[path] = Followed(
                    LogFile(path, from_start=from_start), Stream(self._counts)
                )
        self._searched = now
        # One that was removed may hold what we have not read.
        gone = [path for path in self._by_path.keys() - set(found) if self._by_path[path].file.idle]
        left = tuple(self._by_path.pop(path) for path in gone)
        for followed in left:
            followed.file.close()
        return left

    def close(self) -> None:
        for followed in self:
            followed.file.close()

    def _found(self) -> Iterator[Path]:
        for path in self._paths:
            if glob.has_magic(path):
                yield from (Path(found) for found in sorted(glob.glob(path)))  # noqa: PTH207 - absolute patterns
            else:
                yield Path(path)
