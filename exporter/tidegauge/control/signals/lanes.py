"""How many questions are asked at the same time, and how long Prometheus rests between them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

Told = TypeVar("Told")

_LONGEST_REST_SECONDS = 60.0


class Lanes:
    """So many at a time; after an answer a lane rests `rest_ratio` times as long as it took.

    With a ratio of 1 a lane asks for half of the time at most, so that a server that gets slow is
    asked less.
    """

    def __init__(self, lanes: int, *, rest_ratio: float = 0.0) -> None:
        self._free = asyncio.Semaphore(lanes)
        self._rest_ratio = rest_ratio

    async def ask(self, question: Callable[[], Awaitable[Told]]) -> Told:
        """The answer; what it raises is raised."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            return await question()
        finally:
            rest = min((loop.time() - begun) * self._rest_ratio, _LONGEST_REST_SECONDS)
            loop.call_later(rest, self._free.release)
