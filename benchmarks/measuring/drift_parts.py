"""CPU time of the parts of drift, a request."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.judging.prompts import MODEL
from tidegauge.drift.monitor import DriftMonitor
from tidegauge.drift.reference import Reference
from tidegauge.drift.row import row_of
from tidegauge.drift.settings import DriftSettings
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.watched import Watched
from tidegauge.drift.window import WindowLimits
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.features import features
from tidegauge.traffic.texts.vectors import Embed, style_vector

ROUNDS = 7
PACE = 1000 / 600
"""Requests a second that fill the default window."""
PACES = (1.0, PACE, 10.0)
TICK_SECONDS, SCRAPE_SECONDS = 10.0, 15.0
BEGIN = 1_700_000_000.0  # of the reference, on the wall clock
DAY = 86_400.0
SETTINGS = DriftSettings(
    WindowLimits(requests=1000, seconds=600.0, min_requests=100),
    budget_seconds=30 * DAY,
    tick_seconds=TICK_SECONDS,
    warmup_seconds=DAY,
    warmup_requests=1000,
)
"""The configuration's defaults."""
MICRO = 1e6


@dataclass(frozen=True, slots=True)
class Pair:
    """A prompt and its answer."""

    prompt: str
    answer: str


@dataclass(frozen=True, slots=True)
class Costs:
    """In microseconds a request; `drift_us` by requests a second."""

    features_us: float
    vectors_us: float
    drift_us: Mapping[float, float]

    @property
    def request_us(self) -> float:
        """At the pace of the goal, features left out."""
        return self.vectors_us + self.drift_us[PACE]

    def lines(self) -> Iterator[dict[str, object]]:
        for pace, drift in self.drift_us.items():
            yield {
                "case": f"{pace:.3g} requests a second",
                "features_us": round(self.features_us, 1),
                "vectors_us": round(self.vectors_us, 1),
                "drift_us": round(drift, 1),
                "request_us": round(self.vectors_us + drift, 1),
                "with_features_us": round(self.features_us + self.vectors_us + drift, 1),
            }


def vectors_of(exchange: Exchange, pair: Pair, embed: Embed) -> Exchange:
    """The exchange with both vectors."""
    if exchange.features is None:
        return exchange
    made = replace(exchange.features, semantic=embed(pair.prompt), style=style_vector(pair.answer))
    return replace(exchange, features=made)


def costs(
    pairs: Sequence[Pair], reference: Sequence[Exchange], live: Sequence[Exchange], embed: Embed
) -> Costs:
    """`reference` and `live` have vectors; `pairs` are texts of as many requests as are live."""

    def both(pair: Pair) -> tuple[bytes | None, bytes | None]:
        return embed(pair.prompt), style_vector(pair.answer)

    learned = learned_from(reference)
    return Costs(
        _median(lambda: [features(pair.prompt, pair.answer) for pair in pairs], len(pairs)),
        _median(lambda: [both(pair) for pair in pairs], len(pairs)),
        {pace: _median(_passing(learned, live, pace), len(live)) for pace in PACES},
    )


def learned_from(exchanges: Sequence[Exchange], *, model: str = MODEL) -> Reference:
    """The reference of these, one a second."""
    sketch = Sketch(model)
    for second, exchange in enumerate(exchanges):
        sketch.add(row_of(exchange), at=BEGIN + second)
    return Reference.of(sketch, made_by="benchmark")


def _passing(learned: Reference, live: Sequence[Exchange], pace: float) -> Callable[[], object]:
    """All that drift does with the requests of one round, which come after those of the last."""
    monitor = DriftMonitor([MODEL], SETTINGS, learns=True)
    model = monitor.models[MODEL]
    model.watched = Watched(learned, SETTINGS)
    now = 0.0
    next_tick, next_scrape = TICK_SECONDS, SCRAPE_SECONDS

    def passing() -> None:
        nonlocal now, next_tick, next_scrape
        for exchange in live:
            now += 1 / pace
            monitor.observe(exchange, at=BEGIN + DAY + now)
            if now >= next_tick:
                model.tick(now=now)
                next_tick += TICK_SECONDS
            if now >= next_scrape:
                list(model.samples(at=BEGIN + DAY + now))
                next_scrape += SCRAPE_SECONDS

    return passing


def _median(work: Callable[[], object], requests: int) -> float:
    """Microseconds a request; the first round is warm-up."""
    times = list[float]()
    for turn in range(ROUNDS + 1):
        began = time.thread_time()
        work()
        if turn:
            times.append((time.thread_time() - began) / requests)
    return MICRO * statistics.median(times)
