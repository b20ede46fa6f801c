"""One signal: asked for at each point of its grid, with a past that is read from Prometheus.

Points lie at whole multiples of the step and are asked for a little later, so that what was asked
then and what the past says afterwards are the same. The grid never goes back: a clock that was set
back waits, or by much, has everything read anew. What was missed while there was no answer is
asked for once there is one.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tidegauge.control.signals.asks import Asks
from tidegauge.control.signals.bench import Bench
from tidegauge.control.signals.followed import Followed, Taken, Verdict
from tidegauge.control.signals.history import History
from tidegauge.control.signals.keyed import Columns, Key, Values, values
from tidegauge.control.signals.lanes import Lanes
from tidegauge.control.signals.room import Room
from tidegauge.control.signals.signal import Signal
from tidegauge.control.signals.task import Learn
from tidegauge.control.signals.unanswered import Unanswered
from tidegauge.promql.decode import PromqlError
from tidegauge.promql.span import Span

logger = logging.getLogger(__name__)

STALE_STEPS = 3
_BACK_STEPS = 12  # a clock that is set back by more is believed, and waited for by less
_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What all signals have in common."""

    prometheus: Asks
    history: History
    live: Lanes
    bench: Bench
    room: Room
    unanswered: Unanswered
    labels: Sequence[str]
    offset_seconds: float
    wall_clock: Callable[[], float] = time.time


