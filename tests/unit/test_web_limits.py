"""Clients that hold on: they send nothing, or slowly, or too much, or take nothing."""

import asyncio
import socket

import aiohttp
import pytest

from tests.face import plain_face, standing
from tidegauge.catalog import own
from tidegauge.samples import Sample
from tidegauge.web import Limits

MANY = tuple(Sample(own.SOURCE_UP, 1, (f"{n}" * 50,)) for n in range(20_000))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /metrics HTTP/1.1\r\nHost: a\r\n", id="half a head"),
        pytest.param(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\n\r\n", id="nothing after a request"),
    ],
)
async def test_a_connection_on_which_nothing_arrives_is_closed(sent: bytes) -> None:
    async with standing(plain_face(), limits=Limits(idle_seconds=0.2)) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.ports[0])
        writer.write(sent)
        async with asyncio.timeout(20):
            await reader.read()
        writer.close()


async def test_a_head_that_trickles_does_not_hold_its_connection() -> None:
    async with standing(plain_face(), limits=Limits(idle_seconds=0.3)) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.ports[0])
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n")
        written = 0
        while not reader.at_eof() and written < 150:
            writer.write(f"X-{written}: a\r\n".encode())
            written += 1
            await asyncio.sleep(0.02)
        assert written < 100
        writer.close()


async def test_connections_beyond_the_limit_are_closed_and_the_others_served() -> None:
    async with standing(plain_face(), limits=Limits(connections=3)) as front:
        port = front.ports[0]
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()
        reader, writer = held[0]
        writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        await asyncio.sleep(0.05)
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/-/healthy") as response,
        ):
            assert response.status == 200, "one that left makes room"
        for _, each in held:
            each.close()


async def test_a_client_that_takes_no_answer_loses_its_connection() -> None:
    async with standing(plain_face(MANY), limits=Limits(answer_seconds=0.3)) as front:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)  # noqa: FBT003 - socket's signature
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", front.ports[0]))
            await loop.sock_sendall(client, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
            server = front._runner.server
            assert server
            async with asyncio.timeout(60):
                for there in (True, False):  # it comes, and then it goes
                    while bool(server.connections) is not there:
                        await asyncio.sleep(0.01)


async def test_a_body_is_neither_waited_for_nor_kept() -> None:
    async with standing(plain_face()) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.ports[0])
        head = "GET /-/healthy HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\n\r\n"
        writer.write(head.encode() + bytes(1 << 20))
        async with asyncio.timeout(20):
            assert (await reader.readline()) == b"HTTP/1.1 200 OK\r\n"
        writer.close()
