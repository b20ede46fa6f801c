"""Signals over a real Prometheus: its past read, and everything that may happen to it or to us.

Most of it happens at times that are past, on a clock of the test's own: Prometheus remembers them.
"""

import asyncio
import json
import logging
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from demo.program import Program, answers, eventually
from tests.e2e.remembering import WEEK, Past, Remembering, daily, grid_now, remembering
from tests.haproxy import free_port
from tidegauge.control.signals.bench import Bench
from tidegauge.control.signals.history import History
from tidegauge.control.signals.lanes import Lanes
from tidegauge.control.signals.loop import Shared, SignalLoop
from tidegauge.control.signals.room import Room
from tidegauge.control.signals.signal import Signal
from tidegauge.control.signals.signals import Signals
from tidegauge.control.signals.unanswered import Unanswered
from tidegauge.promql.client import Access, Prometheus
from tidegauge.promql.decode import number
from tidegauge.thresholds.tracker import TrackerSettings

logger = logging.getLogger(__name__)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]

STEP = 300.0
HISTORY = 4 * WEEK
REFRESH = 86_400.0
SIGNALS = 20  # all 500 of a large fleet: benchmarks/signals_backfill.py
COMMAND = [sys.executable, "-m", "tidegauge.cli.main"]


def before(value: Past, at: float) -> Past:
    return lambda t: value(t) if t < at else None


def after(value: Past, at: float) -> Past:
    return lambda t: value(t) if t >= at else None


def with_gaps(value: Past, end: float) -> Past:
    """Three hours of every fourth day are missing, and half an hour of every second; not now."""

    def past(t: float) -> float | None:
        ago = end - t
        return None if ago % 345_600 > 334_800 or ago % 172_800 > 171_000 else value(t)

    return past


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Remembering]:
    end = grid_now(STEP)
    renamed = end - REFRESH
    past = {f'load{{n="{n}"}}': daily(n) for n in range(SIGNALS)}
    past |= {
        'latency{model="gaps"}': with_gaps(daily(0.1), end),
        'latency{model="old"}': before(daily(0.2), renamed),
        'latency{model="new"}': after(daily(0.2), renamed),
        'latency{model="two",version="1"}': daily(0.3),
        'latency{model="two",version="2"}': after(daily(0.4), end - REFRESH / 2),
    }
    folder = tmp_path_factory.mktemp("prometheus")
    begin = end - HISTORY - 2 * REFRESH
    async with remembering(folder, past, begin=begin, end=end, step=STEP) as server:
        await server.start()
        yield server


class Followed:
    """A signal over the real Prometheus, at a time of the test's choice."""

    def __init__(
        self, prometheus: Remembering, expression: str, now: float, *, history: float
    ) -> None:
        self.now = now
        client, self._bench = Prometheus(Access(prometheus.url, timeout_seconds=30)), Bench()
        settings = TrackerSettings("novelty", STEP, history, REFRESH, 1.0)
        shared = Shared(
            prometheus=client,
            history=History(client, Lanes(2, rest_ratio=1.0), self._bench),
            live=Lanes(2),
            bench=self._bench,
            room=Room(10),
            unanswered=Unanswered(),
            labels=("model",),
            offset_seconds=30.0,
            wall_clock=lambda: self.now,
        )
        self.signals = Signals([Signal("latency", expression, settings)], shared)
        self.loop: SignalLoop = self.signals.loops[0]
        self._client = client

    async def close(self) -> None:
        self.signals.close()
        await self._client.close()

    async def rounds(self, number: int) -> None:
        for _ in range(number):
            self.now += STEP
            assert await self.loop.round()

    def models(self) -> set[str]:
        return {key[0] for key in self.loop.verdicts}


@pytest_asyncio.fixture(loop_scope="module")
async def follow(prometheus: Remembering) -> AsyncIterator["Follow"]:
    follows = Follow(prometheus)
    yield follows
    for each in follows.made:
        await each.close()


class Follow:
    """Makes signals whose past is known."""

    def __init__(self, prometheus: Remembering) -> None:
        self._prometheus = prometheus
        self.made: list[Followed] = []

    async def __call__(self, expression: str, now: float, *, history: float = WEEK) -> Followed:
        made = Followed(self._prometheus, expression, now, history=history)
        self.made.append(made)
        assert await made.loop.backfill()
        return made


def ago(seconds: float) -> float:
    return grid_now(STEP) - seconds + 40  # a point is known 30 s after its time


async def test_a_restart_gives_the_same_bands_as_never_having_stopped(follow: Follow) -> None:
    """Through a refresh, over gaps, and with a series that is renamed."""
    ran = await follow("latency", ago(1.6 * REFRESH))
    seen = set()
    for _ in range(6):
        await ran.rounds(70)
        again = await follow("latency", ran.now)
        assert again.loop.verdicts == ran.loop.verdicts
        assert all(verdict.judged for verdict in ran.loop.verdicts.values())
        seen |= ran.models()
    assert seen == {"gaps", "old", "new", "two"}


