"""Four weeks of a small service: real rates and lengths, a modelled fleet, incidents in the last.

The rate of the last week is ServeGen's m-small divided by a thousand; the three weeks before it
are the same seven days in other orders. Lengths are Azure's, each request's drawn from all of them.
What no trace holds is drawn too: two of a thousand requests fail by themselves, one of fifty
answers is judged, and 8 % of those are bad. Percentiles are those of `histogram_quantile` over our
buckets.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from docs.drawing.fleet import KV_TOKENS, Served, serve
from docs.drawing.traces import Points, Request, Span
from tidegauge.catalog.traffic import INTER_CHUNK, TIME_TO_FIRST_TOKEN
from tidegauge.drift.psi import population_stability
from tidegauge.drift.shares import smoothed_shares
from tidegauge.inject.arrivals import RateSchedule, poisson

Numbers = NDArray[np.float64]

DAY = 86400.0
HOUR = 3600.0
WEEK = 7 * DAY
WEEKS = 4
MONDAY = 20_458 * DAY  # 2026-01-05; any would do
STEP = 300.0
BINS = int(WEEK / STEP)
REPLICAS = 3
GPU_HOUR = 2.0  # a price, and each replica has one GPU
DRIFT_WINDOW = HOUR
FEEDBACK_WINDOW = 6 * HOUR
FEWEST_JUDGED = 20
LONGEST = 8000  # what the service takes of a prompt
LENGTHS = (64, 256, 512, 1024, 1536, 2048, 4096)  # of prompts, the last of each bin
# vLLM's own, of its vllm:request_queue_time_seconds
QUEUE_BUCKETS = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60)

# In seconds from the last week's start.
GAP = Span("no data", 2 * DAY + 3 * HOUR, 2 * DAY + 5 * HOUR)
LOST = Span("replica lost", 3 * DAY + 20 * HOUR, 3 * DAY + 21 * HOUR)
ROT = Span("2 % slower each hour", 4 * DAY + 6 * HOUR, 4 * DAY + 18 * HOUR)
NEW_VERSION = Span("new version", 5 * DAY + 9 * HOUR, WEEK)
LONG_PROMPTS = Span("long prompts", 6 * DAY + 12 * HOUR, 6 * DAY + 18 * HOUR)
INCIDENTS = (GAP, LOST, ROT, NEW_VERSION, LONG_PROMPTS)
LAST_WEEK = MONDAY + (WEEKS - 1) * WEEK


@dataclass(frozen=True, slots=True)
class Weeks:
    """A series for each of the default signals, and when what happened, in the last week."""

    signals: dict[str, Points]
    incidents: tuple[Span, ...]


def weeks(rate: RateSchedule, lengths: Sequence[Request], long_ones: Sequence[Request]) -> Weeks:
    """All signals, one value for each five minutes."""
    rng = np.random.default_rng(5)
    tallies = []
    for number in range(WEEKS):
        troubled = number == WEEKS - 1
        played = rate if troubled else _shuffled(rate, rng)
        requests = _requests(played, lengths, long_ones if troubled else (), rng)
        tallies.append(_served(requests, rng, troubled=troubled))
    signals = {name: _timed(values) for name, values in _signals(tallies, lengths).items()}
    incidents = tuple(
        replace(span, start=LAST_WEEK + span.start, end=LAST_WEEK + span.end) for span in INCIDENTS
    )
    return Weeks(signals, incidents)


@dataclass(slots=True)
class _Tally:
    """What a week adds up to: rows of buckets, and sums, for each five minutes."""

    first_token: Numbers = field(default_factory=lambda: _rows(TIME_TO_FIRST_TOKEN.buckets or ()))
    inter_token: Numbers = field(default_factory=lambda: _rows(INTER_CHUNK.buckets or ()))
    queue: Numbers = field(default_factory=lambda: _rows(QUEUE_BUCKETS))
    lengths: Numbers = field(default_factory=lambda: np.zeros((BINS, len(LENGTHS) + 1)))
    exact: list[list[float]] = field(default_factory=lambda: [[] for _ in range(BINS)])
    ended: Numbers = field(default_factory=lambda: np.zeros(BINS))
    failed: Numbers = field(default_factory=lambda: np.zeros(BINS))
    judged: Numbers = field(default_factory=lambda: np.zeros(BINS))
    bad: Numbers = field(default_factory=lambda: np.zeros(BINS))
    tokens: Numbers = field(default_factory=lambda: np.zeros(BINS))
    held: Numbers = field(default_factory=lambda: np.zeros(BINS))
    replicas: Numbers = field(default_factory=lambda: np.full(BINS, float(REPLICAS)))


def _rows(buckets: Sequence[float]) -> Numbers:
    return np.zeros((BINS, len(buckets) + 1))


def _shuffled(rate: RateSchedule, rng: np.random.Generator) -> RateSchedule:
    """The trace's days in another order."""
    days: list[list[float]] = [[] for _ in range(7)]
    for at, value in rate.points:
        days[min(6, int(at / DAY))].append(value)
    values = [value for day in rng.permutation(7) for value in days[day]]
    return RateSchedule(
        tuple((at, value) for (at, _), value in zip(rate.points, values, strict=True))
    )


