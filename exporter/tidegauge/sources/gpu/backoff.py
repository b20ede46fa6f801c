"""How long to wait before the next try: twice as long after each failure, up to a limit.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Backoff:
    """`seconds` to wait now. What went well for `steady_seconds` starts over.

    >>> tried = Backoff(first=1, longest=300, steady_seconds=60)
    >>> [tried := tried.failed(lived_seconds=0) for _ in range(3)][-1].seconds
    4.0
    >>> tried.failed(lived_seconds=61).seconds
    1.0
    """

    first: float
    longest: float
    steady_seconds: float
    failures: int = 0

    @property
    def seconds(self) -> float:
        if not self.failures:
            return 0.0
        doublings = min(self.failures - 1, 60)  # beyond it is the limit anyway
        return min(self.first * 2.0**doublings, self.longest)

    def failed(self, *, lived_seconds: float) -> "Backoff":
        before = 0 if lived_seconds >= self.steady_seconds else self.failures
        return replace(self, failures=before + 1)
