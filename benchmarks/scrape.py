"""What does the sidecar cost: a scrape, CPU at 1 and 10 Hz, and memory?

8 simulated GPUs (tests/nvml, compiled here) and a vLLM capture of at least 1,000 series (of a
folder's captures the largest; a smaller one is made one of several ranks), served by a process of
its own and read every 5 s. `tidegauge serve` runs as a user runs it. Beside it, on the
same GPUs, the same engine and at the same time, runs the peer: scraping/peer.py.

- `render_ratio`: the whole of `GET /metrics` over loopback, connection kept, uncompressed, against
  `prometheus_client.generate_latest` over the same families, in this process. 60 rounds, order
  alternated, 50 ms apart, so that GPUs are read between two scrapes. Medians.
- `cpu_1hz_ratio`, `cpu_10hz_ratio`: CPU seconds of the program and its children per second, by
  /proc/PID/stat, over a window after a warm-up, while both are scraped every 15 s with gzip.
  `hertz` is how often each GPU was really read: the budget of driver time may slow that down.
- `resident_mib`: proportional set size of the program and its children, the larger of both windows.

    .venv/bin/python benchmarks/scrape.py [--data FILE_OR_FOLDER] [--seconds 30]
"""

import argparse
import asyncio
import http.client
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.scraping.capture import (  # noqa: E402 - not installed
    largest,
    rows,
    several_ranks,
)
from benchmarks.scraping.exporter import Exporter, family, scraped  # noqa: E402
from benchmarks.scraping.files import NoCaptureError  # noqa: E402
from demo.program import Program  # noqa: E402
from tests.haproxy import free_port  # noqa: E402
from tests.nvml.control import NvmlControl  # noqa: E402
from tests.nvml.fixtures import build_library  # noqa: E402

