"""A small model of replicas with continuous batching: requests in, what became of each out.

No clock, no random source: the same requests and the same troubles give the same outcomes.

A request waits, first come first served, for one of the slots that all replicas have together. In
a slot, with b the requests in progress per replica when it starts (itself included) and w >= 1 how
much slower the machines are than they should be,

    time to first token = wait + w (0.03 s + prompt / 6000 (1 + b / 10))
    inter-token latency = w (0.012 s + 0.002 s b)

A request that waits for longer than its client's patience is given up as an error, and so is what
was in progress on a replica that is lost.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush

from docs.drawing.traces import Request

SLOTS = 5
KV_TOKENS = 12_000
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Served:
    """What became of a request; times are in seconds from the trace's start."""

    request: Request
    start: float
    first_token: float
    end: float
    inter_token: float
    failed: bool


def serve(
    requests: Iterable[Request],
    *,
    replicas: Callable[[float], int],
    slower: Callable[[float], float],
) -> Iterator[Served]:
    """Serve in the order of arrival; `replicas` and `slower` are functions of time."""
    ends: list[float] = []
    for count, request in enumerate(requests):
        now = request.at
        while ends and ends[0] <= now:
            heappop(ends)
        fleet = replicas(now)
        start = now
        while len(ends) >= SLOTS * fleet:
            start = heappop(ends)
        if start - now > PATIENCE_SECONDS:
            heappush(ends, start)
            gone = now + PATIENCE_SECONDS
            yield Served(request, gone, gone, gone, 0.0, failed=True)
            continue
        factor = slower(start)
        batch = (len(ends) + 1) / fleet
        first = start + factor * (0.03 + request.prompt / 6000 * (1 + batch / 10))
        gap = factor * (0.012 + 0.002 * batch)
        end = first + gap * max(0, request.answer - 1)
        heappush(ends, end)
        lost = replicas(end) < fleet and count % fleet == 0
        yield Served(request, start, first, end, gap, failed=lost)
