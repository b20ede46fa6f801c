"""The tap before a real upstream on loopback: what passes, and that nothing of it changes."""

import asyncio
import hashlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web

from tests.tapping import listening_tap, recording
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.ledger import Ledger
from tidegauge.traffic.proxy import Tap

MARKER = "wxyzzy"
CHUNK = b'data: {"choices":[{"index":0,"text":"%s"}]}\n\n' % MARKER.encode()
DONE = b"data: [DONE]\n\n"
ASK = {"model": "chat", "prompt": MARKER, "stream": True}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Tapped:
    """A tap that listens, a client, and what the tap recorded."""

    arrivals: Arrivals
    url: str
    direct: str
    client: aiohttp.ClientSession
    exchanges: list[Exchange]


async def listening(runner: web.AppRunner) -> str:
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def tapped(answer: Answer) -> AsyncIterator[Tapped]:
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", answer)
    upstream = web.AppRunner(app, access_log=None, auto_decompress=False)
    exchanges: list[Exchange] = []
    direct = await listening(upstream)
    arrivals, chat = Arrivals(), Labelling(frozenset({"chat"}))
    tap = Tap(direct, recording(exchanges), arrivals=arrivals, clock=time.monotonic, labelling=chat)
    async with (
        listening_tap(tap) as url,
        aiohttp.ClientSession(auto_decompress=False) as client,
    ):
        yield Tapped(arrivals, url, direct, client, exchanges)
    await upstream.cleanup()


async def echo(request: web.Request) -> web.StreamResponse:
    """Says what arrived: method, target, headers and the body's digest."""
    digest = hashlib.sha256()
    async for piece in request.content.iter_any():
        digest.update(piece)
    headers = [[key, value] for key, value in request.headers.items()]
    arrived = [request.method, request.raw_path, headers, digest.hexdigest()]
    return web.json_response(arrived, headers={"Server": "engine", "X-Engine": "1"})


