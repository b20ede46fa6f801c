"""The exporter that one would write in an afternoon: prometheus_client, pynvml, nothing else.

The peer of benchmarks/scrape.py. It asks each GPU what our fast tier asks at the same rate, and
what our medium tier asks every 5 s; it parses the engine's exposition every 5 s with
prometheus_client.parser, and answers with generate_latest.

    exporter.py PORT ENGINE_URL INTERVAL_SECONDS
"""

import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pynvml
from prometheus_client import CollectorRegistry, Gauge, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

MEDIUM_SECONDS = 5.0

Ask = Callable[[object], float]

FAST: dict[str, Ask] = {
    "power_watts": lambda gpu: pynvml.nvmlDeviceGetPowerUsage(gpu) / 1000,
    "energy_joules": lambda gpu: pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1000,
    "utilization_ratio": lambda gpu: pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu / 100,
}
MEDIUM: dict[str, Ask] = {
    "memory_used_bytes": lambda gpu: pynvml.nvmlDeviceGetMemoryInfo(gpu).used,
    "power_limit_watts": lambda gpu: pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu) / 1000,
    "temperature_celsius": lambda gpu: pynvml.nvmlDeviceGetTemperature(gpu, 0),
    "clock_graphics_hertz": lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu, 0) * 1e6,
    "clock_sm_hertz": lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu, 1) * 1e6,
    "clock_memory_hertz": lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu, 2) * 1e6,
    "clock_video_hertz": lambda gpu: pynvml.nvmlDeviceGetClockInfo(gpu, 3) * 1e6,
    "throttle_reasons": pynvml.nvmlDeviceGetCurrentClocksThrottleReasons,
}


class Engine:
    """The engine's families, parsed every 5 s."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        return self._families

    def run(self) -> None:
        while True:
            with urllib.request.urlopen(self._url) as answer:  # noqa: S310 -- loopback
                text = answer.read().decode()
            self._families = list(text_string_to_metric_families(text))
            time.sleep(MEDIUM_SECONDS)


def poll(registry: CollectorRegistry, asks: dict[str, Ask], seconds: float) -> None:
    """Set a gauge per question and GPU, for ever."""
    gpus = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
    uuids = [pynvml.nvmlDeviceGetUUID(gpu) for gpu in gpus]
    gauges = {name: Gauge(f"gpu_{name}", name, ["uuid"], registry=registry) for name in asks}
    cells = [
        (gauges[name].labels(uuid), ask, gpu)
        for gpu, uuid in zip(gpus, uuids, strict=True)
        for name, ask in asks.items()
    ]
    due = time.monotonic()
    while True:
        for cell, ask, gpu in cells:
            cell.set(ask(gpu))
        due += seconds
        time.sleep(max(0, due - time.monotonic()))


def main() -> None:
    port, url, interval = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    registry = CollectorRegistry()
    pynvml.nvmlInit()
    engine = Engine(url)
    registry.register(engine)
    for target, arguments in (
        (engine.run, ()),
        (poll, (registry, FAST, interval)),
        (poll, (registry, MEDIUM, MEDIUM_SECONDS)),
    ):
        threading.Thread(target=target, args=arguments, daemon=True).start()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = generate_latest(registry)
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main()
