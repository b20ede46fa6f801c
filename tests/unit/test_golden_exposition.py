"""The whole exposition of a sidecar and of a controller, and promtool's word on it."""

import math
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine_server import engine, saying
from tests.gaps import gaps
from tests.nvml.control import NvmlControl
from tests.unit.test_loop import World
from tests.unit.test_signals import World as SignalsWorld
from tidegauge.catalog import CATALOG, Metric
from tidegauge.control.fleet import face
from tidegauge.drift.monitor import DriftMonitor
from tidegauge.drift.reference import Reference
from tidegauge.drift.row import row_of
from tidegauge.drift.settings import DriftSettings
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.watched import Watched
from tidegauge.drift.window import WindowLimits
from tidegauge.exposition import render
from tidegauge.pipeline import Pipeline, Schedule
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.drift import DriftSource
from tidegauge.sources.drift_keeping import DriftKeeping, Making
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.gpu.source import GpuSource
from tidegauge.sources.traffic import TrafficSource
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.counting.clients import Clients
from tidegauge.traffic.counting.ledger import Ledger
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.features import prompt_features

ROOT = Path(__file__).parents[2]
CAPTURES = ROOT / "tests" / "fixtures" / "engines"
PROMTOOL = ROOT / ".tools" / "bin" / "promtool"
Golden = Callable[[str, str], None]


def exchange(prompt: str, tokens: int, **changes: object) -> Exchange:
    """A streamed answer of `tokens` tokens, 0.25 s apart, or something else by `changes`."""
    fields: dict[str, object] = {
        "model": "chat",
        "streamed": True,
        "outcome": "ok",
        "status": 200,
        "finish_reason": "stop",
        "duration_seconds": 0.5 + 0.25 * tokens,
        "first_token_seconds": 0.5,
        "gaps": gaps(*(0.25,) * (tokens - 1)),
        "prompt_tokens": len(prompt),
        "generation_tokens": tokens,
        "features": prompt_features([prompt]),
        "version": "v1",
        "route": "chat",
        "client": "00be711ffee8",
    }
    return Exchange(**{**fields, **changes})


def prompt(number: int) -> str:
    return f"Question {number}: " + "why? " * (number % 17)


def rounded(text: str) -> str:
    """Ten digits: the last ones of a logarithm are the processor's business."""
    return re.sub(r"\d+\.\d{11,}", lambda found: f"{float(found[0]):.10g}", text)


def measured(text: str) -> str:
    """What was measured while the test ran, as 0."""
    names = "tidegauge_nvml_(call|driver)_seconds|llm_gpu_(sample_age|busy)_seconds"
    return re.sub(rf"^(({names})\S*) \S+$", r"\1 0", text, flags=re.MULTILINE)


def check(text: str) -> None:
    """Fails with whatever promtool finds."""
    said = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


def drift_source(clock: Callable[[], float]) -> DriftSource:
    settings = DriftSettings(
        WindowLimits(500, 600, 100),
        budget_seconds=2_592_000.0,
        tick_seconds=10.0,
        warmup_seconds=86_400.0,
        warmup_requests=1000,
    )
    sketch = Sketch("chat")
    for number in range(300):
        sketch.add(row_of(exchange(prompt(number), 1 + number % 23)), at=float(number))
    monitor = DriftMonitor(["chat"], settings, learns=False)
    monitor.models["chat"].watched = Watched(Reference.of(sketch, made_by="test"), settings)
    keeping = DriftKeeping(
        monitor, None, given={}, making=Making("test", ""), checkpoint_seconds=300.0
    )
    return DriftSource(monitor, keeping, clock=clock, wall=clock)


@pytest.mark.parametrize("capture", ["llamacpp-b11434/load", "vllm-0.32/load"])
async def test_sidecar(golden: Golden, nvml: NvmlControl, capture: str) -> None:
    nvml.gpus(2)
    ledger, clock = Ledger(["chat"], {"chat": "v1"}), (lambda: 1000.0)
    clients = Clients(1, clock=clock)
    drift = drift_source(clock)
    for number in range(120):
        for observe in (ledger.add, clients.add, drift.observe):
            observe(exchange(prompt(number), 1 + number % 20))
    refused = {"status": 429, "error": "rate_limited", "client": "2d5ea40ef1ab"}
    for other in (
        exchange("x", 3, outcome="cut", finish_reason=None, generation_tokens_estimated=True),
        exchange("x", 1, outcome="client_error", model="unheard-of", version="", **refused),
        exchange("x", 2, outcome="aborted", finish_reason=None, client=""),
    ):
        ledger.add(other)
        clients.add(other)
    gpu = GpuSource()
    async with engine(saying((CAPTURES / f"{capture}.prom").read_bytes())) as url:
        sources = (
            gpu,
            EngineSource(url, model="chat", timeout_seconds=10),
            TrafficSource(ledger, arrivals(), clients),
            drift,
        )
        pipeline = Pipeline([Schedule(source, 5, 10) for source in sources], clock=clock)
        await pipeline.read_all()
        text = render(pipeline.snapshot().samples())
        for source in sources:
            await source.close()
    golden(f"sidecar-{capture.partition('-')[0]}.prom", rounded(measured(text)))
    check(text)


@pytest.mark.parametrize("metric", CATALOG, ids=lambda metric: metric.name)
def test_every_metric_has_help_a_unit_and_no_word_that_promlint_minds(metric: Metric) -> None:
    said = set(render([_any_sample(metric)]).splitlines()[:2])
    assert said == {f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"}
    assert ":" not in metric.name


def test_promtool_finds_nothing_in_the_whole_catalogue() -> None:
    check(render([_any_sample(metric) for metric in CATALOG]))


def test_promtool_would_find_something() -> None:
    bad = Metric("tidegauge_test_milliseconds", "gauge", "A unit that is no base unit.")
    with pytest.raises(AssertionError):
        check(render([_any_sample(bad)]))


def _any_sample(metric: Metric) -> Sample:
    labels = tuple(f"a {label}" for label in metric.labels)
    if metric.kind == "histogram":
        return Sample(metric, Distribution(((1.0, 2), (math.inf, 3)), 4.5), labels)
    return Sample(metric, 1.0, labels)


async def test_control(golden: Golden) -> None:
    world = World()
    await world.rounds(3, 25)
    await world.rounds(1, None)
    watched = SignalsWorld(now=1004.5)
    assert await watched.loop.backfill()
    text = rounded(render(face([world.loop], watched.signals).samples()))
    golden("control.prom", text)
    check(text)


def arrivals() -> Arrivals:
    found = Arrivals()
    for _ in range(123):
        found.begin()
    for _ in range(122):
        found.end()
    found.begin_stream()
    return found