async def test_a_renamed_series_vanishes_and_the_new_one_begins(follow: Follow) -> None:
    ran = await follow("latency", ago(REFRESH + 2 * STEP))
    assert "old" in ran.models()
    await ran.rounds(4)  # Prometheus looks back for 5 minutes
    assert "old" not in ran.models()
    assert "new" in ran.models()


async def test_a_renamed_signal_has_its_band_at_once(follow: Follow) -> None:
    """The expression finds both names, as one that was mended after the renaming does."""
    expression = 'label_replace(max(latency{model=~"old|new"}), "model", "x", "", "")'
    ran = await follow(expression, ago(STEP), history=HISTORY)
    verdict = ran.loop.verdicts["x",]
    assert verdict.judged
    assert verdict.judged.lower < verdict.value < verdict.judged.upper
    assert verdict.calibration
    assert verdict.calibration.weeks > 3.5
    assert verdict.calibration.fired <= 4


async def test_two_series_of_one_name_are_refused(follow: Follow) -> None:
    ran = await follow("latency", ago(STEP))
    assert ran.loop.refused["ambiguous"] == 1
    assert "two" not in ran.models()


async def test_a_clock_that_is_set_back_changes_nothing_or_begins_anew(follow: Follow) -> None:
    ran = await follow("latency", ago(REFRESH / 4))
    before_that, set_back = ran.loop.verdicts, ran.now - 5 * STEP
    ran.now = set_back
    assert await ran.loop.round()
    assert ran.loop.verdicts == before_that
    await ran.rounds(8)
    assert ran.loop.verdicts == (await follow("latency", ran.now)).loop.verdicts

    ran.now -= REFRESH
    assert await ran.loop.round()
    assert not ran.loop.learned
    assert await ran.loop.backfill()
    assert ran.loop.verdicts == (await follow("latency", ran.now)).loop.verdicts


async def test_what_was_missed_is_caught_up_with(follow: Follow) -> None:
    ran = await follow("latency", ago(REFRESH / 2))
    ran.now += 40 * STEP
    assert await ran.loop.round()
    assert ran.loop.verdicts == (await follow("latency", ran.now)).loop.verdicts


def lasting(series: str) -> str:
    """What is written is all that there is: its last value has to last."""
    return f"last_over_time({series}[1h])"


def configuration(url: str, address: str, **signals: object) -> dict[str, object]:
    return {
        "control": {
            "listen_address": address,
            "prometheus": {"url": url, "timeout": "30s"},
            "signals": {"defaults": False, "labels": ["model"], **signals},
        }
    }


