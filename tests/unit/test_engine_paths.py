"""Where an engine has its metrics: the paths that are tried, and the one that is kept."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web

from tests.engine_app import engine_app
from tidegauge.engines import Dialect
from tidegauge.engines.llamacpp import LLAMACPP
from tidegauge.engines.vllm import VLLM
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.engine_access import Access
from tidegauge.sources.engine_http import BoundedGet, NotThereError
from tidegauge.sources.source import SourceError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
LLAMA = (FIXTURES / "llamacpp-b11434" / "load.prom").read_text()
VLLM_LOAD = (FIXTURES / "vllm-0.32" / "load.prom").read_text()
USUAL = ("/metrics", "/prometheus/metrics", "/v1/metrics")


@dataclass
class Pages:
    """What a server has at which path, to be changed at will; what else is asked for is a 404."""

    pages: Mapping[str, str | int]
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        page = self.pages.get(request.path, 404)
        return web.Response(status=page) if isinstance(page, int) else web.Response(text=page)


@asynccontextmanager
async def reading(
    pages: Pages, *, pinned: Dialect | None = None, paths: tuple[str, ...] | None = USUAL
) -> AsyncIterator[EngineSource]:
    async with engine_app(pages.answer) as url:
        source = EngineSource(url, model="", timeout_seconds=10, engine=pinned, paths=paths)
        yield source
        await source.close()


@pytest.mark.parametrize(
    "pages, asked",
    [
        pytest.param({"/metrics": LLAMA}, ["/metrics"], id="the usual one"),
        pytest.param(
            {"/metrics": '[{"iter": 1}]', "/prometheus/metrics": LLAMA},
            ["/metrics", "/prometheus/metrics"],
            id="JSON at the usual one, as trtllm-serve has",
        ),
        pytest.param({"/v1/metrics": LLAMA}, list(USUAL), id="nothing at the others, as NIM has"),
        pytest.param(
            {"/metrics": "a_proxy_requests_total 1\n", "/v1/metrics": LLAMA},
            list(USUAL),
            id="somebody else's metrics at the usual one",
        ),
    ],
)
async def test_paths_are_tried_in_turn_and_the_one_that_worked_is_kept(
    pages: Mapping[str, str | int], asked: list[str]
) -> None:
    server = Pages(pages)
    async with reading(server) as source:
        await source.read()
        assert server.asked == asked
        await source.read()
    assert server.asked[len(asked) :] == asked[-1:]


async def test_a_path_that_is_gone_is_looked_for_again() -> None:
    server = Pages({"/v1/metrics": LLAMA})
    async with reading(server) as source:
        await source.read()
        server.pages = {"/metrics": VLLM_LOAD}
        server.asked.clear()
        await source.read()
    assert server.asked == ["/v1/metrics", "/metrics"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(500, id="500"),
        pytest.param(503, id="503, as while a model loads"),
        pytest.param("half a line", id="garbage"),
    ],
)
async def test_one_bad_answer_of_a_good_path_is_no_reason_to_look_elsewhere(
    bad: str | int,
) -> None:
    server = Pages({"/metrics": LLAMA, "/v1/metrics": VLLM_LOAD})
    async with reading(server) as source:
        await source.read()
        server.pages = {**server.pages, "/metrics": bad}
        server.asked.clear()
        with pytest.raises(SourceError, match="/metrics"):
            await source.read()
    assert server.asked == ["/metrics"]


@pytest.mark.parametrize(
    "pages, said",
    [
        pytest.param({}, "/metrics answered 404; are the engine's metrics on?", id="nothing"),
        pytest.param(
            {"/v1/metrics": "other 1\n"}, "/v1/metrics: no known engine", id="somebody else's"
        ),
        pytest.param({"/metrics": 401}, "/metrics answered 401", id="a key is wanted"),
        pytest.param({"/v1/metrics": 403}, "/v1/metrics answered 403", id="a key, further on"),
        pytest.param({"/metrics": 501}, "answers so without --metrics", id="llama.cpp's 501"),
    ],
)
async def test_the_error_is_the_most_telling_one(pages: Mapping[str, str | int], said: str) -> None:
    async with reading(Pages(pages)) as source:
        with pytest.raises(SourceError) as caught:
            await source.read()
    assert said in str(caught.value)


async def test_what_is_asked_beside_the_metrics_is_no_hint_at_them() -> None:
    async with engine_app(Pages({}).answer) as url:
        fetch = BoundedGet(Access(url), max_bytes=1024)
        with pytest.raises(NotThereError, match=r"/version answered 404$"):
            await fetch("/version")
        await fetch.close()


async def test_all_paths_together_have_one_timeout() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.2)
        return web.Response(status=404)

    async with engine_app(slow) as url:
        source = EngineSource(url, model="", timeout_seconds=0.3, paths=USUAL)
        with pytest.raises(SourceError, match=r"no complete answer within 0\.3 s"):
            await source.read()
        await source.close()


async def test_a_pinned_engine_is_asked_at_its_own_paths_alone() -> None:
    # trtllm-serve hands each of its statistics out once: whoever reads /metrics takes them away.
    pinned = replace(LLAMACPP, paths=("/prometheus/metrics",))
    server = Pages({"/metrics": LLAMA, "/prometheus/metrics": LLAMA})
    async with reading(server, pinned=pinned, paths=None) as source:
        await source.read()
    assert server.asked == ["/prometheus/metrics"]


async def test_a_path_of_ones_own() -> None:
    server = Pages({"/deep/down": VLLM_LOAD})
    async with reading(server, pinned=VLLM, paths=("/deep/down",)) as source:
        await source.read()
    assert server.asked == ["/deep/down"]


async def test_nobody_pinned_means_every_known_path_the_usual_one_first() -> None:
    server = Pages({})
    async with reading(server, paths=None) as source:
        with pytest.raises(SourceError):
            await source.read()
    assert server.asked[0] == "/metrics"
    assert len(set(server.asked)) == len(server.asked)
