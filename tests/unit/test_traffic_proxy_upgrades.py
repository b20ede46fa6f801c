"""What leaves HTTP behind on its connection: WebSocket, CONNECT; engines by TLS and by name."""

import asyncio
import hashlib
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.tapping import engine, raw_tap

TLS = Path(__file__).parents[1] / "fixtures" / "tls"
UPGRADE = (
    b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo/1\r\n"
    b"Sec-X: 1\r\n\r\n"
)
SWITCHES = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n\r\n"


async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Switches, gives back all that comes, and closes its side when the other has."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"CONNECT"):
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\nhello")
    else:
        assert b"\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\n" in head
        writer.write(SWITCHES + b"hello")
    while data := await reader.read(1 << 20):
        writer.write(data)
        await writer.drain()
    writer.write(b"bye")


async def test_a_websocket_passes_messages_of_any_size_both_ways() -> None:
    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=["chat"], max_msg_size=1 << 25)
        await socket.prepare(request)
        async for message in socket:
            await socket.send_bytes(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/ws", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with raw_tap(runner.addresses[0][1]) as tap, aiohttp.ClientSession() as session:
        async with session.ws_connect(
            tap.url + "/ws", protocols=["chat"], max_msg_size=1 << 25
        ) as socket:
            assert socket.protocol == "chat"
            for message in (b"", b"x", bytes(range(256)), b"y" * (16 << 20)):
                await socket.send_bytes(message)
                assert await socket.receive_bytes() == message
        assert socket.close_code == 1000
    await runner.cleanup()


@pytest.mark.parametrize("ask", [UPGRADE, b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"])
async def test_a_tunnel_carries_bytes_and_each_side_ends_by_itself(ask: bytes) -> None:
    async with engine(echoes) as port, raw_tap(port) as tap:
        # What comes before the engine has agreed goes through the tunnel too.
        reader, writer = await tap.connect(ask + b"GET / HTTP/1.1\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head in (SWITCHES, b"HTTP/1.1 200 Connected\r\n\r\n")
        assert await reader.readexactly(21) == b"helloGET / HTTP/1.1\r\n"
        writer.write(b"\0\xff" * 1000)
        writer.write_eof()
        assert await reader.read() == b"\0\xff" * 1000 + b"bye"


async def test_a_tunnel_that_nobody_reads_stops() -> None:
    async with engine(echoes) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(UPGRADE)
        await reader.readuntil(b"hello")
        total, piece = 64 << 20, bytes(range(256)) * 4096

        async def send() -> None:
            for _ in range(total // len(piece)):
                writer.write(piece)
                await writer.drain()
            writer.write_eof()

        sending = asyncio.create_task(send())
        await asyncio.sleep(0.3)
        assert not sending.done(), "64 MiB lie somewhere"
        digest = hashlib.sha256()
        while data := await reader.read(1 << 20):
            digest.update(data)
        await sending
    assert digest.digest() == hashlib.sha256(piece * (total // len(piece)) + b"bye").digest()


async def test_a_side_of_a_tunnel_that_vanishes_takes_the_other_along() -> None:
    gone = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHES)
        try:
            await reader.read()
        finally:
            gone.set()

    async with engine(connected) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(UPGRADE)
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
        async with asyncio.timeout(20):
            await gone.wait()


async def test_an_upgrade_that_the_engine_does_not_want_is_an_answer_like_any() -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 426 No\r\nUpgrade: other\r\nContent-Length: 2\r\n\r\nno")

    async with engine(connected) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(UPGRADE)
        for _ in range(2):
            assert (
                await reader.readuntil(b"no") == b"HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno"
            )
            writer.write(UPGRADE)


async def test_an_engine_that_switches_unasked_is_a_502() -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SWITCHES)
        await reader.read()

    async with engine(connected) as port, raw_tap(port) as tap:
        reader, _ = await tap.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 502 ")


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    await writer.drain()


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "a stranger"])
async def test_an_engine_behind_tls_is_asked_when_its_certificate_is_trusted(
    trusted: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "cert.pem"))
    get = b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    async with (
        engine(answers, tls=context) as port,
        raw_tap(f"https://127.0.0.1:{port}") as tap,
    ):
        answer = await tap.answer(get)
    assert answer.startswith(b"HTTP/1.1 200 " if trusted else b"HTTP/1.1 502 ")
    assert answer.endswith(b"ok") == trusted


@pytest.mark.parametrize(
    "host,status",
    [
        pytest.param("localhost", b"200", id="one of its addresses listens"),
        pytest.param("nowhere.invalid", b"502", id="nobody knows it"),
    ],
)
async def test_an_engine_may_be_named(host: str, status: bytes) -> None:
    async with engine(answers) as port, raw_tap(f"http://{host}:{port}") as tap:
        for _ in range(2):  # the second time its addresses are known
            answer = await tap.answer(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 %s " % status)
