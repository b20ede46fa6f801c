"""Heads and bodies of HTTP/1: any bytes, split anywhere, and llhttp's reading beside ours."""

import asyncio
from itertools import pairwise

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given
from hypothesis import strategies as st

from tidegauge.traffic.proxying.framing import Body, Chunked, FramingError, Length, request_body
from tidegauge.traffic.proxying.head import HEAD_END, HeadError, read_answer, read_request, written

SIZES = st.lists(st.integers(0, 40), max_size=8)
PIECES = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
EXTENSIONS = st.sampled_from([b"", b" ", b";a=b", b' ; q="x"'])
TRAILERS = st.sampled_from([b"", b"X-Sum: 1\r\n", b"a:\r\nB: \xff\r\n"])
NAMES = st.sampled_from([b"Host", b"Content-Length", b"Transfer-Encoding", b"x-y", b"Connection"])
SAID = st.sampled_from([b"a", b"5", b"chunked", b"close", b" gzip, chunked", b"0", b"\t1 "])


def split(data: bytes, sizes: list[int]) -> list[bytes]:
    ends = [0]
    for size in sizes:
        ends.append(min(ends[-1] + size, len(data)))
    return [data[start:end] for start, end in pairwise([*ends, len(data)])]


def taken(body: Body, parts: list[bytes]) -> tuple[bytes, bytes, bool]:
    """What belonged to the body, the content in it, and whether it was whole."""
    raw, content = b"", b""
    for part in parts:
        if part and not body.done:
            used, pieces = body.take(part)
            raw += part[:used]
            content += b"".join(pieces)
    return raw, content, body.done


@given(pieces=PIECES, extension=EXTENSIONS, trailers=TRAILERS, sizes=SIZES, more=st.binary())
def test_a_chunked_body_split_anywhere_ends_where_it_ends(
    pieces: list[bytes], extension: bytes, trailers: bytes, sizes: list[int], more: bytes
) -> None:
    chunks = (b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    body = b"".join(chunks) + b"0" + extension + b"\r\n" + trailers + b"\r\n"
    whole = len(body)
    parts = [*split(body, sizes)[:-1], split(body, sizes)[-1] + more]
    raw, content, done = taken(Chunked(), parts)
    assert (raw, content, done) == (body, b"".join(pieces), True)
    assert len(raw) == whole


@given(body=st.binary(), sizes=SIZES, more=st.binary())
def test_a_body_of_known_length_ends_there(body: bytes, sizes: list[int], more: bytes) -> None:
    raw, content, done = taken(Length(len(body)), split(body + more, sizes))
    assert raw == content == body
    assert done


@given(data=st.one_of(st.binary(), st.text("0123aAf;\r\n x:", max_size=60).map(str.encode)))
@example(b"0" * 100_000)
@example(b"1\r\nab\r\n")
@example(b"1\nx\n0\n\n")
@example(b"-1\r\n\r\n")
@example(b"1;a\rb\r\nx\r\n0\r\n\r\n")
@example(b"fffffffffffffffff\r\n")
def test_any_bytes_are_chunks_or_a_framing_error(data: bytes) -> None:
    body = Chunked()
    try:
        used, pieces = body.take(data)
    except FramingError:
        return
    assert used <= len(data)
    assert sum(map(len, pieces)) <= used
    assert b"".join(pieces) in data or len(pieces) > 1


@given(data=st.binary(max_size=200))
@example(b"HTTP/1.1 200 OK\r\nA: b")
def test_any_bytes_are_a_head_or_its_error(data: bytes) -> None:
    for read in (read_request, read_answer):
        try:
            read(data + HEAD_END)
        except HeadError:
            continue


@given(
    line=st.sampled_from([b"POST /a HTTP/1.1", b"GET http://b/c HTTP/1.1", b"GET / HTTP/1.0"]),
    fields=st.lists(st.tuples(NAMES, SAID), max_size=5),
    cut=st.tuples(st.integers(0, 120), st.integers(0, 3), st.binary(max_size=3)),
)
def test_what_we_take_for_a_request_llhttp_reads_alike(
    line: bytes, fields: list[tuple[bytes, bytes]], cut: tuple[int, int, bytes]
) -> None:
    """Two readers of one connection must agree on what is a request, and on where it ends."""
    block = written(line, ((b"Host", b"a"), *fields))
    at, less, more = cut
    block = block[:at] + more + block[at + less :]
    if block.find(HEAD_END) != len(block) - len(HEAD_END) or block.startswith(b"\r\n"):
        return
    try:
        head = read_request(block)
        body = request_body(head)
    except HeadError:
        return
    theirs = llhttp(block)
    if theirs is None:
        return  # it knows a few methods, and fewer values, than are allowed
    method, raw = theirs
    assert method == head.method.decode()
    written_as = [(name.lower(), value) for name, value in head.fields]
    if not line.startswith(b"GET http"):  # whose Host is made of the target
        assert [(name.lower(), value) for name, value in raw] == written_as
    assert (body is not None) == any(
        name == b"transfer-encoding" or (name == b"content-length" and int(value))
        for name, value in written_as
    )


def llhttp(block: bytes) -> tuple[str, tuple[tuple[bytes, bytes], ...]] | None:
    """Method and headers as aiohttp's parser reads them, None if it refuses."""
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(BaseProtocol(loop), loop, 1 << 16, max_line_size=1 << 16)
        messages, _, _ = parser.feed_data(block)
    except (HttpProcessingError, ValueError):
        return None
    finally:
        loop.close()
    if not messages:
        return None
    message = messages[0][0]
    return message.method, message.raw_headers
