"""Every way in which an engine's answer can be bad: each a clear error, and none costs much."""

import asyncio
import gzip
import time
from pathlib import Path

import pytest

from tests.engine_server import Answer, bytes_only, engine, saying, source_of
from tidegauge.catalog import inference as ours
from tidegauge.samples import Sample
from tidegauge.sources.source import SourceError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
LLAMA = (FIXTURES / "llamacpp-b11434" / "load.prom").read_bytes()
OTHER = b"process_open_fds 3\n# TYPE mystery_depth gauge\nmystery_depth 1\n"


async def failure(
    answer: Answer, *, timeout_seconds: float = 10, max_bytes: int = 1 << 20
) -> SourceError:
    async with (
        engine(answer) as url,
        source_of(url, timeout_seconds=timeout_seconds, max_bytes=max_bytes) as source,
    ):
        with pytest.raises(SourceError) as caught:
            await source.read()
        assert list(source.unread()) == [Sample(ours.ENGINE_UP, 0, ("unknown",))]
        return caught.value


async def hanging(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nllamacpp:")
    await writer.drain()
    await asyncio.sleep(30)


@pytest.mark.parametrize(
    "answer, reason, message",
    [
        pytest.param(
            saying(b"no", status="500 Oops"), "http_status", "/metrics answered 500", id="a 500"
        ),
        pytest.param(
            saying(b"no", status="501 Not Implemented"), "http_status", "answered 501", id="a 501"
        ),
        pytest.param(
            saying(b"", status="204 No Content"), "http_status", "answered 204", id="a 204"
        ),
        pytest.param(
            saying(b"<!doctype html>\n<p>hello</p>\n"),
            "parse",
            "line 1 is no exposition text",
            id="a page of HTML",
        ),
        pytest.param(saying(b"\xff\xfe\x00\n"), "parse", "not UTF-8 at byte 0", id="garbage bytes"),
        pytest.param(
            saying(LLAMA[:200]), "parse", "line 4 is cut off", id="an answer that ends in mid-line"
        ),
        pytest.param(
            saying(LLAMA[:-1]),
            "parse",
            "line 45 is cut off",
            id="an answer without its last newline",
        ),
        pytest.param(
            saying(LLAMA + b"half_a_line\n"),
            "parse",
            "line 46 is no exposition text",
            id="a line without its value",
        ),
        pytest.param(
            saying(b'x{a="' + b'\\"' * 40_000 + b'"} 1\n'),
            "parse",
            "line 1 is longer than 65536",
            id="one enormous line",
        ),
        pytest.param(
            saying(LLAMA, length=len(LLAMA) + 99),
            "unavailable",
            "/metrics: ",
            id="a cut connection",
        ),
        pytest.param(bytes_only(b"SSH-2.0-what\r\n"), "unavailable", "/metrics: ", id="not HTTP"),
        pytest.param(
            bytes_only(b""), "unavailable", "/metrics: ", id="a connection closed at once"
        ),
        pytest.param(
            saying(LLAMA, head="Content-Encoding: gzip\r\n"),
            "unavailable",
            "/metrics: ",
            id="plain text that calls itself gzip",
        ),
        pytest.param(
            saying(OTHER),
            "unknown_engine",
            "no known engine has these series; saw mystery_depth",
            id="somebody else's metrics",
        ),
        pytest.param(saying(b""), "unknown_engine", "saw nothing", id="an empty answer"),
    ],
)
async def test_a_bad_answer_is_named(answer: Answer, reason: str, message: str) -> None:
    error = await failure(answer)
    assert (error.reason, message in str(error)) == (reason, True), str(error)
    assert "http://127.0.0.1:" in str(error)
    assert len(str(error)) < 300


def flood(size: int, *, head: str) -> tuple[Answer, list[int]]:
    """An answer of `size` bytes in pieces, and the list where each piece sent is noted."""
    sent: list[int] = []
    piece = b"a_metric 1\n" * 6000

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode())
        while sum(sent) < size:
            writer.write(piece)
            await writer.drain()
            sent.append(len(piece))

    return answer, sent


@pytest.mark.parametrize(
    "head, at_most",
    [
        # The limit, and what the kernel's buffers on both sides took meanwhile.
        pytest.param("", 40_000_000, id="length unsaid"),
        pytest.param("Content-Length: 50000000\r\n", 12_000_000, id="length said, refused at once"),
    ],
)
async def test_fifty_megabytes_are_not_read(head: str, at_most: int) -> None:
    answer, sent = flood(50_000_000, head=head)
    error = await failure(answer, max_bytes=16_000_000)
    assert error.reason == "too_large"
    assert "more than 16000000 bytes" in str(error)
    assert sum(sent) < at_most


async def test_a_small_answer_that_unpacks_to_much_is_not_unpacked() -> None:
    bomb = saying(gzip.compress(b"a_metric 1\n" * 5_000_000), head="Content-Encoding: gzip\r\n")
    assert (await failure(bomb)).reason == "too_large"


async def test_an_engine_that_hangs_costs_the_timeout() -> None:
    began = time.perf_counter()
    error = await failure(hanging, timeout_seconds=0.3)
    assert error.reason == "timeout"
    assert "no complete answer within 0.3 s" in str(error)
    assert time.perf_counter() - began < 3


async def test_parsing_counts_against_the_timeout_and_stops() -> None:
    # Escapes are read one by one: the whole of it takes most of a second, and arrives at once.
    body = (b'a{b="' + b"\\n" * 4000 + b'"} 1\n') * 1000
    began = time.perf_counter()
    error = await failure(saying(body), timeout_seconds=0.1, max_bytes=len(body))
    assert error.reason == "timeout"
    assert time.perf_counter() - began < 2


async def test_a_closed_port_is_unavailable() -> None:
    async with engine(saying(LLAMA)) as url:
        pass
    async with source_of(url) as source:
        with pytest.raises(SourceError) as caught:
            await source.read()
    assert caught.value.reason == "unavailable"
    assert str(caught.value).startswith(f"{url}/metrics: no connection: ")