def _requests(
    rate: RateSchedule,
    lengths: Sequence[Request],
    long_ones: Sequence[Request],
    rng: np.random.Generator,
) -> Iterator[Request]:
    """A week's arrivals. With `long_ones`, it is the last: see NEW_VERSION and LONG_PROMPTS."""
    slow = rate.played(speed=1, rate_factor=0.001)
    for at in poisson(slow, rng, until=WEEK):
        of = lengths[int(rng.integers(len(lengths)))]
        prompt, answer = of.prompt, of.answer
        if long_ones and at >= NEW_VERSION.start:
            answer = round(1.5 * answer)
        if long_ones and LONG_PROMPTS.start <= at < LONG_PROMPTS.end and rng.random() < 0.05:  # noqa: PLR2004 -- a client's share
            prompt = min(long_ones[int(rng.integers(len(long_ones)))].prompt, LONGEST)
        yield Request(at, prompt, answer)


def _lost(at: float) -> int:
    return REPLICAS - (LOST.start <= at < LOST.end)


def _rotten(at: float) -> float:
    return 1 + 0.02 * (at - ROT.start) / HOUR if ROT.start <= at < ROT.end else 1.0


def _served(requests: Iterator[Request], rng: np.random.Generator, *, troubled: bool) -> _Tally:
    tally = _Tally()
    if troubled:
        tally.replicas[:] = [_lost((place + 0.5) * STEP) for place in range(BINS)]
    for one in serve(
        requests,
        replicas=_lost if troubled else lambda _: REPLICAS,
        slower=_rotten if troubled else lambda _: 1.0,
    ):
        if one.end < WEEK:
            _count(tally, one, rng, bad=0.14 if troubled and one.end >= NEW_VERSION.start else 0.08)
    return tally


def _count(tally: _Tally, one: Served, rng: np.random.Generator, *, bad: float) -> None:
    place = int(one.end / STEP)
    tally.ended[place] += 1
    tally.lengths[place, bisect_left(LENGTHS, one.request.prompt)] += 1
    waited = one.start - one.request.at
    tally.queue[int(one.start / STEP), bisect_left(QUEUE_BUCKETS, waited)] += 1
    if one.failed or rng.random() < 0.002:  # noqa: PLR2004 -- stated above
        tally.failed[place] += 1
        return
    first = one.first_token - one.request.at
    tally.first_token[
        int(one.first_token / STEP), bisect_left(TIME_TO_FIRST_TOKEN.buckets or (), first)
    ] += 1
    gaps = one.request.answer - 1
    tally.inter_token[place, bisect_left(INTER_CHUNK.buckets or (), one.inter_token)] += gaps
    tally.exact[place].append(one.inter_token)
    tally.tokens[place] += one.request.answer
    tally.held[place] += (one.request.prompt + one.request.answer / 2) * (one.end - one.start)
    if rng.random() < 0.02:  # noqa: PLR2004 -- stated above
        tally.judged[place] += 1
        tally.bad[place] += rng.random() < bad


