"""Does a burst of 200 ms show, and is the energy right, where a scrape comes every 15 s?

The NVML stand-in plays a square wave whose truth is known: 200 ms at 680 W every 7.3 s, 120 W in
between; one GPU has NVML's energy counter, the other has not. We read both at 10 Hz without NVML's
ring of samples, and at 1 Hz with it. A burst is found if the window that holds it shows it. The
peers read the same GPUs in the same run: a gauge of instant power every 15 s, as a scrape does, and
every 30 s, as dcgm-exporter collects by default; their energy is what the gauge adds up to.

    .venv/bin/python benchmarks/bursts.py [--seconds 75]
"""

import argparse
import asyncio
import ctypes
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pynvml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.nvml.control import NvmlControl  # noqa: E402 - the stand-in is no installed package
from tests.nvml.fixtures import build_library  # noqa: E402
from tests.nvml.machine import Wave  # noqa: E402
from tidegauge.catalog import Metric, gpu_meters, nvml  # noqa: E402
from tidegauge.catalog import gpu as catalog  # noqa: E402
from tidegauge.samples import Sample  # noqa: E402
from tidegauge.sources.gpu.settings import Settings  # noqa: E402
from tidegauge.sources.gpu.source import GpuSource  # noqa: E402

WAVE = Wave(base_mw=120_000, peak_mw=680_000, period_ms=7300, width_ms=200)
SECOND, PERIOD = 1_000_000_000, 7_300_000_000
SEEN_WATTS = 0.95 * 680
WINDOW_SECONDS = 2.0  # shorter than a period, so that most windows hold no burst
# A window of 2 s that holds a burst is shown from 1.7 s after it began to 7.5 s at the latest:
# what is shown in this time is this burst, and no other one.
SHOWN = (17 * SECOND // 10, 88 * SECOND // 10)
# A counter is read late by up to 2 s; when that long no burst has been, by 120 W and no more.
CALM = (25 * SECOND // 10, 7 * SECOND)
INSTANT_POWER = 186
GPUS = {0: "NVML's energy counter", 1: "no energy counter"}
OURS = {"10 Hz, no ring": Settings(fast_seconds=0.1, ring=False, window_seconds=WINDOW_SECONDS)}
OURS["1 Hz and the ring"] = Settings(fast_seconds=1.0, window_seconds=WINDOW_SECONDS)
PEERS = {"a gauge scraped every 15 s": 15.0, "dcgm-exporter's default, 30 s": 30.0}


@dataclass
class Seen:
    """What a way of reading showed of one GPU, and when first, in ns of the monotonic clock."""

    peaks: list[tuple[int, float]] = field(default_factory=list)
    joules: list[tuple[int, float]] = field(default_factory=list)
    slowest_seconds: float | None = None  # the longest interval that the budget asked for


async def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=75)
    seconds: float = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        library = build_library(Path(folder))
        control = NvmlControl(Path(folder) / "control", gpus=len(GPUS), log=False)
        control.wave("*", WAVE)
        control.lack(1, "nvmlDeviceGetFieldValues/83", "nvmlDeviceGetTotalEnergyConsumption")
        os.environ |= control.environment(library)
        ctypes.CDLL(str(library))  # pynvml finds it by its name then
        pynvml.nvmlInit()
        start = time.monotonic_ns()
        ours = [watch(seconds, settings) for settings in OURS.values()]
        peers = [gauge(seconds, every) for every in PEERS.values()]
        ways = await asyncio.gather(*ours, *peers)
        end = time.monotonic_ns()
    found, errors = [], []
    for place, (name, seen) in enumerate(zip([*OURS, *PEERS], ways, strict=True)):
        for gpu, having in GPUS.items():
            ratio, error = judge(seen[gpu], start, end, peer=place >= len(OURS))
            case = {"case": name, "gpu": having, "bursts": WAVE.bursts(*_span(start, end))}
            case |= {"slowest_interval_seconds": seen[gpu].slowest_seconds}
            print(
                json.dumps(case | {"found_ratio": round(ratio, 3), "energy_error": round(error, 5)})
            )
            if place < len(OURS):
                found.append(ratio)
                errors.append(error)
    goals = {
        "bursts_found_ratio": {"value": round(min(found), 3), "goal": 1.0, "better": "higher"},
        "energy_error_ratio": {"value": round(max(errors), 5), "goal": 0.01, "better": "lower"},
    }
    print(json.dumps({"benchmark": "bursts", "goals": goals}))
    return 0


async def watch(seconds: float, settings: Settings) -> list[Seen]:
    """Each GPU as the exporter shows it."""
    source, seen = GpuSource(settings), [Seen() for _ in GPUS]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        samples, now = await source.read(), time.monotonic_ns()
        for gpu, kept in enumerate(seen):
            fast = value([s for s in samples if s.labels == ("fast",)], nvml.TIER_INTERVAL)
            kept.slowest_seconds = max(kept.slowest_seconds or 0.0, fast or 0.0)
            of = [sample for sample in samples if sample.labels[:1] == (str(gpu),)]
            for series, number in (
                (kept.peaks, value(of, gpu_meters.POWER_WINDOW, "max")),
                (kept.joules, value(of, catalog.ENERGY)),
            ):
                if number is not None and (not series or series[-1][1] != number):
                    series.append((now, number))
        await asyncio.sleep(0.05)
    await source.close()
    return seen


async def gauge(seconds: float, every: float) -> list[Seen]:
    """Instant power, read now and then; what it adds up to, as a query over it would."""
    seen, deadline = [Seen() for _ in GPUS], time.monotonic() + seconds
    while True:
        for gpu, kept in enumerate(seen):
            handle, now = pynvml.nvmlDeviceGetHandleByIndex(gpu), time.monotonic_ns()
            watts = pynvml.nvmlDeviceGetFieldValues(handle, [INSTANT_POWER])[0].value.uiVal / 1000
            at, joules = kept.joules[-1] if kept.joules else (now, 0.0)
            kept.joules.append((now, joules + watts * (now - at) / SECOND))
            kept.peaks.append((now, watts))
        if time.monotonic() + every > deadline:
            return seen
        await asyncio.sleep(every)


def value(samples: Sequence[Sample], metric: Metric, *labels: str) -> float | None:
    """The metric's value on one device."""
    found = (s.value for s in samples if s.metric is metric and s.labels[2:] == labels)
    number = next(found, None)
    return float(number) if isinstance(number, int | float) else None


def judge(seen: Seen, start: int, end: int, *, peer: bool) -> tuple[float, float]:
    """The share of bursts that were found, and by how much the energy is off."""
    first, last = _span(start, end)
    bursts = [n * PERIOD for n in range(-(-first // PERIOD), (last - SECOND // 5) // PERIOD + 1)]
    after = (0, SECOND // 5) if peer else SHOWN
    high = [at for at, watts in seen.peaks if watts >= SEEN_WATTS]
    found = sum(any(b + after[0] <= at <= b + after[1] for at in high) for b in bursts)
    calm = seen.joules if peer else [r for r in seen.joules if CALM[0] <= r[0] % PERIOD <= CALM[1]]
    (began, low), (ended, top) = calm[0], calm[-1]
    return found / len(bursts), abs((top - low) / WAVE.joules(began, ended) - 1)


def _span(start: int, end: int) -> tuple[int, int]:
    """The time whose bursts must have been shown: from the first window on, to 9 s before."""
    return start + 3 * SECOND, end - 9 * SECOND


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
