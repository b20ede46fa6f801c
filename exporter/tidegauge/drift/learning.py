"""A reference that is being learned: a sketch, and for how long it has been at it.

No clock, no network, no logging: same arguments, same answer. How long is counted in ticks, not
read off the wall clock: a clock that jumps ahead does not end a warm-up. Of what was learned before
a restart there is only the wall clock to go by.
"""

from tidegauge.drift.row import Row
from tidegauge.drift.sketch import Sketch


class Learning:
    """Of one model, for `seconds` and `requests` at least; both are needed."""

    def __init__(self, sketch: Sketch, *, seconds: float, requests: int) -> None:
        """`sketch` may hold what was learned before a restart, whose time counts, too."""
        self.sketch = sketch
        self._seconds = seconds
        self._requests = requests
        begin, end = sketch.begin, sketch.end
        self._watched = 0.0 if begin is None or end is None else end - begin

    @property
    def ratio(self) -> float:
        """How much of it is over, 0 to 1."""
        return min(1.0, self._watched / self._seconds, self.sketch.requests / self._requests)

    @property
    def is_over(self) -> bool:
        """Whether it is enough for a reference."""
        return self.ratio >= 1.0

    def add(self, row: Row, *, at: float) -> None:
        """One request, that ended at `at`, in seconds of the wall clock."""
        self.sketch.add(row, at=at)

    def pass_time(self, seconds: float) -> None:
        """So much more of it is over. Time before the first request does not count."""
        if self.sketch.requests:
            self._watched += seconds
