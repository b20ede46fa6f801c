"""What aiohttp answers by itself: it tells nothing of the request, and not whose library it is."""

import asyncio

import pytest

from tests.face import plain_face, standing


@pytest.mark.parametrize(
    "request_bytes,status",
    [
        pytest.param(b"MARKER /marker HTTP/9.9\r\n\r\n", b"400 Bad Request", id="garbage"),
        pytest.param(b"GET / HTTP/1.1\r\nmarker\r\n\r\n", b"400 Bad Request", id="a header"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: marker\r\n\r\n",
            b"417 Expectation Failed",
            id="an expectation",
        ),
    ],
)
async def test_it_quotes_nothing(request_bytes: bytes, status: bytes) -> None:
    async with standing(plain_face()) as front:
        reader, writer = await asyncio.open_connection("127.0.0.1", front.ports[0])
        writer.write(request_bytes)
        said = await asyncio.wait_for(reader.read(), 20)
        writer.close()
    assert said.startswith((b"HTTP/1.1 " + status, b"HTTP/1.0 " + status))
    assert b"marker" not in said.lower()
    assert b"Server: tidegauge\r\n" in said
