"""Where a sum of logarithms that begin one after the other reaches a level."""

import math

STEPS = 60  # of Newton's method at most; 3 to 5 are usual
STRIDE = 50.0  # of one step at most, in that logarithm, so that no number overflows
FURTHEST = 400.0  # a level that nothing reaches: e ^ 400 is beyond any signal
CLOSE = 1e-6  # the step after one of this share would be of its square

# (start, jump, scale, weight): 0 until start, beyond it jump + weight ln(1 + (x - start) / scale).
# A tuple, since edges are made at each point, and a dataclass takes as long to make as to solve.
Rise = tuple[float, float, float, float]


def crossing(rises: list[Rise], level: float) -> float:
    """The least x at which the rises sum to `level` or more; inf if there is none.

    Starts are tried from the last: where the sum there is below the level, it crosses beyond.

    >>> round(crossing([(1.0, 0.0, 1.0, 2.0)], 2 * math.log(3.0)), 9)
    3.0
    >>> crossing([(1.0, 2.0, 1.0, 2.0), (0.0, 0.0, 1.0, 2.0)], 3.0)
    1.0
    """
    if level > FURTHEST:
        return math.inf
    begun = sorted(rise for rise in rises if rise[0] < math.inf)
    end = math.inf
    while begun:
        start = begun[-1][0]
        missing = level
        for other, jump, scale, weight in begun:
            missing -= jump + weight * math.log((scale + start - other) / scale)
        if missing > 0:
            return min(_solved(begun, level), end)
        end = start
        begun.pop()
    return end


def _solved(begun: list[Rise], level: float) -> float:
    """Beyond the last start, by Newton's method in the logarithm of the last rise's argument.

    In it the sum is nearly a straight line.
    """
    last, _, unit, _ = begun[-1]
    along = unit
    for _ in range(STEPS):
        missing, slope = level, 0.0
        for start, jump, scale, weight in begun:
            argument = along + (scale - unit + last - start)
            missing -= jump + weight * math.log(argument / scale)
            slope += weight / argument
        if slope == 0:
            return math.inf
        step = min(missing / (slope * along), STRIDE)
        along *= math.exp(step)
        if -CLOSE < step < CLOSE:
            break
    return last + along - unit
