"""One event, one alarm: scores pass only where they exceed what was held."""

HELD_POINTS = 100  # on a grid; half as many are as good on NAB, half as many again lose a point
BAR = 2.0  # of the score that passed last


class PeakHold:
    """Lets a score through if it is over a bar, else gives 0.

    The bar is twice the score that passed last, and sinks to nothing within `seconds`: an event is
    told once, again if it becomes much worse, and again if it is still there after the time.

    >>> hold = PeakHold(60.0)
    >>> [hold.update(score, now) for now, score in ((0, 3.0), (15, 4.0), (30, 4.0), (90, 4.5))]
    [3.0, 0.0, 4.0, 4.5]
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._passed = 0.0
        self._at = 0.0

    def update(self, score: float | None, now: float) -> float:
        bar = BAR * self._passed * (1 - (now - self._at) / self._seconds)
        if score is None or score <= 0 or score <= bar:
            return 0.0
        self._passed, self._at = score, now
        return score