CAPTURE = ROOT / "tests" / "fixtures" / "engines" / "vllm-0.32" / "queue-preempt-spec-load.prom"
PARTS = ROOT / "benchmarks" / "scraping"
GPU_INTERVAL = "fast_interval"  # the key of serve.gpu that sets how often power is read
FAST_READS = r'nvml_call_seconds_count{call="nvmlDeviceGetUtilizationRates"} (\S+)'
GPUS = 8
SERIES = 1000
WARM_UP_SECONDS = 10
SCRAPE_SECONDS = 15
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of a core, and memory, over a window."""

    cpu: float
    mib: float


async def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=CAPTURE)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    try:
        path, captured = largest(options.data.resolve())
    except NoCaptureError as error:
        print(f"{options.data}: {error}", file=sys.stderr)
        return 2
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    print(json.dumps({"case": "engine", "file": str(shown), "gpus": GPUS}), flush=True)
    text = several_ranks(captured, series=SERIES)
    costs: dict[int, Cost] = {}
    render_ratio = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "engine.prom").write_text(text)
        for hertz in (1, 10):
            async with exporters(folder, hertz) as (ours, peer):
                await asyncio.sleep(WARM_UP_SECONDS)
                if hertz == 10:  # noqa: PLR2004 -- the rate that the claim is about
                    render_ratio = rendering(ours, peer, rows(text))
                costs[hertz] = await window(ours, peer, hertz, options.seconds)
    goals = {
        "render_ratio": (render_ratio, 0.5),
        "cpu_1hz_ratio": (costs[1].cpu, 0.02),
        "cpu_10hz_ratio": (costs[10].cpu, 0.04),
        "resident_mib": (max(cost.mib for cost in costs.values()), 120),
    }
    said = {
        name: {"value": round(value, 4), "goal": goal, "better": "lower"}
        for name, (value, goal) in goals.items()
    }
    print(json.dumps({"benchmark": "scrape", "goals": said}))
    return 0


@asynccontextmanager
async def exporters(folder: Path, hertz: int) -> AsyncIterator[tuple[Exporter, Exporter]]:
    """Ours and the peer, running on the same GPUs and the same engine."""
    control = NvmlControl(folder / "nvml-control", gpus=GPUS, log=False)
    env = control.environment(build_library(folder))
    engine_port, our_port, peer_port = free_port(), free_port(), free_port()
    url = f"http://127.0.0.1:{engine_port}"
    config = folder / "tidegauge.yml"
    gpu = f"{{{GPU_INTERVAL}: {1000 // hertz}ms}}"
    config.write_text(f"serve: {{gpu: {gpu}, engine: {{url: '{url}', interval: 5s}}}}")
    listen, body = f"127.0.0.1:{our_port}", str(folder / "engine.prom")
    serve = ["-m", "tidegauge.cli.main", "serve", "--config.file", str(config)]
    commands = {
        "engine": [str(PARTS / "engine.py"), str(engine_port), body],
        "ours": [*serve, "--web.listen-address", listen],
        "peer": [str(PARTS / "peer.py"), str(peer_port), f"{url}/metrics", str(1 / hertz)],
    }
    ready = {
        "engine": url,
        "ours": f"http://{listen}/-/ready",
        "peer": f"http://127.0.0.1:{peer_port}",
    }
    programs: list[Program] = []
    try:
        for name, arguments in commands.items():
            log = folder / f"{name}.log"
            command = [sys.executable, *arguments]
            programs.append(await Program.start(name, command, log=log, env=env))
            await programs[-1].ready(ready[name])
        yield Exporter(programs[1], our_port), Exporter(programs[2], peer_port)
    finally:
        for program in programs:
            await program.stop()


def rendering(ours: Exporter, peer: Exporter, engine_series: int) -> float:
    """Time whole requests against generate_latest over the same families; print, give the ratio."""
    registry = CollectorRegistry()
    families = Families(text_string_to_metric_families(ours.scrape()))
    registry.register(families)
    connections = {
        name: http.client.HTTPConnection("127.0.0.1", exporter.port, timeout=10)
        for name, exporter in (("ours", ours), ("peer", peer))
    }
    times = alternated(
        {
            "request": lambda: scraped(connections["ours"]),
            "request_gzip": lambda: scraped(connections["ours"], packed=True),
            "generate_latest": lambda: generate_latest(registry),
            "peer_request": lambda: scraped(connections["peer"]),
        }
    )
    for connection in connections.values():
        connection.close()
    ratio = times["request"] / times["generate_latest"]
    line = {f"{name}_ms": round(seconds * 1000, 3) for name, seconds in times.items()}
    text = ours.scrape()
    sizes = {
        "series": rows(text),
        "engine_series": engine_series,
        "kib": round(len(text) / 1024, 1),
    }
    print(json.dumps({"case": "render", **sizes, **line, "ratio": round(ratio, 3)}), flush=True)
    return ratio


async def window(ours: Exporter, peer: Exporter, hertz: int, seconds: float) -> Cost:
    """Watch both for so long, scraped as Prometheus would; print, give our cost."""
    both = {"ours": ours, "peer": peer}
    before = {name: exporter.cpu_seconds() for name, exporter in both.items()}
    asked = fast_reads(ours.scrape())
    began = time.monotonic()
    while (left := began + seconds - time.monotonic()) > 0:
        for exporter in both.values():
            await asyncio.to_thread(exporter.scrape, packed=True)
        await asyncio.sleep(min(left, SCRAPE_SECONDS))
    lasted = time.monotonic() - began
    costs = {
        name: Cost((exporter.cpu_seconds() - before[name]) / lasted, exporter.resident_mib())
        for name, exporter in both.items()
    }
    line = {
        "hertz": round((fast_reads(ours.scrape()) - asked) / GPUS / lasted, 2),
        "cpu": round(costs["ours"].cpu, 4),
        "peer_cpu": round(costs["peer"].cpu, 4),
        "ratio": round(costs["ours"].cpu / costs["peer"].cpu, 2),
        "mib": round(costs["ours"].mib, 1),
        "peer_mib": round(costs["peer"].mib, 1),
        "processes": len(family(ours.program.process.pid)),
    }
    print(json.dumps({"case": f"cpu at {hertz} Hz", **line}), flush=True)
    return costs["ours"]


def fast_reads(text: str) -> float:
    """How often the fast tier was read so far, all devices together."""
    found = re.search(FAST_READS, text)
    return float(found[1]) if found else 0.0


class Families:
    """A collector of what is there."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = list(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def alternated(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each; the order turns round in every round, the first is warm-up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name in sorted(runs, reverse=turn % 2 == 1):
            time.sleep(0.05)
            began = time.perf_counter()
            runs[name]()
            if turn:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
