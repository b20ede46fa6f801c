"""One thread for what takes processor time, so that pools are looked after meanwhile.

Python's threads take turns every 5 ms: the event loop waits that long at worst, and a job's own
length does not matter to it.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


class Bench:
    """Jobs one after the other, in the order in which they came."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="signals")

    async def work(self, job: Callable[[], Made]) -> Made:
        return await asyncio.get_running_loop().run_in_executor(self._thread, job)

    def close(self) -> None:
        """Drop what has not begun."""
        self._thread.shutdown(wait=False, cancel_futures=True)
