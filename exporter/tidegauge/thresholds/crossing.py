"""Where a function that never falls reaches a level."""

import math
from collections.abc import Callable

FURTHEST = 1e9  # in units of `unit`
HALVINGS = 40


def crossing(rising: Callable[[float], float], level: float, *, unit: float) -> float:
    """The least distance from 0 at which `rising` is at `level` or above, never too short.

    Doubles from `unit` until it is there, then halves what is between; inf if 10^9 units are
    not enough.

    >>> round(crossing(lambda distance: distance**2, 9.0, unit=1.0), 6)
    3.0
    """
    if rising(0.0) >= level:
        return 0.0
    short, enough = 0.0, unit
    while rising(enough) < level:
        short, enough = enough, 4 * enough
        if enough > FURTHEST * unit:
            return math.inf
    for _ in range(HALVINGS):
        middle = (short + enough) / 2
        if rising(middle) < level:
            short = middle
        else:
            enough = middle
    return enough