def _signals(
    tallies: Sequence[_Tally], lengths: Sequence[Request]
) -> dict[str, list[float | None]]:
    def all_of(of: Callable[[_Tally], Numbers]) -> Numbers:
        return np.concatenate([of(tally) for tally in tallies])

    tokens, replicas = all_of(lambda tally: tally.tokens), all_of(lambda tally: tally.replicas)
    window = int(FEEDBACK_WINDOW / STEP)
    bad, judged = (
        _over(all_of(of), window) for of in (lambda tally: tally.bad, lambda tally: tally.judged)
    )
    return {
        "time_to_first_token_p95": _p95(
            all_of(lambda tally: tally.first_token), TIME_TO_FIRST_TOKEN.buckets or ()
        ),
        "inter_token_p95": _p95(all_of(lambda tally: tally.inter_token), INTER_CHUNK.buckets or ()),
        "inter_token_p95, exact": [
            float(np.quantile(values, 0.95)) if values else None
            for tally in tallies
            for values in tally.exact
        ],
        "queue_time_p95": _p95(all_of(lambda tally: tally.queue), QUEUE_BUCKETS),
        "error_ratio": _shares(
            all_of(lambda tally: tally.failed), all_of(lambda tally: tally.ended)
        ),
        "feedback_bad_ratio": _shares(bad, judged * (judged >= FEWEST_JUDGED)),
        "tokens_per_replica": list(tokens / STEP / replicas),
        "kv_cache_usage": list(all_of(lambda tally: tally.held) / STEP / (replicas * KV_TOKENS)),
        "cost_per_token": _shares(replicas * GPU_HOUR / HOUR * STEP, tokens),
        "drift_score": _drift(all_of(lambda tally: tally.lengths), lengths),
    }


def _p95(rows: Numbers, buckets: Sequence[float]) -> list[float | None]:
    """As `histogram_quantile(0.95, …)` has it: linear within the bucket."""
    return [_quantile(row.tolist(), buckets) for row in rows]


def _quantile(counts: Sequence[float], buckets: Sequence[float]) -> float | None:
    rank = 0.95 * sum(counts)
    if not rank:
        return None
    below, low = 0.0, 0.0
    for count, high in zip(counts, buckets, strict=False):
        if below + count >= rank:
            return low + (high - low) * (rank - below) / count
        below, low = below + count, high
    return buckets[-1]


def _drift(counts: Numbers, lengths: Sequence[Request]) -> list[float | None]:
    """The index of prompts' lengths over an hour, against the lengths that all are drawn from."""
    places = (bisect_left(LENGTHS, request.prompt) for request in lengths)
    reference = smoothed_shares(np.bincount(list(places), minlength=len(LENGTHS) + 1).tolist())
    window = int(DRIFT_WINDOW / STEP)
    summed = np.stack([_over(column, window) for column in counts.T], axis=1)
    scores: list[float | None] = [
        population_stability(smoothed_shares(row.tolist()), reference) for row in summed
    ]
    return [None] * window + scores[window:]


def _over(values: Numbers, window: int) -> Numbers:
    """The sum of the last `window` of them, at each."""
    total = np.cumsum(values)
    last: Numbers = total - np.concatenate([np.zeros(window), total[:-window]])
    return last


def _shares(part: Numbers, whole: Numbers) -> list[float | None]:
    return [float(a / b) if b else None for a, b in zip(part, whole, strict=True)]


def _timed(values: Sequence[float | None]) -> Points:
    """At the end of each five minutes, as a rule's evaluation would be; none in the gap."""
    start, end = LAST_WEEK + GAP.start, LAST_WEEK + GAP.end
    timed = ((MONDAY + (place + 1) * STEP, value) for place, value in enumerate(values))
    return [(at, value) for at, value in timed if not start < at <= end]
