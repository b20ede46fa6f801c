"""The tap and its clients: what they ask in which way, how long they take, and how they leave."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.tapping import QUICK, engine, raw_tap
from tidegauge.traffic.client_limits import Limits

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNK = b'2c\r\ndata: {"choices":[{"index":0,"text":"x"}]}\n\n\r\n'
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
BODY = b'{"model": "chat", "prompt": "a", "stream": true}'
ASK = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
GET = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSE = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Says:
    """An engine that answers each request, when its body is whole, with the same bytes."""

    def __init__(self, answer: bytes, *, after: Callable[[], bool] = lambda: True) -> None:
        self.answer, self.after = answer, after
        self.heads: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        if length := re.search(rb"(?i)content-length: (\d+)", head):
            await reader.readexactly(int(length[1]))
        while not self.after():
            await asyncio.sleep(0.01)
        writer.write(self.answer)
        await writer.drain()

    async def asked(self) -> None:
        """Until a request has come."""
        async with asyncio.timeout(20):
            while not self.heads:
                await asyncio.sleep(0.01)


async def test_a_connection_carries_one_request_after_another() -> None:
    says = Says(OK)
    async with engine(says) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect()
        for _ in range(3):
            writer.write(GET)
            assert await reader.readexactly(len(OK)) == OK
        writer.write(CLOSE)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 OK\r\n")
    assert [b"Connection: close\r\n" in head for head in says.heads] == [True] * 4


async def test_requests_that_come_at_once_are_answered_in_order_one_at_a_time() -> None:
    numbers: list[bytes] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        numbers.append(target)
        await asyncio.sleep(0.02)
        assert numbers[-1] == target, "the next one waits"
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + target)

    asked = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(5))
    last = b"GET /9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    async with engine(connected) as port, raw_tap(port) as tap:
        answers = await tap.answer(asked + last)
    assert (
        re.findall(rb"\r\n\r\n(/\d)", answers)
        == numbers
        == [b"/%d" % n for n in range(5)] + [b"/9"]
    )


async def test_what_follows_a_last_request_is_not_asked_and_does_no_harm() -> None:
    says = Says(OK)
    async with engine(says) as port, raw_tap(port) as tap:
        answer = await tap.answer(CLOSE + GET * 1000)
    assert answer == OK.replace(b"2\r\n\r\n", b"2\r\nConnection: close\r\n\r\n")
    assert len(says.heads) == 1


async def test_a_request_in_pieces_is_one_request() -> None:
    says = Says(OK)
    async with engine(says) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect()
        for at in range(len(ASK)):
            writer.write(ASK[at : at + 1])
            if at % 10 == 0:
                await asyncio.sleep(0.001)
        assert await reader.readexactly(len(OK)) == OK


async def test_bytes_of_headers_and_of_the_target_pass_as_they_are() -> None:
    odd = b"HTTP/1.1 200 \xe9\r\nx-Odd: \xff\xe9\r\nX-oDD: b\r\nContent-Length: 0\r\n\r\n"
    says = Says(odd)
    sent = b"GET /\xff%2F?#x HTTP/1.1\r\nhOst: \xff\r\nx-B:\t\xe9\xff \r\nX-a: 1\r\n\r\n"
    async with engine(says) as port, raw_tap(port) as tap:
        reader, _ = await tap.connect(sent)
        assert await reader.readexactly(len(odd)) == odd
    (head,) = says.heads
    assert head == (
        b"GET /\xff%2F?#x HTTP/1.1\r\nhOst: \xff\r\nx-B: \xe9\xff\r\nX-a: 1\r\n"
        b"Connection: close\r\n\r\n"
    )


async def test_a_query_without_a_path_and_a_bare_question_mark_pass() -> None:
    says = Says(OK)
    async with engine(says) as port, raw_tap(f"http://u:p@127.0.0.1:{port}/under/") as tap:
        await tap.answer(CLOSE.replace(b"/health", b"/health?"))
        await tap.answer(CLOSE.replace(b"/health", b"http://b?q"))
    assert [head.split()[1] for head in says.heads] == [b"/under/health?", b"/under/?q"]
    assert b"\r\nHost: b\r\n" in says.heads[1]
    assert b"\r\nAuthorization: Basic dTpw\r\n" in says.heads[0]


@pytest.mark.parametrize(
    "sent,status",
    [
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n", 400, id="two framings"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n", 501, id="a coding"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n", 400, id="a folded line"),
        pytest.param(b"PRI * HTTP/2.0\r\n", 505, id="HTTP/2"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n", 431, id="a long head"),
        pytest.param(b"\x16\x03\x01 TLS\r\n", 400, id="no HTTP"),
    ],
)
async def test_what_no_two_readers_read_alike_is_refused_and_asked_nobody(
    sent: bytes, status: int
) -> None:
    says = Says(OK)
    smuggled = b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"
    if status == 400 and b"Content-Length" in sent:
        sent += b"Transfer-Encoding: chunked\r\n"
    async with engine(says) as port, raw_tap(port) as tap:
        reader, _ = await tap.connect(sent + b"\r\n" + smuggled)
        answer = await reader.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close" in head
    assert json.loads(body)["error"]["type"] == "invalid_request_error"
    assert says.heads == []


async def test_chunks_that_are_none_are_refused() -> None:
    async with engine(Says(OK, after=lambda: False)) as port, raw_tap(port) as tap:
        head = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = await tap.answer(head + b"2\r\n{}\r\nSECRET\r\n")
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"SECRET" not in answer
        assert (await tap.exchange()).outcome == "aborted"


async def test_an_http_1_0_client_gets_the_content_without_chunks_and_a_close() -> None:
    says = Says(b"HTTP/1.1 100 Continue\r\n\r\n" + STREAM + CHUNK + END)
    async with engine(says) as port, raw_tap(port) as tap:
        sent = ASK.replace(
            b"1.1\r\nHost: a", b"1.0\r\nConnection: keep-alive\r\nExpect: 100-continue"
        )
        head, _, body = (await tap.answer(sent)).partition(b"\r\n\r\n")
        assert (await tap.exchange()).outcome == "ok"
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Transfer-Encoding" not in head
    assert b"Connection: close" in head
    assert body == b'data: {"choices":[{"index":0,"text":"x"}]}\n\ndata: [DONE]\n\n'
    assert b"\r\nHost: 127.0.0.1:" in says.heads[0]
    assert b"Expect" not in says.heads[0]


async def test_chunks_extensions_and_trailers_pass_to_the_byte() -> None:
    body = b"2;a=b\r\nok\r\n0;c\r\nX-Sum: \xff\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\ntransfer-encoding: Chunked\r\n\r\n"
    async with engine(Says(head + body)) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(GET)
        assert await reader.readexactly(len(head + body)) == head + body
        writer.write(GET)  # the connection goes on
        assert await reader.readexactly(len(head + body)) == head + body


async def test_hints_pass_before_the_answer() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with engine(Says(hints * 2 + OK)) as port, raw_tap(port) as tap:
        reader, _ = await tap.connect(GET)
        assert await reader.readexactly(len(hints * 2 + OK)) == hints * 2 + OK


async def test_the_engine_says_whether_to_go_on_and_the_body_waits_for_it() -> None:
    expects = ASK.replace(b"Host: a", b"Host: a\r\nExpect: 100-continue")
    head, _, body = expects.partition(b"\r\n\r\n")

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"Expect: 100-continue" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert await reader.readexactly(len(body)) == body
        writer.write(OK)

    async with engine(connected) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(head + b"\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(body)
        assert await reader.readexactly(len(OK)) == OK


@pytest.mark.parametrize(
    "method,answer",
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ],
    ids=["HEAD", "304", "204"],
)
async def test_an_answer_without_a_body_is_whole_at_its_head(method: bytes, answer: bytes) -> None:
    async with engine(Says(answer)) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect()
        for _ in range(2):
            writer.write(GET.replace(b"GET", method))
            assert await reader.readexactly(len(answer)) == answer


async def test_a_client_that_has_no_more_to_send_waits_for_its_answer() -> None:
    """It is asked with 100 (Continue) whether it is still there."""
    seconds = asyncio.get_running_loop().time
    until = seconds() + 0.4
    async with engine(Says(OK, after=lambda: seconds() > until)) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(ASK)
        writer.write_eof()
        received = await reader.read()
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert received.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"") == OK


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_whoever_has_no_more_to_send_gets_an_answer_that_comes_soon(version: bytes) -> None:
    async with engine(Says(OK)) as port, raw_tap(port, limits=Limits()) as tap:
        reader, writer = await tap.connect(GET.replace(b"1.1", version))
        writer.write_eof()
        received = await reader.read()
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\nok")
    assert b"100" not in received


async def test_a_client_that_has_no_more_to_send_reads_a_stream_to_its_end() -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(STREAM)
        for _ in range(40):
            writer.write(CHUNK)
            await asyncio.sleep(0.02)
        writer.write(END)

    limits = replace(QUICK, doubt_seconds=0.7)  # shorter than the stream, longer than any pause
    async with engine(connected) as port, raw_tap(port, limits=limits) as tap:
        reader, writer = await tap.connect(ASK)
        await reader.readuntil(CHUNK)
        writer.write_eof()
        assert await reader.read() == CHUNK * 39 + END
        assert (await tap.exchange()).outcome == "ok"


async def test_whoever_leaves_while_nothing_comes_is_found_out() -> None:
    """As it closes in mid-stream, nothing can be sent to it that is not a part of the answer."""
    left = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(BODY)
        writer.write(STREAM)
        assert await reader.read() == b""
        left.set()

    async with engine(connected) as port, raw_tap(port) as tap:
        reader, writer = await tap.connect(ASK)
        await reader.readuntil(b"\r\n\r\n")
        writer.close()
        async with asyncio.timeout(20):
            await left.wait()
        assert (await tap.exchange()).outcome == "aborted"


async def test_whoever_takes_too_long_for_a_head_is_told_and_who_is_idle_is_not() -> None:
    limits = Limits(head_seconds=0.1, idle_seconds=0.3)
    async with engine(Says(OK)) as port, raw_tap(port, limits=limits) as tap:
        assert await tap.answer(b"") == b""
        assert (await tap.answer(GET[:-2])).startswith(b"HTTP/1.1 408 ")
        assert await tap.answer(GET) == OK  # and closed, since nothing came after it


async def test_a_client_that_does_not_read_its_answers_is_given_no_more_of_them() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
    says = Says(large)
    async with engine(says) as port, raw_tap(port) as tap:
        reader, _ = await tap.connect(GET * 100 + CLOSE)
        await asyncio.sleep(0.5)
        assert len(says.heads) < 50
        received = 0
        while data := await reader.read(1 << 20):
            received += len(data)
    assert received == 101 * len(large) + len(b"Connection: close\r\n")


async def test_a_bug_in_measuring_costs_the_measurement_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def record(_: object) -> None:
        raise ZeroDivisionError("SECRET")

    answer = STREAM + CHUNK + END
    async with engine(Says(answer)) as port, raw_tap(port, record=record) as tap:
        reader, writer = await tap.connect()
        for _ in range(2):
            writer.write(ASK)
            assert await reader.readexactly(len(answer)) == answer
        assert (tap.arrivals.started, tap.arrivals.in_flight) == (2, 0)
    assert [(line.message, line.__dict__["error"]) for line in caplog.records] == [
        ("an exchange is not measured", "ZeroDivisionError")
    ] * 2
    assert "SECRET" not in caplog.text


async def test_a_tap_that_closes_answers_what_is_under_way_and_no_more() -> None:
    release = asyncio.Event()
    says = Says(OK, after=release.is_set)
    async with engine(says) as port, raw_tap(port, limits=QUICK) as tap:
        idle, _ = await tap.connect()
        busy, _ = await tap.connect(GET + GET)
        await says.asked()
        closing = asyncio.create_task(tap.tap.close(within_seconds=20))
        assert await idle.read() == b""
        await asyncio.sleep(0.05)
        assert not closing.done()
        release.set()
        received = await busy.read()
        assert received == OK.replace(b"2\r\n\r\n", b"2\r\nConnection: close\r\n\r\n")
        await closing


async def test_a_tap_that_has_waited_long_enough_cuts_off() -> None:
    says = Says(OK, after=lambda: False)
    async with engine(says) as port, raw_tap(port) as tap:
        reader, _ = await tap.connect(ASK)
        await says.asked()
        await tap.tap.close(within_seconds=0.1)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert (await tap.exchange()).outcome == "aborted"
