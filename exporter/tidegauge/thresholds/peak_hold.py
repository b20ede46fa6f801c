"""One event, one alarm: scores pass only where they exceed what was held."""


class PeakHold:
    """Lets a score through if it is greater than all of the last `seconds`, else gives 0.

    Holds one score: the greatest since it was last renewed. A score that is not greater renews
    nothing, so that an event that stays is told of again after `seconds`.

    >>> hold = PeakHold(60.0)
    >>> [hold.update(score, now) for now, score in ((0, 3.0), (30, 2.0), (50, 5.0), (120, 4.0))]
    [3.0, 0.0, 5.0, 4.0]
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._peak = 0.0
        self._until = 0.0

    def update(self, score: float | None, now: float) -> float:
        if now > self._until:
            self._peak = 0.0
        if score is None or score <= self._peak:
            return 0.0
        self._peak, self._until = score, now + self._seconds
        return score
