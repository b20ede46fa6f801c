"""Does reading four weeks of 500 signals hurt Prometheus, or the pools of the same controller?

A real Prometheus gets a past of 500 series on a grid of 5 minutes, written by promtool, and scrapes
itself each second. In this process, as in `tidegauge control`, the signals' loops read and learn
that past while the event loop is asked every 10 ms how late it is. What is reported:

- `seconds`: until every signal has its band, on this machine with all else that runs on it;
- `cpu_seconds`: the processor time of it, ours and the child's that reads and learns;
- `stall_ms`: the most that the event loop was late by; a pool's loop has seconds of time;
- `p99_ms`: the same for 99 of 100 times, and `idle_p99_ms` before there was anything to do;
- `scrape_ratio`: Prometheus's slowest scrape meanwhile, as a share of the timeout of 1 s;
- `busy_ratio`: seconds that Prometheus spent on us, per second; a lane may ask for half of one;
- `memory_mb`: what this process needed at most, beyond what it began with; the child has 50 more.

    .venv/bin/python benchmarks/signals_backfill.py [--signals 500] [--weeks 4]

Exit status: 1 if a scrape failed or a signal has no band.
"""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "exporter")]

from tests.e2e.remembering import WEEK, Remembering, daily, grid_now, remembering  # noqa: E402
from tidegauge.control.signals.bench import Bench  # noqa: E402
from tidegauge.control.signals.history import History  # noqa: E402
from tidegauge.control.signals.lanes import Lanes  # noqa: E402
from tidegauge.control.signals.loop import Shared  # noqa: E402
from tidegauge.control.signals.room import Room  # noqa: E402
from tidegauge.control.signals.signal import Signal  # noqa: E402
from tidegauge.control.signals.signals import Signals  # noqa: E402
from tidegauge.control.signals.unanswered import Unanswered  # noqa: E402
from tidegauge.promql.client import Access, Prometheus  # noqa: E402
from tidegauge.promql.decode import number  # noqa: E402
from tidegauge.thresholds.registry import DEFAULT_DETECTOR  # noqa: E402
from tidegauge.thresholds.tracker import TrackerSettings  # noqa: E402

STEP = 300.0
HOUR = 3600.0
DAY = 86_400.0
LANES = 2
BUSY = 'prometheus_http_request_duration_seconds_sum{handler="/api/v1/query_range"}'


def main() -> int:
    """Print a JSON line of what was measured, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", type=int, default=500)
    parser.add_argument("--weeks", type=float, default=4.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_measure(Path(folder), arguments.signals, arguments.weeks * WEEK))
    print(json.dumps(found))
    goals = {
        "stall_ms": {"value": found["stall_ms"], "goal": 500, "better": "lower"},
        "scrape_ratio": {"value": found["scrape_ratio"], "goal": 0.5, "better": "lower"},
        "busy_ratio": {"value": found["busy_ratio"], "goal": LANES / 2, "better": "lower"},
        "cpu_seconds": {"value": found["cpu_seconds"], "goal": 150, "better": "lower"},
    }
    print(json.dumps({"benchmark": "signals_backfill", "goals": goals}))
    return 0 if found["up"] and found["bands"] == arguments.signals else 1


async def _measure(folder: Path, signals: int, history: float) -> dict[str, float]:
    end = grid_now(STEP)
    past = {f'load{{n="{n}"}}': daily(n) for n in range(signals)}
    begin = end - history - DAY - 2 * HOUR
    async with remembering(folder, past, begin=begin, end=end, step=STEP) as server:
        await server.start()
        idle: list[float] = []
        probe = asyncio.create_task(_probe(idle))
        await asyncio.sleep(10)
        probe.cancel()
        found = await _backfill(server, signals, history)
        return {**found, "idle_p99_ms": _p99_ms(idle)}


async def _backfill(server: Remembering, signals: int, history: float) -> dict[str, float]:
    client, bench = Prometheus(Access(server.url, timeout_seconds=30)), Bench()
    shared = Shared(
        prometheus=client,
        history=History(client, Lanes(LANES, rest_ratio=1.0), bench),
        live=Lanes(4),
        bench=bench,
        room=Room(signals),
        unanswered=Unanswered(),
        labels=("model",),
        offset_seconds=30.0,
        wall_clock=lambda: time.time() - HOUR,  # so that live points have values, too
    )
    settings = TrackerSettings(DEFAULT_DETECTOR, STEP, history, DAY, 1.0)
    watched = Signals(
        [Signal(f"load-{n}", f'load{{n="{n}"}}', settings) for n in range(signals)], shared
    )
    late: list[float] = []
    memory, cpu = _peak_mb(), _cpu_seconds()
    begun = time.monotonic()
    probe, running = asyncio.create_task(_probe(late)), asyncio.create_task(watched.run())
    while watched.learned < signals:  # noqa: ASYNC110 - as it would be watched from outside
        await asyncio.sleep(0.5)
    seconds = time.monotonic() - begun
    for task in (probe, running):
        task.cancel()
    await asyncio.gather(probe, running, return_exceptions=True)
    bands = sum(sample.metric.name == "llm_signal_upper" for sample in watched.samples())
    window = f"[{seconds + 1:.0f}s]"
    asked = (f"min_over_time(up{window})", f"max_over_time(scrape_duration_seconds{window})")
    up, scrape = [number(await client.query(each)) for each in asked]
    busy = number(await client.query(BUSY))
    await client.close()
    watched.close()
    return {
        "signals": signals,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(_cpu_seconds() - cpu, 1),
        "bands": bands,
        "up": up,
        "stall_ms": round(max(late) * 1000, 1),
        "p99_ms": _p99_ms(late),
        "scrape_ratio": round(scrape, 3),
        "busy_ratio": round(busy / seconds, 3),
        "memory_mb": round(_peak_mb() - memory),
    }


def _p99_ms(late: list[float]) -> float:
    return round(sorted(late)[len(late) * 99 // 100] * 1000, 1)


async def _probe(late: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + 0.01
        await asyncio.sleep(0.01)
        late.append(loop.time() - due)


def _cpu_seconds() -> float:
    """Ours, and that of children that have ended: Prometheus is not among them."""
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
