"""What the tap tells of a request beside its times: whose it was, and that it streams."""

import asyncio
import json

import pytest

from tests.tapping import engine, raw_tap
from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.labelling import Labelling

SECRET = b"0123456789abcdef"
NAME = "Bearer sk-alice-1"
ALICE = ClientKey(SECRET).hashed(NAME)
BY_HEADER = ClientKey(SECRET, header="AUTHORIZATION")
BY_USER = ClientKey(SECRET, field="user")


def request(document: object, *fields: str) -> bytes:
    body = json.dumps(document).encode()
    lines = ("POST /v1/completions HTTP/1.1", "Host: x", "Connection: close", *fields)
    head = "".join(f"{line}\r\n" for line in (*lines, f"Content-Length: {len(body)}"))
    return head.encode() + b"\r\n" + body


async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    await writer.drain()


@pytest.mark.parametrize(
    "key, document, fields, client",
    [
        pytest.param(BY_HEADER, {}, (f"authorization: {NAME}",), ALICE, id="a header, any case"),
        pytest.param(BY_HEADER, {}, ("Authorization:  ",), "", id="a header without a value"),
        pytest.param(BY_HEADER, {"user": NAME}, (), "", id="a field that was not asked for"),
        pytest.param(BY_USER, {"user": NAME}, (), ALICE, id="a field of the document"),
        pytest.param(BY_USER, [NAME], (f"Authorization: {NAME}",), "", id="no document"),
        pytest.param(None, {"user": NAME}, (f"Authorization: {NAME}",), "", id="not asked for"),
    ],
)
async def test_whose_a_request_was(
    key: ClientKey | None, document: object, fields: tuple[str, ...], client: str
) -> None:
    async with engine(refuse) as port, raw_tap(port) as raw:
        labelling = Labelling(clients=key)
        raw.tap.turn(f"http://127.0.0.1:{port}", labelling=labelling, connect_seconds=2)
        await raw.answer(request(document, *fields))
        exchange = await raw.exchange()
    assert exchange.client == client
    assert "alice" not in repr((exchange, labelling, vars(raw.tap)))


@pytest.mark.parametrize(
    "kind, streams",
    [("text/event-stream", 1), ("application/json", 0), ("application/x-ndjson", 1)],
)
async def test_a_stream_is_in_flight_from_its_head_to_its_end(kind: str, streams: int) -> None:
    go_on = asyncio.Event()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())
        await go_on.wait()

    async with engine(stream) as port, raw_tap(port) as raw:
        assert raw.arrivals.streams == 0
        reader, _ = await raw.connect(request({"stream": True}))
        async with asyncio.timeout(20):
            await reader.readuntil(b"\r\n\r\n")
        assert raw.arrivals.streams == streams
        go_on.set()
        await raw.exchange()
        assert raw.arrivals.streams == 0


async def test_a_stream_that_its_client_leaves_is_in_flight_no_more() -> None:
    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        await reader.read()

    async with engine(stream) as port, raw_tap(port) as raw:
        reader, writer = await raw.connect(request({"stream": True}))
        async with asyncio.timeout(20):
            await reader.readuntil(b"\r\n\r\n")
        assert raw.arrivals.streams == 1
        writer.transport.abort()
        assert (await raw.exchange()).outcome == "aborted"
        assert raw.arrivals.streams == 0
