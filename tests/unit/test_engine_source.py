"""The engine source against a real server on loopback: what it reads, and how it remembers."""

import asyncio
import gzip
from pathlib import Path

import pytest
from aiohttp import web

from tests.engine_app import engine_app
from tests.engine_server import bytes_only, engine, listening, saying, source_of
from tidegauge.catalog import inference as ours
from tidegauge.catalog import own
from tidegauge.engines.llamacpp import LLAMACPP
from tidegauge.engines.vllm import VLLM
from tidegauge.samples import Sample
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.source import Source, SourceError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
LARGE = 16 * 1024 * 1024
LLAMA = (FIXTURES / "llamacpp-b11434" / "load.prom").read_bytes()
VLLM_LOAD = (FIXTURES / "vllm-0.32" / "load.prom").read_bytes()


@pytest.mark.parametrize(
    "body, name, expected",
    [
        pytest.param(
            LLAMA,
            "llamacpp",
            Sample(ours.PROMPT_TOKENS, 1144, ("chat", "llamacpp", "")),
            id="llama.cpp",
        ),
        pytest.param(
            VLLM_LOAD,
            "vllm",
            Sample(ours.REQUESTS_RUNNING, 8, ("tiny-llama", "vllm", "0")),
            id="vLLM",
        ),
    ],
)
async def test_an_engine_is_recognised_and_read(body: bytes, name: str, expected: Sample) -> None:
    async with engine(saying(body)) as url, source_of(url) as source:
        samples = list(await source.read())
    assert samples[:2] == [Sample(ours.ENGINE_UP, 1, (name,)), Sample(ours.ENGINE_INFO, 1, (name,))]
    assert samples[2].metric is own.ENGINE_UNMAPPED
    assert expected in samples


def ranks(many: int) -> bytes:
    """A vLLM of so many data-parallel ranks behind one endpoint."""
    lines = VLLM_LOAD.splitlines(keepends=True)
    own = b'engine="0"'
    return b"".join(
        line.replace(own, b'engine="%d"' % rank)
        for line in lines
        for rank in range(many if own in line else 1)
    )


async def test_the_ranks_of_a_large_deployment_are_read() -> None:
    async with engine(saying(ranks(64))) as url, source_of(url, max_bytes=LARGE) as source:
        samples = await source.read()
    running = [s.labels[2] for s in samples if s.metric is ours.REQUESTS_RUNNING]
    assert running == [str(rank) for rank in range(64)]


async def test_labels_without_end_are_refused() -> None:
    async with engine(saying(ranks(200))) as url, source_of(url, max_bytes=LARGE) as source:
        with pytest.raises(SourceError, match=r"series, more than 5000; see its labels") as caught:
            await source.read()
    assert caught.value.reason == "too_large"


async def test_every_read_has_a_connection_of_its_own() -> None:
    # This server would serve many requests on one; llama.cpp closes without saying so.
    connections: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            await saying(LLAMA)(writer)

    async with listening(serve) as url, source_of(url) as source:
        for _ in range(3):
            assert await source.read()
    assert len(connections) == 3


async def test_a_compressed_answer_is_read() -> None:
    answer = saying(gzip.compress(LLAMA), head="Content-Encoding: gzip\r\n")
    async with engine(answer) as url, source_of(url) as source:
        assert len(await source.read()) == 13


async def test_openmetrics_is_read_as_what_it_calls_itself() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers["Accept"])
        body = (
            "# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing 2\n"
            "# TYPE llamacpp:requests_deferred gauge\nllamacpp:requests_deferred 0\n"
            "# TYPE llamacpp:tokens_predicted counter\n"
            'llamacpp:tokens_predicted_total 5 # {trace_id="a"} 1 1.0\n'
            "llamacpp:tokens_predicted_created 1.0\n# EOF\n"
        )
        kind = "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return web.Response(body=body.encode(), headers={"Content-Type": kind})

    async with engine_app(handler) as url, source_of(url) as source:
        samples = await source.read()
    assert Sample(ours.GENERATION_TOKENS, 5, ("chat", "llamacpp", "")) in samples
    assert seen[0].startswith("text/plain;version=0.0.4;q=1,"), "it parses best"


async def test_an_answer_without_a_length_is_read_to_its_end() -> None:
    answer = bytes_only(b"HTTP/1.0 200 OK\r\n\r\n" + LLAMA)
    async with engine(answer) as url, source_of(url) as source:
        assert len(await source.read()) == 13


async def test_numbers_in_any_notation_are_read() -> None:
    odd = LLAMA.replace(b"predicted_total 23", b"predicted_total 1.15e+011")
    async with engine(saying(odd)) as url, source_of(url) as source:
        assert (
            Sample(ours.GENERATION_TOKENS, 1.15e11, ("chat", "llamacpp", "")) in await source.read()
        )


async def test_a_path_prefix_is_kept() -> None:
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readline())
        await saying(LLAMA)(writer)

    async with listening(serve) as url, source_of(f"{url}/replica/1/") as source:
        await source.read()
    assert requests == [b"GET /replica/1/metrics HTTP/1.1\r\n"]


async def test_an_engine_that_fails_is_down_under_its_own_name_and_comes_back() -> None:
    answers = (saying(LLAMA), saying(b"", status="500 Oops"), saying(LLAMA))
    async with engine(*answers) as url, source_of(url) as source:
        await source.read()
        with pytest.raises(SourceError):
            await source.read()
        assert list(source.unread()) == [Sample(ours.ENGINE_UP, 0, ("llamacpp",))]
        assert Sample(ours.ENGINE_UP, 1, ("llamacpp",)) in await source.read()


async def test_another_engine_on_the_port_is_recognised_anew() -> None:
    async with engine(saying(LLAMA), saying(VLLM_LOAD)) as url, source_of(url) as source:
        await source.read()
        assert Sample(ours.ENGINE_UP, 1, ("vllm",)) in await source.read()


async def test_a_pinned_engine_is_not_guessed() -> None:
    async with engine(saying(LLAMA)) as url, source_of(url, pinned=VLLM) as source:
        with pytest.raises(SourceError, match="none of the series of vllm; saw llamacpp:"):
            await source.read()
        assert list(source.unread()) == [Sample(ours.ENGINE_UP, 0, ("vllm",))]


async def test_a_pinned_engine_needs_no_fingerprint() -> None:
    body = b"# TYPE llamacpp:requests_processing gauge\nllamacpp:requests_processing 2\n"
    async with engine(saying(body)) as url, source_of(url, pinned=LLAMACPP) as source:
        assert Sample(ours.REQUESTS_RUNNING, 2, ("chat", "llamacpp", "")) in await source.read()


async def test_closing_twice_or_unused_is_harmless() -> None:
    source: Source = EngineSource("http://127.0.0.1:9", model="chat", timeout_seconds=1)
    assert isinstance(source, EngineSource)
    assert source.name == "engine"
    await source.close()
    await source.close()
