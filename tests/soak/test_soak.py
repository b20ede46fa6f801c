"""More than a day of the sidecar's life in seconds: its memory does not grow.

A ticker is one part of the sidecar, called every five simulated seconds; `TICKERS` lists those of
the real one. A leak is found by the least that Python has allocated during each hour: what fills
up and is emptied again is none.
"""

import gc
import logging
import resource
import statistics
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest

from tests.soak.engines import Llamacpp, Vllm
from tidegauge.exposition import render
from tidegauge.pipeline import Pipeline, Schedule
from tidegauge.sources.discovery import DiscoveredEngine
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.engine_http import Answer, Fetch
from tidegauge.sources.source import Source, SourceError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Ticker = Callable[[float], Awaitable[None]]

TICK_SECONDS = 5
TICKS_AN_HOUR = 3600 // TICK_SECONDS
HOURS = 20  # with the warm-up, more than a day
WARM_UP_HOURS = 5  # what is remembered of workers and models that have gone is full by then
ALLOWED_BLOCKS_AN_HOUR = 36  # one object at every twentieth tick
ALLOWED_BYTES = 24 << 20  # of resident memory, which the allocator's moods change by megabytes


@pytest.fixture(autouse=True)
def nothing_kept_of_the_log() -> Iterator[None]:
    """Pytest keeps every line that is logged, which would be the leak."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


def rendering(source: Source, *, every: int) -> Ticker:
    """A pipeline with one source, read and scraped at each of so many ticks."""
    time = [0.0]
    pipeline = Pipeline([Schedule(source, TICK_SECONDS * every, 10)], clock=lambda: time[0])

    async def tick(now: float) -> None:
        if now % (TICK_SECONDS * every):
            return
        time[0] = now
        await pipeline.read_all()
        samples = pipeline.snapshot().samples()
        assert render(samples)
        if now % (4 * TICK_SECONDS * every) == 0:
            assert render(samples, "openmetrics")

    return tick


def engine(fetch: Fetch) -> EngineSource:
    return EngineSource("http://127.0.0.1:9", model="m", timeout_seconds=10, fetch=fetch)


def discovery() -> Ticker:
    """A machine without an engine, which is looked for all day."""
    time = [0.0]

    async def nobody(path: str) -> Answer:
        raise SourceError("unavailable", path)

    class Nobody(Llamacpp):
        async def __call__(self, path: str) -> Answer:
            return await nobody(path)

    source = DiscoveredEngine(
        (1, 2), lambda _: engine(Nobody()), interval_seconds=600, clock=lambda: time[0]
    )

    async def tick(now: float) -> None:
        time[0] = now
        assert await source.read() == ()

    return tick


TICKERS: tuple[Callable[[], Ticker], ...] = (
    lambda: rendering(engine(Llamacpp()), every=1),
    lambda: rendering(engine(Vllm()), every=50),
    discovery,
)


async def allocated(tickers: Sequence[Ticker], *, hours: int) -> list[int]:
    """The least blocks that Python has allocated during each simulated hour."""
    found, now = [], 0.0
    for _ in range(hours):
        gc.collect()
        seen = []
        for _ in range(TICKS_AN_HOUR):
            now += TICK_SECONDS
            for ticker in tickers:
                await ticker(now)
            seen.append(sys.getallocatedblocks())
        found.append(min(seen))
    return found


def growth(blocks: Sequence[int]) -> float:
    """Blocks an hour by which memory grows: the median of all pairs' slopes."""
    points = list(enumerate(blocks))
    slopes = [(b - a) / (j - i) for i, a in points for j, b in points if i < j]
    return statistics.median(slopes)


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:  # noqa: PTH123 - no file of ours
        return int(statm.read().split()[1]) * resource.getpagesize()


async def test_a_day_leaves_nothing_behind() -> None:
    tickers = [make() for make in TICKERS]
    await allocated(tickers, hours=WARM_UP_HOURS)
    before = resident_bytes()
    blocks = await allocated(tickers, hours=HOURS)
    grown = resident_bytes() - before
    assert growth(blocks) <= ALLOWED_BLOCKS_AN_HOUR, str(blocks)
    assert grown <= ALLOWED_BYTES, f"{grown / 2**20:.1f} MiB"


async def test_a_leak_would_be_found() -> None:
    kept: list[object] = []

    async def leak(now: float) -> None:
        if now % (10 * TICK_SECONDS) == 0:
            kept.append(object())

    tickers = [rendering(engine(Llamacpp()), every=4), leak]
    blocks = await allocated(tickers, hours=6)
    assert growth(blocks) > ALLOWED_BLOCKS_AN_HOUR, str(blocks)
