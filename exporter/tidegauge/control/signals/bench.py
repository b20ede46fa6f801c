"""Where processor time is taken, so that pools are looked after meanwhile.

Points are judged in a thread, which takes turns of 5 ms with the event loop. Histories, each of a
fifth of a second and hundreds on start, are read and learned in a child process.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from tidegauge.control.signals.child import Child
from tidegauge.control.signals.task import Learn, Refusal, Task
from tidegauge.promql.decode import PromqlError
from tidegauge.thresholds.tracker import Tracker

Made = TypeVar("Made")


class Runs(Protocol):
    """What runs tasks; it may take its time."""

    def run(self, task: Task[Made]) -> Made: ...

    def rest(self) -> None:
        """There is nothing to do for now."""

    def close(self) -> None:
        """Nor will there be."""


class Bench:
    """Jobs one after the other, in the order in which they came; and so beside them, tasks."""

    def __init__(self, child: Runs | None = None, *, idle_seconds: float = 10.0) -> None:
        self._child = child or Child()
        self._idle_seconds = idle_seconds
        self._judging = ThreadPoolExecutor(1, thread_name_prefix="signals")
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="signals-child")
        self._one_history = asyncio.Lock()
        self._rest: asyncio.TimerHandle | None = None

    async def work(self, job: Callable[[], Made]) -> Made:
        """Judge points, in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._judging, job)

    async def read(self, task: Task[Made | Refusal]) -> Made:
        """Read an answer, in the child.

        Raises:
            PromqlError: it is none.
        """
        made = await self._run(task)
        if isinstance(made, Refusal):
            raise PromqlError(made.reason, made.message)
        return made

    async def learn(self, task: Learn) -> Tracker:
        """Learn a history, in the child; no more than one at a time stands before an answer."""
        async with self._one_history:
            return await self._run(task)

    async def _run(self, task: Task[Made]) -> Made:
        loop = asyncio.get_running_loop()
        if self._rest:
            self._rest.cancel()
        try:
            return await loop.run_in_executor(self._asking, self._child.run, task)
        finally:
            if self._rest:
                self._rest.cancel()
            self._rest = loop.call_later(self._idle_seconds, self._let_rest)

    def _let_rest(self) -> None:
        self._asking.submit(self._child.rest)

    def close(self) -> None:
        """Drop what has not begun."""
        if self._rest:
            self._rest.cancel()
        self._judging.shutdown(wait=False, cancel_futures=True)
        self._asking.shutdown(wait=False, cancel_futures=True)
        self._child.close()
