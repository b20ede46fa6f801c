"""The engine's log as a source: what was added is read, counted, and forgotten.

A read takes what has come since the last, in a thread of its own: a slow file system costs this
source its timeout, and nobody else anything. What it may look at in a second is bounded.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tidegauge.catalog import errors as catalog
from tidegauge.errors.event import ErrorEvent
from tidegauge.errors.patterns import Pattern, Patterns
from tidegauge.errors.records import Record
from tidegauge.errors.tally import Seen, Tally
from tidegauge.samples import Sample
from tidegauge.sources.logs.events import event_of
from tidegauge.sources.logs.followed import Followed, FollowedFiles
from tidegauge.sources.logs.lines import Counts
from tidegauge.sources.logs.pipe import Pipe
from tidegauge.sources.logs.stream import Stream
from tidegauge.sources.source import SourceError

_TURN_BYTES = 128 * 1024 * 1024  # read in one turn at most; more is for the next
_CAUGHT_UP_SECONDS = 2.0  # of unused allowance that a burst may use up


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn found out."""

    samples: tuple[Sample, ...] = ()
    listed: tuple[Seen, ...] = ()
    news: tuple[tuple[Pattern, int], ...] = ()
    problem: str | None = None


class LogSource:
    """Follows files and a pipe. `clock` is in Unix seconds, `monotonic` does not go back."""

    name = "errors"

    def __init__(
        self,
        paths: Iterable[str],
        pipe: Pipe | None,
        *,
        from_start: bool,
        lines_per_second: int,
        patterns: Patterns,
        tally: Tally,
        tell: Callable[[ErrorEvent], None] | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counts = Counts()
        self._files = FollowedFiles(paths, self._counts, from_start=from_start)
        self._pipe = pipe
        self._pipe_stream = Stream(self._counts)
        self._rate = lines_per_second
        self._patterns = patterns
        self._tally = tally
        self._tell = tell
        self._clock = clock
        self._monotonic = monotonic
        self._last = monotonic() - 1.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._running: Future[Turn] | None = None
        self._turn = Turn()
        if pipe:
            pipe.start(self)

    @property
    def listed(self) -> tuple[Seen, ...]:
        """The patterns of the last turn, most frequent first."""
        return self._turn.listed

    async def read(self) -> Sequence[Sample]:
        if self._running and not self._running.done():
            raise SourceError("timeout", "the file system does not answer")
        self._running = self._thread.submit(self._take_turn)
        self._turn = turn = await asyncio.wrap_future(self._running)
        if self._tell:
            for pattern, count in turn.news:
                self._tell(event_of(pattern, count))
        if turn.problem:
            raise SourceError("unavailable", turn.problem)
        return turn.samples

    def unread(self) -> Sequence[Sample]:
        """What was counted stays counted."""
        return self._turn.samples

    async def close(self) -> None:
        if self._pipe:
            self._pipe.stop(self)
        with contextlib.suppress(RuntimeError):  # closed already
            self._thread.submit(self._files.close)
        self._thread.shutdown(wait=False)

    def _take_turn(self) -> Turn:
        now = self._monotonic()
        allowed = int(self._rate * min(now - self._last, _CAUGHT_UP_SECONDS))
        self._last = now
        problems = self._read_all(allowed, now)
        followed = sum(each.file.is_open for each in self._files) + bool(self._pipe)
        nothing = None if followed else "; ".join(problems) or "no log file is there"
        return Turn(self._samples(followed), self._tally.listed(), self._tally.news(), nothing)

    def _read_all(self, allowed: int, now: float) -> list[str]:
        for left in self._files.search(now):
            self._note(left.stream.end())
        files, problems = tuple(self._files), list[str]()
        shares = len(files) + bool(self._pipe)
        bytes_each = _TURN_BYTES // max(1, shares)
        until = self._looked_at() + allowed
        for number, each in enumerate(files):
            share = (until - self._looked_at()) // (shares - number)
            try:
                self._follow(each, share, bytes_each, now)
            except OSError as error:
                problems.append(f"{each.file.path}: {error.strerror}")
        if self._pipe:
            self._drain(self._pipe, until - self._looked_at(), bytes_each, now)
        return problems

    def _follow(self, each: Followed, share: int, most_bytes: int, now: float) -> None:
        each.file.look()
        until, taken = self._looked_at() + share, 0
        while taken < most_bytes:
            if chunk := each.file.read():
                taken += len(chunk)
                self._note(each.stream.feed(chunk, until - self._looked_at(), now))
            elif each.file.moved():
                self._note(each.stream.end())
                each.file.look()
            else:
                break
        self._note(each.stream.settle(now))

    def _drain(self, pipe: Pipe, share: int, most_bytes: int, now: float) -> None:
        until, taken = self._looked_at() + share, 0
        while taken < most_bytes and (chunk := pipe.read()):
            taken += len(chunk)
            self._note(self._pipe_stream.feed(chunk, until - self._looked_at(), now))
        self._counts.skipped += pipe.dropped_lines()
        self._note(self._pipe_stream.end() if pipe.ended else self._pipe_stream.settle(now))

    def _looked_at(self) -> int:
        return self._counts.read + self._counts.cut

    def _note(self, records: Iterable[Record]) -> None:
        """Count them.

        Raises:
            SourceError: a bug of ours; an exception's own message could quote a line.
        """
        now = self._clock()
        try:
            for record in records:
                self._tally.add(record.level, self._patterns.of(record), now)
        except Exception as error:  # noqa: BLE001 - see above
            kind = type(error).__name__
            raise SourceError("internal", f"{kind} while a log was read") from None

    def _samples(self, followed: int) -> tuple[Sample, ...]:
        tally, counts = self._tally, self._counts
        return (
            *(Sample(catalog.LINES, n, (level,)) for level, n in tally.levels.items()),
            *(Sample(catalog.PATTERNS, n, (name, level)) for name, level, n in tally.totals()),
            *(Sample(catalog.NEW, n, (level,)) for level, n in tally.new.items()),
            *_of_patterns(tally.with_series()),
            Sample(catalog.READ_LINES, counts.read, ("read",)),
            Sample(catalog.READ_LINES, counts.cut, ("cut",)),
            Sample(catalog.READ_LINES, counts.skipped, ("skipped",)),
            Sample(catalog.FOLLOWED, followed),
        )


def _of_patterns(seen: Iterable[Seen]) -> Iterator[Sample]:
    first: dict[str, float] = {}
    for each in seen:
        pattern = each.pattern
        first[pattern.id] = min(each.first, first.get(pattern.id, each.first))
        if pattern.known:
            known = pattern.known
            yield Sample(catalog.INFO, 1, (known.name, known.cls, known.runbook))
    yield from (Sample(catalog.FIRST_SEEN, at, (name,)) for name, at in first.items())