def stream(seen: asyncio.Queue[None]) -> Answer:
    """Three chunks, split in mid-line, each 50 ms after the last was seen; then the end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(3):
            await asyncio.sleep(0.05)
            await response.write(CHUNK[:9])
            await response.write(CHUNK[9:])
            await seen.get()
        await response.write(DONE)
        return response

    return answer


async def test_a_stream_passes_unchanged_as_it_comes_and_is_measured() -> None:
    seen: asyncio.Queue[None] = asyncio.Queue()
    async with tapped(stream(seen)) as tapped_:
        begun = time.monotonic()
        async with tapped_.client.post(tapped_.url + "/v1/completions", json=ASK) as answer:
            assert await answer.content.readexactly(len(CHUNK)) == CHUNK
            first_seconds = time.monotonic() - begun
            for _ in range(2):  # a tap that held a chunk back would wait here for ever
                seen.put_nowait(None)
                assert await answer.content.readexactly(len(CHUNK)) == CHUNK
            seen.put_nowait(None)
            assert await answer.read() == DONE
            assert answer.headers["Content-Type"] == "text/event-stream"
    (exchange,) = tapped_.exchanges
    assert (exchange.outcome, exchange.status, exchange.model) == ("ok", 200, "chat")
    assert exchange.first_token_seconds is not None
    assert 0.045 < exchange.first_token_seconds <= first_seconds
    assert sum(exchange.gaps.counts) == 2
    assert exchange.gaps.seconds > 2 * 0.045
    arrived_seconds = exchange.first_token_seconds + exchange.gaps.seconds
    assert exchange.duration_seconds >= arrived_seconds
    assert exchange.features
    assert exchange.features.prompt
    assert exchange.features.prompt.characters == len(MARKER)


async def test_a_request_arrives_as_it_was_sent() -> None:
    sent = {"Host": "model.example", "X-Id": "7", "Cookie": "a=b", "User-Agent": "me"}
    async with tapped(echo) as tapped_:
        target = "/v1/models/a%2Fb//c?q=%20&q=+"
        url = aiohttp.client.URL(tapped_.url + target, encoded=True)
        async with tapped_.client.delete(url, headers=sent) as answer:
            method, path, headers, _ = json.loads(await answer.read())
            assert answer.headers["X-Engine"] == "1"
            assert answer.headers.getall("Server") == ["engine"]
        assert (method, path) == ("DELETE", target)
        assert sent.items() <= dict(headers).items()
        assert tapped_.exchanges == []


async def test_nothing_is_added_to_a_completion_and_no_packed_answer_is_asked_for() -> None:
    added = ("Accept", "Content-Type", "User-Agent")
    async with tapped(echo) as tapped_:
        url = tapped_.url + "/v1/completions"
        headers = {"Accept-Encoding": "gzip"}
        async with tapped_.client.post(
            url, data=b"{}", headers=headers, skip_auto_headers=added
        ) as answer:
            _, _, arrived, _ = await answer.json()
    assert {key for key, _ in arrived} == {"Host", "Content-Length", "Connection"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "PURGE"])
async def test_any_method_passes(method: str) -> None:
    async with tapped(echo) as tapped_:
        async with tapped_.client.request(method, tapped_.url + "/health") as answer:
            body = await answer.read()
        assert answer.status == 200
        assert body == b"" if method == "HEAD" else json.loads(body)[0] == method


@pytest.mark.parametrize("framing", ["a length", "chunks"])
async def test_a_body_of_30_megabytes_passes_up(framing: str) -> None:
    piece = bytes(range(256)) * 4096
    digest = hashlib.sha256(piece * 30).hexdigest()

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield piece

    headers = {"Content-Length": str(30 * len(piece))} if framing == "a length" else {}
    async with tapped(echo) as tapped_:
        url = tapped_.url + "/v1/completions"
        async with tapped_.client.post(url, data=pieces(), headers=headers) as answer:
            _, _, arrived, arrived_digest = await answer.json()
        assert arrived_digest == digest
        assert dict(arrived).get("Content-Length") == headers.get("Content-Length")
        assert tapped_.exchanges[0].outcome == "ok"


@pytest.mark.parametrize("framing", ["a length", "chunks"])
async def test_a_body_of_30_megabytes_passes_down_to_a_slow_reader(framing: str) -> None:
    piece = bytes(range(256)) * 4096

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 30 * len(piece) if framing == "a length" else None
        await response.prepare(request)
        for _ in range(30):
            await response.write(piece)
        return response

    digest = hashlib.sha256()
    async with tapped(large) as tapped_:
        async with tapped_.client.post(tapped_.url + "/v1/completions", json=ASK) as answer:
            await asyncio.sleep(0.2)
            async for read in answer.content.iter_any():
                digest.update(read)
        assert ("Content-Length" in answer.headers) == (framing == "a length")
    assert digest.hexdigest() == hashlib.sha256(piece * 30).hexdigest()


async def test_compressed_bodies_pass_untouched_both_ways() -> None:
    async def packed(request: web.Request) -> web.StreamResponse:
        assert request.headers["Content-Encoding"] == "gzip"
        return web.Response(body=await request.read(), headers={"Content-Encoding": "gzip"})

    body = b"no gzip at all: whoever unpacks it fails"
    headers = {"Content-Encoding": "gzip"}
    async with (
        tapped(packed) as tapped_,
        tapped_.client.post(tapped_.url + "/x", data=body, headers=headers) as answer,
    ):
        assert answer.headers["Content-Encoding"] == "gzip"
        assert await answer.read() == body


async def test_a_client_may_wait_for_100_continue() -> None:
    async with tapped(echo) as tapped_:
        url = tapped_.url + "/v1/completions"
        async with tapped_.client.post(url, json=ASK, expect100=True) as answer:
            _, _, headers, digest = await answer.json()
        assert dict(headers)["Expect"] == "100-continue"  # it was the engine that said to go on
        assert digest == hashlib.sha256(json.dumps(ASK).encode()).hexdigest()


async def test_requests_in_flight_are_those_begun_and_not_ended() -> None:
    arrived: asyncio.Queue[str] = asyncio.Queue()
    release = asyncio.Event()

    async def wait(request: web.Request) -> web.StreamResponse:
        arrived.put_nowait(request.path)
        await release.wait()
        return web.Response()

    async with tapped(wait) as tapped_:
        url = tapped_.url + "/v1/completions"
        asked = [asyncio.create_task(tapped_.client.post(url, json=ASK)) for _ in range(3)]
        asked.append(asyncio.create_task(tapped_.client.get(tapped_.url + "/health")))
        async with asyncio.timeout(20):
            for _ in asked:
                await arrived.get()
        assert tapped_.arrivals.in_flight == 3
        assert tapped_.arrivals.started == 3
        release.set()
        for answer in await asyncio.gather(*asked):
            answer.close()
        assert tapped_.arrivals.in_flight == 0
        assert tapped_.arrivals.started == 3


async def test_a_prompt_and_its_answer_leave_no_text() -> None:
    ledger = Ledger(["chat"])
    seen: asyncio.Queue[None] = asyncio.Queue()
    for _ in range(3):
        seen.put_nowait(None)
    async with tapped(stream(seen)) as tapped_:
        async with tapped_.client.post(tapped_.url + "/v1/completions", json=ASK) as answer:
            assert MARKER in await answer.text()
        ledger.add(tapped_.exchanges[0])
        assert MARKER not in repr((tapped_.exchanges, vars(ledger), vars(tapped_.arrivals)))
        assert MARKER not in repr(ledger.samples())


async def test_the_tap_adds_little_to_a_request() -> None:
    """A sanity bound, not the benchmark: the best of many must be within 10 ms of direct."""
    async with tapped(echo) as tapped_:

        async def best(url: str) -> float:
            seconds = []
            for _ in range(30):
                begun = time.perf_counter()
                async with tapped_.client.post(url + "/v1/completions", json=ASK) as answer:
                    await answer.read()
                seconds.append(time.perf_counter() - begun)
            return min(seconds)

        assert await best(tapped_.url) - await best(tapped_.direct) < 0.01
