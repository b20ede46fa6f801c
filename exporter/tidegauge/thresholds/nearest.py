"""How far a value is from the nearest of some."""

from collections.abc import Sequence


def distance_to_nearest(value: float, ascending: Sequence[float], place: int) -> float:
    """The least |value - x| over the sorted, not empty x, among which the value belongs at `place`.

    >>> distance_to_nearest(4.0, (1.0, 3.5, 9.0), 2)
    0.5
    """
    if place == len(ascending):
        return value - ascending[-1]
    above = ascending[place] - value
    if place == 0:
        return above
    below = value - ascending[place - 1]
    return min(above, below)
