"""Where processor time is taken, so that pools are looked after meanwhile.

Points are judged in a thread, which takes turns of 5 ms with the event loop. Histories, each of a
fifth of a second and hundreds on start, are learned in a child process.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from tidegauge.control.signals.learner import Learner
from tidegauge.control.signals.task import Task
from tidegauge.thresholds.tracker import Tracker

Made = TypeVar("Made")


class Learns(Protocol):
    """What learns histories; its methods may take their time."""

    def learn(self, task: Task) -> Tracker: ...

    def rest(self) -> None:
        """There is nothing to learn for now."""

    def close(self) -> None:
        """Nor will there be."""


class Bench:
    """Jobs one after the other, in the order in which they came; and so beside them, tasks."""

    def __init__(self, learner: Learns | None = None) -> None:
        self._learner = learner or Learner()
        self._judging = ThreadPoolExecutor(1, thread_name_prefix="signals")
        self._learning = ThreadPoolExecutor(1, thread_name_prefix="learner")
        self._tasks = 0

    async def work(self, job: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._judging, job)

    async def learn(self, task: Task) -> Tracker:
        loop = asyncio.get_running_loop()
        self._tasks += 1
        try:
            return await loop.run_in_executor(self._learning, self._learner.learn, task)
        finally:
            self._tasks -= 1
            if not self._tasks:
                self._learning.submit(self._learner.rest)

    def close(self) -> None:
        """Drop what has not begun."""
        self._judging.shutdown(wait=False, cancel_futures=True)
        self._learning.shutdown(wait=False, cancel_futures=True)
        self._learner.close()
