"""A sliding window of requests, made of blocks: the latest so many, none older than so long.

No clock, no network, no logging: same arguments, same answer.
"""

from collections import deque
from dataclasses import dataclass
from math import ceil

from tidegauge.drift.block import Block
from tidegauge.drift.packing import packed, unpacked


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """How much a window holds, and from how many requests on it may be scored.

    Raises:
        ValueError: the window could never be scored.
    """

    requests: int
    seconds: float
    min_requests: int

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError(f"window seconds {self.seconds}: must be above 0")
        if not 1 <= self.min_requests <= self.requests:
            raise ValueError(
                f"min_requests {self.min_requests}: must be 1 to the window's requests "
                f"({self.requests})"
            )


class Window:
    """Blocks that were pushed every `interval` seconds, and their sum.

    A block leaves when it was pushed `limits.seconds` ago, or when those after it hold
    `limits.requests` by themselves: the window holds at most a block more than that. A clock that
    goes back stands still until it has caught up.

    Memory: the sum takes 12 KB; there are at most ceil(seconds / interval) blocks, whatever the
    clock does, none of them empty, of 0.1 to 3 KB each: at most 0.2 MB with the defaults. Unpacked
    they would take 0.7 MB, and save some microseconds a request.

    Raises:
        ValueError: the interval is none.
    """

    def __init__(self, limits: WindowLimits, *, interval: float) -> None:
        if not 0 < interval <= limits.seconds:
            raise ValueError(
                f"interval {interval}: must be above 0 and at most the window's seconds "
                f"({limits.seconds})"
            )
        self._limits = limits
        self._most = ceil(limits.seconds / interval)
        self._held: deque[_Held] = deque()
        self._now = float("-inf")
        self._total = Block()

    @property
    def total(self) -> Block:
        """All of the window's requests as one. It is the window's own: read it, change nothing."""
        return self._total

    @property
    def requests(self) -> int:
        """How many it holds."""
        return self._total.requests

    @property
    def enough(self) -> bool:
        """Whether it may be scored."""
        return self.requests >= self._limits.min_requests

    @property
    def blocks(self) -> int:
        """How many it holds, empty ones not counted."""
        return len(self._held)

    def push(self, block: Block, *, now: float) -> None:
        """The requests since the last time; `now` in seconds. The block may be used afterwards."""
        self.expire(now=now)
        if not block.requests:
            return
        self._total.join(block)
        self._held.append(_Held(self._now, block.requests, packed(block)))
        while len(self._held) > self._most or self._first_is_surplus():
            self._drop_first()

    def expire(self, *, now: float) -> None:
        """Let go of what is too old."""
        self._now = max(self._now, now)
        while self._held and self._now - self._held[0].at >= self._limits.seconds:
            self._drop_first()

    def _first_is_surplus(self) -> bool:
        return self.requests - self._held[0].requests >= self._limits.requests

    def _drop_first(self) -> None:
        self._total.leave(unpacked(self._held.popleft().content))


@dataclass(frozen=True, slots=True)
class _Held:
    at: float
    requests: int
    content: bytes
