"""/probe: configured engines only, read when asked, never more of them than allowed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import aiohttp
import pytest

from tests.engine_server import bytes_only, engine, saying
from tests.face import standing
from tidegauge.catalog.inference import ENGINE_UP
from tidegauge.cli.serve import plan
from tidegauge.config.probe import ProbeConfig
from tidegauge.config.serve import ServeConfig
from tidegauge.samples import Sample
from tidegauge.server import ProbeModule, ProbePlan
from tidegauge.server.probe import Prober
from tidegauge.sources.source import SourceError
from tidegauge.web import Face

CAPTURE = Path(__file__).parents[1] / "fixtures" / "engines" / "vllm-0.32" / "load.prom"
TARGET = "http://engine:8000"


class Asked:
    """A source per target that does what it is told, and remembers how often it was read."""

    def __init__(self, then: Callable[[], Awaitable[object]]) -> None:
        self._then = then
        self.made: list[str] = []
        self.reads = self.reading = self.most = self.closed = 0

    def make(self, target: str) -> "Asked":
        self.made.append(target)
        return self

    @property
    def name(self) -> str:
        return "engine"

    async def read(self) -> Sequence[Sample]:
        self.reads += 1
        self.reading += 1
        self.most = max(self.most, self.reading)
        try:
            await self._then()
        finally:
            self.reading -= 1
        return [Sample(ENGINE_UP, 1, ("vllm",))]

    def unread(self) -> Sequence[Sample]:
        return [Sample(ENGINE_UP, 0, ("vllm",))]

    async def close(self) -> None:
        self.closed += 1


def prober(asked: Asked, *, targets: int = 1, at_once: int = 4, timeout: float = 5) -> Prober:
    urls = [TARGET, *(f"{TARGET}/{n}" for n in range(1, targets))]
    modules = {"default": ProbeModule(asked.make, timeout), "vllm": ProbeModule(asked.make, 5)}
    return Prober(ProbePlan(None, frozenset(urls), modules, "default", at_once))


def face(prober: Prober) -> Face:
    pages = {"/probe": prober.page}
    return Face("a face", samples=tuple, states=tuple, ready=lambda: True, pages=pages)


async def ask(
    port: int, *, headers: Mapping[str, str] | None = None, **query: str
) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/probe", params=query, headers=headers) as response,
    ):
        return response.status, await response.text()


async def test_an_engine_is_read_now_and_the_probe_says_that_it_was() -> None:
    async with engine(saying(CAPTURE.read_bytes())) as url:
        config = ServeConfig(
            probe=ProbeConfig(targets=(url,), modules={"vllm": {"dialect": "vllm"}})
        )
        asked = plan(config).probe
        assert asked
        probe = Prober(asked)
        async with standing(face(probe)) as front:
            for query in ({}, {"module": "vllm"}):
                status, text = await ask(front.ports[0], target=f"{url}/", **query)
                assert status == 200
                assert 'llm_engine_up{engine="vllm"} 1' in text
                assert "\ntidegauge_probe_success 1\n" in text
                assert "\ntidegauge_probe_duration_seconds 0." in text
            _, text = await ask(front.ports[0], target=url, **{"name[]": "tidegauge_probe_success"})
            assert text.count("# TYPE") == 1
        await probe.close()


async def test_an_engine_that_is_sick_fails_its_probe_with_an_answer() -> None:
    async with engine(bytes_only(b"no HTTP")) as url:
        asked = plan(ServeConfig(probe=ProbeConfig(targets=(url,)))).probe
        assert asked
        probe = Prober(asked)
        async with standing(face(probe)) as front:
            status, text = await ask(front.ports[0], target=url)
        assert (status, "\ntidegauge_probe_success 0\n" in text) == (200, True)
        assert 'llm_engine_up{engine="unknown"} 0' in text
        await probe.close()


@pytest.mark.parametrize(
    "query,status,said",
    [
        pytest.param({}, 400, "target is missing", id="no target"),
        pytest.param(
            {"target": "http://169.254.169.254"}, 403, "not one of", id="an address of ours"
        ),
        pytest.param({"target": f"{TARGET}@evil"}, 403, "not one of", id="one that looks alike"),
        pytest.param({"target": f"{TARGET}/../x"}, 403, "not one of", id="a path beside it"),
        pytest.param({"target": TARGET, "module": "sglang"}, 400, "module", id="an unknown module"),
    ],
)
async def test_what_is_not_configured_is_asked_by_nobody(
    query: dict[str, str], status: int, said: str
) -> None:
    async def nothing() -> None: ...

    asked = Asked(nothing)
    async with standing(face(prober(asked))) as front:
        got, text = await ask(front.ports[0], **query)
    assert (got, said in text) == (status, True)
    assert TARGET not in text, "who asks in vain does not learn what could be asked"
    assert asked.made == []


async def test_probes_of_one_engine_that_overlap_share_one_read() -> None:
    release = asyncio.Event()
    asked = Asked(release.wait)
    probe = prober(asked)
    async with standing(face(probe)) as front:
        probes = [asyncio.create_task(ask(front.ports[0], target=TARGET)) for _ in range(20)]
        while not asked.reading:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        release.set()
        assert {text.partition("\n")[0] for _, text in await asyncio.gather(*probes)} != set()
    assert asked.reads == 1
    assert len(asked.made) == 1
    await probe.close()
    assert asked.closed == 1


async def test_no_more_engines_are_read_at_once_than_allowed() -> None:
    asked = Asked(lambda: asyncio.sleep(0.01))
    probe = prober(asked, targets=12, at_once=3)
    async with standing(face(probe)) as front:
        urls = probe.plan.targets
        answers = await asyncio.gather(*(ask(front.ports[0], target=url) for url in urls))
    assert all("tidegauge_probe_success 1" in text for _, text in answers)
    assert (asked.reads, asked.most) == (12, 3)
    await probe.close()


@pytest.mark.parametrize(
    "header,module_seconds,least,most",
    [
        pytest.param("0.7", 5, 0.1, 0.6, id="the scraper's time, less what the answer needs"),
        pytest.param("30", 0.2, 0.1, 0.5, id="the module's time if that is less"),
        pytest.param("soon", 0.2, 0.1, 0.5, id="no time that can be read"),
        pytest.param("-1", 0.2, 0.1, 0.5, id="a time before now"),
        pytest.param("0.1", 5, 0.02, 0.099, id="less than the answer needs: half of it"),
    ],
)
async def test_a_probe_ends_in_time(
    header: str, module_seconds: float, least: float, most: float
) -> None:
    asked = Asked(lambda: asyncio.sleep(0.8))
    probe = prober(asked, timeout=module_seconds)
    async with standing(face(probe)) as front:
        started = time.monotonic()
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": header}
        status, text = await ask(front.ports[0], target=TARGET, headers=headers)
        took = time.monotonic() - started
    assert (status, "tidegauge_probe_success 0" in text) == (200, True)
    assert least < took < most + 0.3
    await probe.close()


async def test_a_probe_that_gives_up_does_not_take_the_read_from_another() -> None:
    asked = Asked(lambda: asyncio.sleep(0.3))
    probe = prober(asked)
    async with standing(face(probe)) as front:
        patient = asyncio.create_task(ask(front.ports[0], target=TARGET))
        hasty = {"X-Prometheus-Scrape-Timeout-Seconds": "0.1"}
        _, text = await ask(front.ports[0], target=TARGET, headers=hasty)
        assert "tidegauge_probe_success 0" in text
        assert "tidegauge_probe_success 1" in (await patient)[1]
    assert asked.reads == 1
    await probe.close()


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(SourceError("parse", "line 3"), id="what a source may raise"),
        pytest.param(ZeroDivisionError("a bug"), id="a bug"),
    ],
)
async def test_a_failing_source_is_a_failed_probe(error: Exception) -> None:
    async def fail() -> None:
        raise error

    probe = prober(Asked(fail))
    async with standing(face(probe)) as front:
        status, text = await ask(front.ports[0], target=TARGET)
    assert (status, "tidegauge_probe_success 0" in text) == (200, True)
    await probe.close()