class Controller:
    """A `tidegauge control` that watches signals."""

    def __init__(self, folder: Path, url: str, **signals: object) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self.config, self.log = folder / "tidegauge.yml", folder / "control.log"
        self.config.write_text(json.dumps(configuration(url, self.address, **signals)))
        self.program: Program | None = None

    async def start(self) -> None:
        command = [*COMMAND, "control", "--config.file", str(self.config)]
        self.program = await Program.start("control", command, log=self.log)
        await self.program.ready(f"http://{self.address}/-/healthy", seconds=90)

    async def kill(self) -> None:
        if self.program and self.program.process.returncode is None:
            self.program.process.send_signal(signal.SIGKILL)
            await self.program.process.wait()

    async def series(self) -> dict[str, float]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self.address}/metrics") as page,
        ):
            rows = (row.rpartition(" ") for row in (await page.text()).splitlines())
        return {name: float(value) for name, _, value in rows if name[:1] != "#"}

    async def band(self) -> dict[str, float]:
        found = (await self.series()).items()
        return {n: v for n, v in found if re.match(r"llm_signal_(value|upper|lower|anom)", n)}

    async def becomes(self, name: str, value: float, *, seconds: float = 90) -> None:
        async def so() -> bool:
            return (await self.series()).get(name) == value

        await eventually(so, seconds=seconds, what=f"{name} {value:g}")

    def peak_bytes(self) -> int:
        assert self.program
        status = Path(f"/proc/{self.program.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) * 1024


@pytest.mark.timeout(400)
async def test_four_weeks_are_read_without_hurting_prometheus(
    prometheus: Remembering, tmp_path: Path
) -> None:
    expressions = {n: lasting(f'load{{n="{n}"}}') for n in range(SIGNALS)}
    custom = [{"name": f"load-{n}", "expr": expr} for n, expr in expressions.items()]
    controller = Controller(tmp_path, prometheus.url, custom=custom)
    begun = time.time()
    try:
        await controller.start()
        slowest = 0.0
        while (await controller.series())["tidegauge_signals_backfilling"]:
            asked = time.monotonic()
            await controller.series()
            slowest = max(slowest, time.monotonic() - asked)
            assert time.time() - begun < 300
            await asyncio.sleep(0.1)
        took = time.time() - begun
        band = await controller.band()
        assert len([name for name in band if name.startswith("llm_signal_upper")]) == SIGNALS
        peak = controller.peak_bytes()
    finally:
        await controller.kill()
    window = f"[{took + 2:.0f}s]"
    busy = 'increase(prometheus_http_request_duration_seconds_sum{handler="/api/v1/query_range"}'
    up, scrape, queries, busy_seconds = [
        await told(prometheus, f"{what}{window})")
        for what in (
            "min_over_time(up",
            "max_over_time(scrape_duration_seconds",
            "max_over_time(prometheus_engine_queries",
            busy,
        )
    ]
    logger.info("%d signals in %.1f s, peak %.0f MiB", SIGNALS, took, peak / 2**20)
    logger.info("slowest scrape of Prometheus %.3f s, of us %.3f s", scrape, slowest)
    logger.info("%d queries at a time, answered in %.1f s in all", queries, busy_seconds)
    assert up == 1
    assert scrape < 0.9  # of the second that it may take, on a machine that others want, too
    assert queries <= 2 + 4 + 1  # read at a time, asked live at a time, ours
    assert busy_seconds <= took  # two at a time, each for half of the time at most
    assert peak < 400 * 2**20
    assert f"progress={SIGNALS}/{SIGNALS}" in controller.log.read_text()


async def told(prometheus: Remembering, expression: str) -> float:
    client = Prometheus(Access(prometheus.url, timeout_seconds=30))
    try:
        return number(await client.query(expression))
    finally:
        await client.close()


@pytest.mark.timeout(400)
async def test_a_killed_controller_shows_the_same_bands_again(
    prometheus: Remembering, tmp_path: Path
) -> None:
    controller = Controller(
        tmp_path, prometheus.url, custom=[{"name": "x", "expr": lasting("latency")}]
    )
    try:
        for _ in range(3):  # again, should a new point come between
            bands = []
            for _ in range(2):
                await controller.start()
                await controller.becomes("tidegauge_signals_backfilling", 0)
                bands.append(await controller.band())
                await controller.kill()
            if bands[0] == bands[1]:
                break
        assert bands[0] == bands[1]
        assert 'llm_signal_upper{detector="novelty",signal="x",model="gaps"}' in bands[0]
    finally:
        await controller.kill()


async def test_the_command_says_what_would_have_fired(
    prometheus: Remembering, tmp_path: Path
) -> None:
    controller = Controller(
        tmp_path, prometheus.url, custom=[{"name": "x", "expr": lasting("latency")}]
    )
    lines = await output("signals", "--config.file", str(controller.config), status=0)
    lines = [line for line in lines if not line.startswith("ts=")]  # of the one that is refused
    assert lines[0].split()[:4] == ["SIGNAL", "SERIES", "HISTORY", "BUDGET"]
    (row,) = [line.split() for line in lines if line.split()[:2] == ["x", "gaps"]]
    assert row[3] == "4/w"
    assert int(row[4]) <= 4 * 4
    lines = await output("signals", "--config.file", str(controller.config), "y", status=2)
    assert lines == ["tidegauge signals: error: 'y' is no signal of it; there are x"]


async def output(*words: str, status: int) -> Sequence[str]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == status, said
    return said.decode().splitlines()


@pytest.mark.timeout(400)
async def test_prometheus_away_at_start_and_later(tmp_path: Path) -> None:
    step, end = 2.0, grid_now(2)
    past = {'latency{model="a"}': daily(), 'latency{model="b"}': daily(1)}
    async with remembering(tmp_path, past, begin=end - 3600, end=end, step=step) as server:
        fast = {"interval": "2s", "history": "20m", "refresh": "5m", "query_offset": "1s"}
        # Twenty minutes say nothing of what happens once a week: there would be no edge.
        fast["budget"] = "4 per 10m"
        signals = {**fast, "custom": [{"name": "x", "expr": lasting("latency")}]}
        controller = Controller(tmp_path, server.url, **signals)
        up, upper = 'tidegauge_signal_up{signal="x"}', 'llm_signal_upper{detector="novelty"'
        try:
            await controller.start()
            await controller.becomes(up, 0)
            assert not await controller.band()
            await server.start()
            await controller.becomes(up, 1)
            await controller.becomes("tidegauge_signals_backfilling", 0)
            assert any(name.startswith(upper) for name in await controller.band())

            await server.stop()
            await controller.becomes(up, 0)

            async def gone() -> bool:
                return not await controller.band()

            await eventually(gone, seconds=60, what="stale series gone")
            assert await answers(f"http://{controller.address}/-/healthy")
            await server.start()
            await controller.becomes(up, 1)
            assert any(name.startswith(upper) for name in await controller.band())
        finally:
            await controller.kill()
