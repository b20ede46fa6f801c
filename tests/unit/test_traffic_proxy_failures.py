"""The tap when one side leaves: nothing half passes for whole, and each end has its name."""

import asyncio
import json
import logging
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from yarl import URL

from tests.tapping import listening_tap, recording
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange, Outcome
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.proxy import Tap

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b'data: {"choices":[{"index":0,"text":"x"}]}\n\n'
DONE = b"data: [DONE]\n\n"
ASK = json.dumps({"model": "chat", "prompt": "hello", "stream": True}).encode()

Connected = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def framed(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


@asynccontextmanager
async def serving(connected: Connected) -> AsyncIterator[str]:
    """A raw upstream: what it writes is all that is sent."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(ASK)
            await connected(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()


@asynccontextmanager
async def tapping(upstream: str, exchanges: list[Exchange]) -> AsyncIterator[str]:
    arrivals = Arrivals()
    tap = Tap(
        upstream,
        recording(exchanges),
        clock=time.monotonic,
        arrivals=arrivals,
        labelling=Labelling(frozenset({"chat"})),
        connect_seconds=0.5,
    )
    try:
        async with listening_tap(tap) as url:
            yield url + "/v1/completions"
    finally:
        assert arrivals.in_flight == 0


def port_of(url: str) -> int:
    return URL(url).port or 0


async def recorded(exchanges: list[Exchange]) -> Exchange:
    async with asyncio.timeout(20):
        while not exchanges:
            await asyncio.sleep(0.01)
    (exchange,) = exchanges
    return exchange


async def test_an_upstream_that_closes_unannounced_after_each_answer_loses_none() -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + framed(CHUNK) + framed(DONE) + b"0\r\n\r\n")
        await reader.read(1)  # whoever asks again on this connection finds it closed

    exchanges: list[Exchange] = []
    async with (
        serving(connected) as upstream,
        tapping(upstream, exchanges) as url,
        aiohttp.ClientSession() as client,
    ):

        async def one() -> bytes:
            async with client.post(url, data=ASK) as answer:
                assert "Server" not in answer.headers  # the engine named none
                return await answer.read()

        for _ in range(10):
            assert await asyncio.gather(*(one() for _ in range(6))) == [CHUNK + DONE] * 6
    assert [exchange.outcome for exchange in exchanges] == ["ok"] * 60


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(HEAD + framed(CHUNK), id="in a chunked body"),
        pytest.param(HEAD + b"ff\r\n" + CHUNK, id="in the middle of a chunk"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n"
            + CHUNK,
            id="in a body of known length",
        ),
    ],
)
async def test_an_upstream_that_dies_in_the_middle_cuts_the_client_off(answer: bytes) -> None:
    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        await asyncio.sleep(0.1)

    exchanges: list[Exchange] = []
    async with (
        serving(connected) as upstream,
        tapping(upstream, exchanges) as url,
        aiohttp.ClientSession() as client,
        client.post(url, data=ASK) as response,
    ):
        assert await response.content.readexactly(len(CHUNK)) == CHUNK
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    exchange = await recorded(exchanges)
    assert (exchange.outcome, exchange.status) == ("cut", 200)
    assert exchange.first_token_seconds is not None


async def test_an_http_1_0_client_is_reset_when_the_upstream_dies() -> None:
    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + framed(CHUNK))
        await writer.drain()
        await asyncio.sleep(0.1)

    exchanges: list[Exchange] = []
    async with serving(connected) as upstream, tapping(upstream, exchanges) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
        head = b"POST /v1/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(ASK)
        writer.write(head + ASK)
        assert CHUNK in await reader.readuntil(CHUNK)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
    assert (await recorded(exchanges)).outcome == "cut"


@pytest.mark.parametrize("begun", [False, True], ids=["still queued", "in mid-stream"])
async def test_a_client_that_leaves_is_passed_on_to_the_upstream(begun: bool) -> None:  # noqa: FBT001
    left = asyncio.Event()
    asked = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        if begun:
            writer.write(HEAD + framed(CHUNK))
        assert await reader.read() == b""
        left.set()

    exchanges: list[Exchange] = []
    async with serving(connected) as upstream, tapping(upstream, exchanges) as url:
        async with aiohttp.ClientSession() as client:
            if begun:
                async with client.post(url, data=ASK) as response:
                    await response.content.readexactly(len(CHUNK))
                    response.close()
            else:
                waiting = asyncio.create_task(client.post(url, data=ASK))
                await asked.wait()
                waiting.cancel()
        async with asyncio.timeout(20):
            await left.wait()
        exchange = await recorded(exchanges)
    assert (exchange.outcome, exchange.status) == ("aborted", 200 if begun else None)
    assert exchange.generation_tokens == (1 if begun else None)


async def closes(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def garbles(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


@pytest.mark.parametrize("connected", [closes, garbles], ids=["nothing", "no HTTP"])
async def test_an_upstream_that_answers_no_http_is_a_502(connected: Connected) -> None:
    exchanges: list[Exchange] = []
    async with (
        serving(connected) as upstream,
        tapping(upstream, exchanges) as url,
        aiohttp.ClientSession() as client,
        client.post(url, data=ASK) as response,
    ):
        assert response.status == 502
        assert (await response.json())["error"]["type"] == "upstream_closed"
    assert (exchanges[0].outcome, exchanges[0].status) == ("cut", None)


async def test_an_upstream_that_refuses_is_a_502_in_the_shape_of_openai() -> None:
    with socket.socket() as bound:  # bound and not listening: refuses, and nobody takes the port
        bound.bind(("127.0.0.1", 0))
        exchanges: list[Exchange] = []
        async with (
            tapping(f"http://127.0.0.1:{bound.getsockname()[1]}", exchanges) as url,
            aiohttp.ClientSession() as client,
            client.post(url, data=ASK) as response,
        ):
            assert response.status == 502
            body = await response.text()
    assert "\n" not in body
    assert json.loads(body)["error"] == {
        "message": "the engine cannot be reached",
        "type": "upstream_unreachable",
        "param": None,
        "code": 502,
    }
    assert (exchanges[0].outcome, exchanges[0].status) == ("unreachable", None)


async def test_a_connection_that_is_never_accepted_ends_after_connect_seconds() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        blocked = [socket.socket() for _ in range(3)]
        for filler in blocked:  # fill the backlog, so that the kernel drops our SYN
            filler.settimeout(0)
            filler.connect_ex(address)
        exchanges: list[Exchange] = []
        async with (
            tapping(f"http://127.0.0.1:{address[1]}", exchanges) as url,
            aiohttp.ClientSession() as client,
            client.post(url, data=ASK) as response,
        ):
            assert response.status == 502
        for filler in blocked:
            filler.close()
    outcome: Outcome = exchanges[0].outcome
    assert outcome == "unreachable"
    assert 0.3 < exchanges[0].duration_seconds < 3


async def test_a_body_that_is_no_chunked_body_ends_with_its_client() -> None:
    async def connected(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    exchanges: list[Exchange] = []
    async with serving(connected) as upstream, tapping(upstream, exchanges) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
        head = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + framed(ASK))
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.write(b"this is no chunk\r\n")
        writer.close()
        assert (await recorded(exchanges)).outcome == "aborted"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(
            b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"SECRET\r\n",
            id="a chunk without a size",
        ),
        pytest.param(
            b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
            b"{}SECRET text\r\n\r\n",
            id="more body than was announced",
        ),
        pytest.param(b"GET /\xffSECRET HTTP/1.1\r\nHost: x\r\n\r\n", id="a path of raw bytes"),
    ],
)
async def test_what_cannot_be_parsed_is_not_quoted_in_the_log(
    request_bytes: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with tapping("http://127.0.0.1:1", []) as url:
        parts = URL(url)
        reader, writer = await asyncio.open_connection(parts.host, parts.port)
        for _ in range(2):  # what comes second on a connection is logged more loudly
            writer.write(request_bytes)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 20)
        writer.close()
        await writer.wait_closed()
    formatted = "\n".join(logging.Formatter().format(record) for record in caplog.records)
    assert "SECRET" not in formatted


@pytest.mark.parametrize("dies", [False, True], ids=["ends", "dies"])
async def test_an_answer_that_ends_with_its_connection_ends_as_it_does(dies: bool) -> None:  # noqa: FBT001
    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + CHUNK + DONE)
        await writer.drain()
        await asyncio.sleep(0.1)
        if dies:
            inside = writer.get_extra_info("socket")
            inside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    exchanges: list[Exchange] = []
    async with serving(connected) as upstream, tapping(upstream, exchanges) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
        head = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(ASK)
        writer.write(head + ASK)
        assert b"\r\nConnection: close\r\n" in await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(len(CHUNK + DONE)) == CHUNK + DONE
        if dies:
            with pytest.raises(ConnectionResetError):
                await reader.read()
        else:
            assert await reader.read() == b""
        writer.close()
    assert (await recorded(exchanges)).outcome == ("cut" if dies else "ok")


async def test_chunks_that_turn_to_garbage_cut_the_client_off_before_it() -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + framed(CHUNK))
        await asyncio.sleep(0.05)
        writer.write(b"garbage\r\n" + framed(CHUNK) + b"0\r\n\r\n")
        await reader.read()

    exchanges: list[Exchange] = []
    async with (
        serving(connected) as upstream,
        tapping(upstream, exchanges) as url,
        aiohttp.ClientSession() as client,
        client.post(url, data=ASK) as response,
    ):
        assert await response.content.readexactly(len(CHUNK)) == CHUNK
        with pytest.raises(aiohttp.ClientPayloadError, match="Not enough data"):
            await response.read()
    assert (await recorded(exchanges)).outcome == "cut"
