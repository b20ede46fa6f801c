"""Whether an answer ends in a loop: one passage said over and over, until something cut it off.

No clock, no network, no logging: same arguments, same answer.
"""

import numpy as np

_KEY_CHARS = 32


def loop_ratio(text: str) -> float:
    """The share of `text`, from its end, that is at least two copies of one passage; else 0.

    The passage is the shortest that the last 32 characters repeat after; a copy that was cut off
    counts. Repetition that the text came out of again is no loop (but compresses well).

    >>> loop_ratio("The tide rises. " + "And it falls. " * 9) > 0.8
    True
    >>> loop_ratio("The tide rises, and it falls, and nobody knows who told it to.")
    0.0
    """
    before = text.rfind(text[-_KEY_CHARS:], 0, -1)
    if before < 0 or len(text) <= _KEY_CHARS:
        return 0.0
    period = len(text) - _KEY_CHARS - before
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    unlike = np.flatnonzero(points[period:] != points[:-period])
    alike = len(points) - period - (int(unlike[-1]) + 1 if unlike.size else 0)
    return (alike + period) / len(text) if alike >= period else 0.0
