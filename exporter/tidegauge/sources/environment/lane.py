"""A daemon thread that runs one job at a time, so that a call that hangs holds up nothing else.

Not an executor: the interpreter joins an executor's threads at exit, and would wait for a hung
call for ever. A job that hangs keeps its lane, and nothing is queued behind it.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Generic, TypeVar

Result = TypeVar("Result")
_Job = tuple[Future[Result], Callable[[], Result]]


class HungError(Exception):
    """The job has not returned for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not returned for {seconds:.1f} s")
        self.seconds = seconds


class Lane(Generic[Result]):
    """Jobs run one after the other in one thread, which starts with the first of them."""

    def __init__(self, name: str, *, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._jobs: SimpleQueue[_Job[Result] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._latest: Future[Result] | None = None
        self._started_at = 0.0

    async def run(self, job: Callable[[], Result], *, patience_seconds: float) -> Result:
        """What `job` returns or raises.

        While an earlier job still runs, that one is awaited in its stead. Patience counts from
        a job's start: one that has used it up is not waited for again.

        Raises:
            HungError: patience is used up; the job goes on, and its outcome is dropped.
        """
        future = self._running() or self._start(job)
        waiting = asyncio.wrap_future(future)
        left = patience_seconds - (self._clock() - self._started_at)
        try:
            await asyncio.wait([waiting], timeout=max(left, 0.0))
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()
        raise HungError(self._clock() - self._started_at)

    def stop(self) -> None:
        """End the thread, once its job has returned. The lane takes no job after this."""
        self._jobs.put(None)

    def _running(self) -> Future[Result] | None:
        return None if self._latest is None or self._latest.done() else self._latest

    def _start(self, job: Callable[[], Result]) -> Future[Result]:
        if self._thread is None:
            self._thread = threading.Thread(
                target=_work, args=(self._jobs,), name=self._name, daemon=True
            )
            self._thread.start()
        future: Future[Result] = Future()
        # From here on it can't be cancelled: a reader that gives up must not take it from others.
        future.set_running_or_notify_cancel()
        self._latest, self._started_at = future, self._clock()
        self._jobs.put((future, job))
        return future


def _work(jobs: SimpleQueue[_Job[Result] | None]) -> None:
    while (next_job := jobs.get()) is not None:
        future, job = next_job
        try:
            future.set_result(job())
        except BaseException as error:  # noqa: BLE001  # not ours to judge: `run` raises it
            future.set_exception(error)
