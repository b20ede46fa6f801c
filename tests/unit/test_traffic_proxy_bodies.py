"""Large and early bodies through the tap: in bounded memory, at the speed of the slower side."""

import asyncio
import contextlib
import hashlib
import socket
import struct
from collections.abc import Callable

import pytest

from tests.tapping import Raw, engine, raw_tap, settled
from tidegauge.traffic.proxying.client_side import ClientSide
from tidegauge.traffic.proxying.passage import Passage

PIECE = bytes(range(256)) * 4096
TOTAL = 100 * len(PIECE)
DIGEST = hashlib.sha256(PIECE * 100).hexdigest()
# What the kernel may hold of one connection (tcp_rmem, tcp_wmem), both connections together.
KERNELS = 32 << 20
# Ours: a transport's limit, and what one more read brings.
OURS = (64 << 10) + (64 << 10)


def buffered(tap: Raw) -> int:
    """Bytes that the tap itself holds, of all connections."""
    total = 0
    for client in tap.tap._clients:
        assert isinstance(client, ClientSide)
        passage = client._passage
        assert passage is None or isinstance(passage, Passage)
        upstream = passage._transport if passage else None
        waiting = sum(map(len, passage._waiting)) if passage else 0
        total += client._transport.get_write_buffer_size() + len(client._buffer) + waiting
        total += upstream.get_write_buffer_size() if upstream else 0
    return total


async def written(
    writer: asyncio.StreamWriter, *, framed: bool, tell: Callable[[int], None]
) -> None:
    for _ in range(100):
        writer.write(b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if framed else PIECE)
        await writer.drain()
        tell(len(PIECE))
    if framed:
        writer.write(b"0\r\n\r\n")


async def digest_of(reader: asyncio.StreamReader, size: int | None = None) -> str:
    digest, left = hashlib.sha256(), size
    while data := await reader.read(1 << 20 if left is None else min(1 << 20, left)):
        digest.update(data)
        left = None if left is None else left - len(data)
        if left == 0:
            break
    return digest.hexdigest()


@pytest.mark.parametrize("path", [b"/v1/completions", b"/x"], ids=["measured", "unmeasured"])
async def test_100_megabytes_down_wait_for_a_reader_that_pauses(path: bytes) -> None:
    sent: list[int] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % TOTAL)
        await written(writer, framed=False, tell=sent.append)

    async with engine(connected) as port, raw_tap(port) as tap:
        ask = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}" % path
        reader, _ = await tap.connect(ask)
        await reader.readuntil(b"\r\n\r\n")
        assert await settled(lambda: sum(sent)) < KERNELS
        assert buffered(tap) <= OURS
        assert await digest_of(reader, TOTAL) == DIGEST


@pytest.mark.parametrize("framed", [False, True], ids=["a length", "chunks"])
async def test_100_megabytes_up_wait_for_an_engine_that_pauses(framed: bool) -> None:  # noqa: FBT001
    sent: list[int] = []
    release, done = asyncio.Event(), asyncio.Event()
    digests: list[str] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await release.wait()
        if framed:
            digest = hashlib.sha256()
            while size := int(await reader.readline(), 16):
                digest.update(await reader.readexactly(size))
                await reader.readline()
            digests.append(digest.hexdigest())
        else:
            digests.append(await digest_of(reader, TOTAL))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        done.set()

    how = b"Transfer-Encoding: chunked" if framed else b"Content-Length: %d" % TOTAL
    async with engine(connected) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(b"PUT /x HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % how)
        sending = asyncio.create_task(written(writer, framed=framed, tell=sent.append))
        assert await settled(lambda: sum(sent)) < KERNELS
        assert buffered(tap) <= 2 * OURS
        release.set()
        await sending
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    assert digests == [DIGEST]


async def test_an_answer_may_flow_while_its_request_does() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % TOTAL)
        left = TOTAL
        while left:
            data = await reader.read(1 << 20)
            left -= len(data)
            writer.write(data)
            await writer.drain()

    async with engine(echo) as port, raw_tap(port) as tap:
        head = b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % TOTAL
        reader, writer = await tap.connect(head)
        sending = asyncio.create_task(written(writer, framed=False, tell=lambda _: None))
        assert b"\r\nConnection: close\r\n" in await reader.readuntil(b"\r\n\r\n")
        assert await digest_of(reader) == DIGEST
        await sending


REFUSED = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n\r\nlarge"


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses at the head and closes with the body unread, which resets the connection."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(REFUSED)
    await writer.drain()
    inside = writer.get_extra_info("socket")
    writer.transport.pause_reading()
    await asyncio.sleep(0.05)
    inside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Refuses at the head, and neither reads on nor closes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(REFUSED)
    await asyncio.sleep(3600)


@pytest.mark.parametrize("refuses", [resets, waits])
async def test_an_answer_that_comes_before_the_request_is_whole_is_read(refuses) -> None:
    async with engine(refuses) as port, raw_tap(port) as tap:
        head = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % TOTAL
        reader, writer = await tap.connect(head)

        async def send() -> None:
            with contextlib.suppress(ConnectionError):  # in the end, if it goes on and on
                await written(writer, framed=False, tell=lambda _: None)

        sending = asyncio.create_task(send())
        expected = REFUSED.replace(b"5\r\n\r\n", b"5\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(20):
            assert await reader.readexactly(len(expected)) == expected
        exchange = await tap.exchange()
        assert (exchange.outcome, exchange.status) == ("client_error", 413)
        sending.cancel()


async def test_an_answer_is_found_behind_the_reset_that_writing_meets() -> None:
    """More of the body, the answer and the reset are all there when the loop looks next."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        async with raw_tap(listening.getsockname()[1]) as tap:
            reader, writer = await tap.connect(
                b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"
            )
            accepted, _ = await loop.sock_accept(listening)
            head = await loop.sock_recv(accepted, 1 << 16)
            while not head.endswith(b"{"):
                head += await loop.sock_recv(accepted, 1 << 16)
            # From here to the next await the tap's loop stands still.
            writer.write(b"}")
            accepted.send(REFUSED)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            async with asyncio.timeout(20):
                assert (await reader.readline()) == b"HTTP/1.1 413 Content Too Large\r\n"
            assert (await tap.exchange()).status == 413
