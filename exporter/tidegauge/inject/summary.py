"""What a run came to: counts by outcome, percentiles of latencies, tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegauge.inject.result import OUTCOMES, Outcome, Result


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds at two quantiles, over the requests that ended well."""

    p50_seconds: float
    p95_seconds: float


@dataclass(frozen=True, slots=True)
class Summary:
    """One run. `due` are all arrivals, `sent` those that left; None: nothing to tell it from."""

    due: int
    sent: int
    ok: int
    failed: dict[Outcome, int]
    shed: int
    abandoned: int
    first_token: Latency | None
    duration: Latency | None
    tokens: int | None

    @property
    def all_ok(self) -> bool:
        """Whether every arrival was sent and none failed (abandoned ones were not waited for)."""
        return not self.failed and self.shed == 0


class Tally:
    """Adds results up. Memory: two floats a request that ended well."""

    def __init__(self) -> None:
        self._outcomes: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        self._first_tokens: list[float] = []
        self._durations: list[float] = []
        self._tokens: int | None = None

    def add(self, result: Result) -> None:
        self._outcomes[result.outcome] += 1
        if result.tokens is not None:
            self._tokens = (self._tokens or 0) + result.tokens
        if result.outcome != "ok":
            return
        self._durations.append(result.duration_seconds)
        if result.first_token_seconds is not None:
            self._first_tokens.append(result.first_token_seconds)

    def summary(self) -> Summary:
        count = self._outcomes
        due = sum(count.values())
        apart = ("ok", "shed", "abandoned")
        return Summary(
            due=due,
            sent=due - count["shed"],
            ok=count["ok"],
            failed={kind: n for kind, n in count.items() if n and kind not in apart},
            shed=count["shed"],
            abandoned=count["abandoned"],
            first_token=latency(self._first_tokens),
            duration=latency(self._durations),
            tokens=self._tokens,
        )


def latency(seconds: Sequence[float]) -> Latency | None:
    """Nearest-rank percentiles.

    >>> latency([0.1, 0.2, 0.3, 0.4])
    Latency(p50_seconds=0.2, p95_seconds=0.4)
    """
    if not seconds:
        return None
    ordered = sorted(seconds)
    return Latency(_percentile(ordered, 50), p95_seconds=_percentile(ordered, 95))


def _percentile(ordered: Sequence[float], percent: int) -> float:
    rank = -(-percent * len(ordered) // 100)
    return round(ordered[rank - 1], 4)