class SignalLoop:
    """Follows one signal. `up` is None before the first answer or failure."""

    def __init__(self, signal: Signal, shared: Shared) -> None:
        self.signal = signal
        self.up: bool | None = None
        self.verdicts: Mapping[Key, Verdict] = {}
        self.seen: Mapping[Key, float] = {}  # when a series last had a value
        self.refused = {"limit": 0, "ambiguous": 0}
        self._shared = shared
        self._followed: Followed | None = None
        self._latest: float | None = None  # the last point that was answered
        self._one_at_a_time = asyncio.Lock()
        self._unknown_past = asyncio.Event()
        self._unknown_past.set()

    @property
    def learned(self) -> bool:
        """Whether the past is known."""
        return self._followed is not None

    @property
    def stale_seconds(self) -> float:
        """A value that is older says nothing of now."""
        return STALE_STEPS * self.signal.step_seconds + self._shared.offset_seconds

    async def run(self, learned: Callable[["SignalLoop"], None]) -> None:
        """Rounds until cancelled, and the past whenever it is not known; then `learned` is told."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._rounds())
            group.create_task(self._backfills(learned))

    async def round(self) -> bool:
        """Ask for the latest point if it is a new one; False if it should be tried again soon."""
        async with self._one_at_a_time:
            at = self._point()
            if self._latest is not None and at <= self._latest:
                if self._latest - at <= _BACK_STEPS * self.signal.step_seconds:
                    return True
                self._forget("the clock was set back")
            try:
                await self._take(at)
            except PromqlError as error:
                self.up = False
                self._shared.unanswered.failed(self.signal.name, "point", error)
                return False
            self.up = True
            self._shared.unanswered.answered(self.signal.name, "point")
            return True

    async def backfill(self) -> bool:
        """Read the past, and take up from there; False if there was no answer."""
        if self.up is None:
            await self.round()  # says how many series there are
        if not self.up:  # what has no answer now is not asked for all that was
            return False
        try:
            columns = await self._past(self.signal.history(self._point()))
        except PromqlError as error:
            self._shared.unanswered.failed(self.signal.name, "history", error)
            return False
        self._shared.unanswered.answered(self.signal.name, "history")
        followed = Followed(self.signal, self._shared.room)
        try:
            await self._learn(followed, columns)
        except BaseException:  # room is not to be lost
            followed.close()
            raise
        await self.round()  # what has come meanwhile
        return True

    async def _learn(self, followed: Followed, columns: Columns) -> None:
        refused = 0
        for key in columns.living():
            values = columns.known[key]
            if not followed.reserve():
                refused += math.isfinite(values[-1])
                continue
            task = Learn(self.signal.settings, followed.name(key), columns.span, values)
            tracker = await self._shared.bench.learn(task)
            followed.adopt(key, tracker, seen=columns.last(key))
        async with self._one_at_a_time:
            self._followed, self._latest = followed, columns.span.end
            self._note(followed.latest())
            self._refuse("limit", refused)
            self._unknown_past.clear()

    async def _rounds(self) -> None:
        retry = max(
            _FIRST_RETRY_SECONDS, min(_LONGEST_RETRY_SECONDS, self.signal.step_seconds / 10)
        )
        while True:
            try:
                well = await self.round()
            except Exception:  # a bug, or a world stranger than we thought: the next signal goes on
                logger.exception("round failed", extra={"signal": self.signal.name})
                well = False
            await asyncio.sleep(self._until_next() if well else min(retry, self._until_next()))

    async def _backfills(self, learned: Callable[["SignalLoop"], None]) -> None:
        while True:
            await self._unknown_past.wait()
            retry = _FIRST_RETRY_SECONDS
            while not await self._tried_backfill():
                await asyncio.sleep(retry)
                retry = min(2 * retry, _LONGEST_RETRY_SECONDS)
            learned(self)

    async def _tried_backfill(self) -> bool:
        try:
            return await self.backfill()
        except Exception:  # as in a round
            logger.exception("backfill failed", extra={"signal": self.signal.name})
            return False

    async def _take(self, at: float) -> None:
        found = await self._shared.live.ask(partial(self._ask, at))
        self._refuse("ambiguous", len(found.ambiguous))
        if self._followed is not None and self._latest is not None:
            missed = self._missed(self._latest, at)
            if at < self._latest:  # a past that is newer was read meanwhile
                return
            if missed.points > self.signal.history(at).points:
                self._forget("too much was missed")
            elif missed.points > 0:
                await self._catch_up(self._followed, await self._past(missed))
        self._latest = at
        if self._followed is None:
            shown = sorted(found.known)[: self._shared.room.limit]
            verdicts = {key: Verdict(at, found.known[key]) for key in shown}
            refused = len(found.known) - len(shown)
            self._note(Taken(verdicts, dict.fromkeys(verdicts, at), refused))
        else:
            judge = partial(self._followed.take, at, found.known)
            taken = await self._shared.bench.work(judge)
            self._note(taken)

    async def _ask(self, at: float) -> Values:
        answer = await self._shared.prometheus.query(self.signal.expr, at=at)
        if answer.warnings:
            raise PromqlError("partial", f"Prometheus warns: {answer.warnings[0]}")
        return values(answer.series, self._shared.labels)

    def _missed(self, latest: float, at: float) -> Span:
        step = self.signal.step_seconds
        return Span(latest + step, at - step, step)

    async def _past(self, span: Span) -> Columns:
        now = self._followed.keys if self._followed else frozenset(self.verdicts)
        columns = Columns(span, self._shared.labels, now, self._shared.room.limit)
        series = len(now) + self.refused["limit"]
        await self._shared.history.read(self.signal.expr, columns, series=series)
        return columns

    async def _catch_up(self, followed: Followed, columns: Columns) -> None:
        for index in range(columns.span.points):
            at = columns.span.at(index)
            self._note(await self._shared.bench.work(partial(followed.take, at, columns.at(index))))
            self._latest = at

    def _note(self, taken: Taken) -> None:
        self.verdicts, self.seen = taken.verdicts, taken.seen
        self._refuse("limit", taken.refused)
        for key in taken.renewed:
            verdict = taken.verdicts[key]
            if verdict.calibration and math.isfinite(verdict.calibration.threshold):
                details = {
                    "signal": self.signal.name,
                    "series": "/".join(filter(None, key)),
                    "budget_per_week": self.signal.settings.alarms_per_week,
                    "would_have_fired": verdict.calibration.fired,
                    "weeks": verdict.calibration.weeks,
                    "threshold": verdict.calibration.threshold,
                }
                logger.info("threshold set anew", extra=details)

    def _refuse(self, reason: str, series: int) -> None:
        if series and not self.refused[reason]:
            labels = ", ".join(self._shared.labels)
            problem = {
                "limit": "there is no room for more series; aggregate the expression, or raise "
                "control.signals.max_series",
                "ambiguous": f"series have the same {labels}; aggregate the expression, as with "
                "sum by (model) (…), or add the label that tells them apart to "
                "control.signals.labels",
            }[reason]
            details = {"signal": self.signal.name, "series": series, "error": problem}
            logger.error("series refused", extra=details)
        self.refused[reason] = series

    def _forget(self, why: str) -> None:
        logger.warning("history is read anew", extra={"signal": self.signal.name, "why": why})
        if self._followed:
            self._followed.close()
        self._followed, self._latest = None, None
        self.verdicts, self.seen = {}, {}
        self._unknown_past.set()

    def _point(self) -> float:
        """The latest point that Prometheus has all of."""
        step = self.signal.step_seconds
        return math.floor((self._shared.wall_clock() - self._shared.offset_seconds) / step) * step

    def _until_next(self) -> float:
        due = self._point() + self.signal.step_seconds + self._shared.offset_seconds
        return max(0.0, due - self._shared.wall_clock())
