"""The steps and time scales in which a sequence of requests is watched, from its reference.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tidegauge.drift.block import Block
from tidegauge.drift.reference import Reference

_GAPS = 20
_HOUR = 3600.0
_FAST_REQUESTS = 10.0
_SLOW_REQUESTS = 500.0
_SLOW_SECONDS = 600.0
_PART = 10.0
"""A constant threshold on a mean of scale t can be crossed about once in 3 t at most, so that the
slowest scale is a tenth of the time between alarms; and a tenth of the reference."""
_APART = 1.5


@dataclass(frozen=True, slots=True)
class Pace:
    """How blocks become steps. Made by `pace_of`.

    Attributes:
        step_seconds: the least that a step takes; blocks are joined until then.
        longest_seconds: what a time without requests, such as a night, counts at most.
        timed: whether means grow old by seconds; if not, by requests, one a second.
        requests, seconds: of the reference.
    """

    step_seconds: float
    longest_seconds: float
    timed: bool
    requests: int
    seconds: float

    def age(self, block: Block, *, waited: float) -> float:
        """By how many seconds a step makes the means older."""
        return min(waited, self.longest_seconds) if self.timed else float(block.requests)

    def over(self, block: Block, *, waited: float) -> bool:
        """Whether what has come is a step."""
        if not block.requests:
            return False
        nearly = 0.999 * self.step_seconds
        return waited >= nearly and (self.timed or block.requests >= nearly)


def pace_of(reference: Reference, starts: list[float], *, tick_seconds: float) -> Pace:
    """`starts`: when the reference's blocks begin, in order."""
    sketch = reference.sketch
    step = max(tick_seconds, sketch.block_seconds)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    longest = _GAPS * max(median(gaps), step) if gaps and reference.timed else _HOUR
    seconds = sum(min(gap, longest) for gap in gaps) + sketch.block_seconds
    return Pace(step, longest, reference.timed, sketch.requests, seconds)


def scales_of(pace: Pace, *, budget_seconds: float) -> tuple[float, ...]:
    """Of means, in seconds, rising: one to three.

    The fastest is a step, or as long as 10 requests take; the slowest the least of 10 minutes (or
    as long as 500 requests take), a tenth of the time between false alarms and of the reference.
    """
    each = pace.seconds / pace.requests
    fast = max(pace.step_seconds, _FAST_REQUESTS * each)
    wanted = max(_SLOW_SECONDS, _SLOW_REQUESTS * each)
    slow = max(
        min(budget_seconds / _PART, wanted, pace.seconds / _PART), 2 * pace.step_seconds, fast
    )
    middle = (fast * slow) ** 0.5
    if middle / fast >= _APART:
        return (fast, middle, slow)
    return (fast, slow) if slow / fast >= _APART else (fast,)
