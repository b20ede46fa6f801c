"""The engine that nobody configured: found, kept, missed, and looked for again, without a noise."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from tests.engine_app import engine_app
from tidegauge.catalog import own
from tidegauge.catalog.inference import ENGINE_INFO, ENGINE_UP
from tidegauge.pipeline import Pipeline, Schedule
from tidegauge.samples import Sample
from tidegauge.sources.discovery import USUAL_PORTS, DiscoveredEngine
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.source import Source, SourceError

CAPTURE = Path(__file__).parents[1] / "fixtures" / "engines" / "vllm-0.32" / "load.prom"


@dataclass
class Port:
    """What is at a port: an engine of that name, or nothing."""

    url: str
    engine: str | None = None
    slow: float = 0
    asked: int = 0
    closed: int = 0
    refusal: str = ""
    name: str = "engine"

    async def read(self) -> Sequence[Sample]:
        self.asked += 1
        await asyncio.sleep(self.slow)
        if self.refusal:
            raise SourceError("http_status", f"{self.url}: {self.refusal}")
        if self.engine is None:
            raise SourceError("unavailable", f"{self.url}: nobody")
        return [Sample(ENGINE_UP, 1, (self.engine,)), Sample(ENGINE_INFO, 1, (self.engine,))]

    def unread(self) -> Sequence[Sample]:
        return [Sample(ENGINE_UP, 0, (self.engine or "gone",))]

    async def close(self) -> None:
        self.closed += 1


@dataclass
class Machine:
    """Ports 1 to 4 and a clock, and what looks at them."""

    now: float = 0.0
    ports: dict[str, Port] = field(
        default_factory=lambda: {url: Port(url) for url in map(at, (1, 2, 3, 4))}
    )
    source: DiscoveredEngine = field(init=False)

    def __post_init__(self) -> None:
        self.source = DiscoveredEngine(
            (1, 2, 3, 4),
            self.open,
            interval_seconds=30,
            clock=lambda: self.now,
            look_seconds=0.2,
        )

    def open(self, url: str) -> Source:
        return self.ports[url]

    async def engine(self) -> str | None:
        """The URL and name of the engine that is read, or None."""
        samples = await self.source.read()
        found = [s.labels for s in samples if s.metric is own.ENGINE_DISCOVERED]
        return " ".join(found[0]) if found else None


def at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


async def test_the_first_port_in_order_that_answers_is_taken_and_kept() -> None:
    machine = Machine()
    machine.ports[at(2)].engine, machine.ports[at(2)].slow = "vllm", 0.05
    machine.ports[at(4)].engine = "sglang"
    assert await machine.engine() == f"{at(2)} vllm"
    machine.ports[at(1)].engine = "llamacpp"
    machine.now = 1000
    assert await machine.engine() == f"{at(2)} vllm"
    assert [port.asked for port in machine.ports.values()] == [1, 2, 1, 1]
    assert [port.closed for port in machine.ports.values()] == [1, 0, 1, 1]
    await machine.source.close()
    assert machine.ports[at(2)].closed == 1


async def test_finding_none_is_no_error_and_asks_no_more_often_than_told() -> None:
    machine = Machine()
    for now in range(61):
        machine.now = now
        assert await machine.source.read() == ()
        assert machine.source.unread() == ()
    assert {port.asked for port in machine.ports.values()} == {3}
    await machine.source.close()


async def test_an_engine_that_comes_later_is_found_at_the_next_look() -> None:
    machine = Machine()
    assert await machine.engine() is None
    machine.ports[at(3)].engine = "vllm"
    machine.now = 29
    assert await machine.engine() is None
    machine.now = 30
    assert await machine.engine() == f"{at(3)} vllm"


async def test_an_engine_that_was_found_and_fails_is_an_error_until_it_is_back() -> None:
    machine = Machine()
    machine.ports[at(1)].engine = "vllm"
    await machine.engine()
    machine.ports[at(1)].engine = None
    for _ in range(10):
        machine.now += 30
        with pytest.raises(SourceError, match="nobody"):
            await machine.source.read()
        assert list(machine.source.unread()) == [Sample(ENGINE_UP, 0, ("gone",))]
    machine.ports[at(1)].engine = "vllm"
    assert await machine.engine() == f"{at(1)} vllm"


async def test_another_engine_takes_the_place_of_one_that_has_been_gone_for_a_while() -> None:
    machine = Machine()
    machine.ports[at(1)].engine = "vllm"
    await machine.engine()
    machine.ports[at(1)].engine, machine.ports[at(4)].engine = None, "sglang"
    machine.now = 100
    for _ in range(2):
        with pytest.raises(SourceError):
            await machine.source.read()
    assert await machine.engine() == f"{at(4)} sglang"
    assert machine.ports[at(1)].closed == 1


async def test_a_port_that_hangs_holds_nobody_up() -> None:
    machine = Machine()
    machine.ports[at(1)].engine, machine.ports[at(1)].slow = "vllm", 30
    machine.ports[at(2)].engine = "sglang"
    async with asyncio.timeout(20):
        assert await machine.engine() == f"{at(2)} sglang"
    assert machine.ports[at(1)].closed == 1


async def test_a_look_that_is_cancelled_leaves_nothing_open() -> None:
    machine = Machine()
    for port in machine.ports.values():
        port.slow = 30
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await machine.source.read()
    assert {port.closed for port in machine.ports.values()} == {1}


async def test_a_machine_without_an_engine_alarms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    machine = Machine()
    pipeline = Pipeline([Schedule(machine.source, 5, 6)], clock=lambda: machine.now)
    for _ in range(20):
        machine.now += 5
        await pipeline.read_all()
    samples = pipeline.snapshot().samples()
    assert not [s for s in samples if s.metric is ENGINE_UP]
    assert [s.value for s in samples if s.metric is own.SOURCE_UP] == [1]
    assert {s.value for s in samples if s.metric is own.SOURCE_ERRORS} == {0}
    said = [record.getMessage() for record in caplog.records]
    assert said == ["no engine found yet; see serve.engine", "source up"]


async def test_who_is_there_and_refuses_is_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    machine = Machine()
    machine.ports[at(2)].refusal = "answered 501; llama.cpp answers so without --metrics"
    assert await machine.engine() is None
    (record,) = caplog.records
    assert vars(record)["refused"] == f"{at(2)}: {machine.ports[at(2)].refusal}"


async def test_what_was_found_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    machine = Machine()
    machine.ports[at(2)].engine = "vllm"
    for _ in range(3):
        await machine.engine()
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["url"], vars(record)["engine"]) == (
        "engine found",
        at(2),
        "vllm",
    )


async def test_real_engines_on_real_ports() -> None:
    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=CAPTURE.read_bytes())

    async def grafana(_: web.Request) -> web.Response:
        return web.Response(text="grafana_build_info 1\n")

    async with engine_app(metrics, path="/metrics") as url, engine_app(grafana) as other:
        ports = [int(u.rpartition(":")[2]) for u in (other, url)]
        source = DiscoveredEngine(
            ports, opened, interval_seconds=30, clock=lambda: 0.0, look_seconds=10
        )
        samples = await source.read()
        assert Sample(own.ENGINE_DISCOVERED, 1, (url, "vllm")) in samples
        assert len(samples) > 20
        await source.close()


def opened(url: str) -> Source:
    return EngineSource(url, model="", timeout_seconds=10)


@pytest.mark.parametrize("port", USUAL_PORTS)
def test_usual_ports_are_none_of_ours(port: int) -> None:
    assert port not in {9470, 9480}
    assert len(USUAL_PORTS) == len(set(USUAL_PORTS))
