"""What is reached less often than has been seen: a Pareto tail of the highest peaks.

With y_1 > … > y_m > y_0 the highest peaks, H the sum of ln(y_i / y_0) over the m above the lowest
(Hill, 1975), n the alarms that are to be expected of as much time as they are of, and q = n / m,

    y_0 · exp((H + G) (q ^ (-1/(m + k)) - 1))

is the posterior predictive quantile of an exponential ln y of which only m values are known: wider
than the fit, so that a short past errs on the side of silence. k values whose sum is G may be taken
as known before.

No clock, no network, no logging: same arguments, same answer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """`values` of mean `spread`, in units of ln y, that are taken as known before any is."""

    values: float = 0.0
    spread: float = 0.0


NOTHING = Known()


def reached(peaks: Sequence[float], expected: float, *, before: Known = NOTHING) -> float:
    """The level that peaks reach `expected` times; `peaks` fall, one at least, all above 0.

    `expected` is less than the number of peaks above the lowest, or than 1. The lowest itself where
    all are alike, or there is no other, and nothing is known before.

    >>> round(reached([4.0, 2.0, 1.0], 0.5), 3)
    8.0
    """
    lowest, known = peaks[-1], len(peaks) - 1
    if not known + before.values:
        return lowest
    spread = sum(math.log(peak / lowest) for peak in peaks[:-1]) + before.values * before.spread
    beyond = spread * ((expected / max(known, 1)) ** (-1 / (known + before.values)) - 1)
    return lowest * math.exp(min(beyond, _MOST))


_MOST = 600.0  # of a logarithm: what is larger is no number any more
