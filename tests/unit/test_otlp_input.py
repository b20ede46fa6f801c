"""OTLP over HTTP: what is answered, as the specification of OTLP wants it, and what is counted."""

import asyncio
import gzip
import json
import subprocess
import sys
import zlib

import pytest
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from tests.otlp import JSON, PROTOBUF, Made, as_json, as_protobuf, listening
from tidegauge.catalog import inputs
from tidegauge.config.otlp import OtlpConfig
from tidegauge.traffic.otlp import answers, from_protobuf
from tidegauge.traffic.otlp.seen import Seen
from tidegauge.traffic.otlp.span import SPAN_BYTES_MAX, SPANS_MAX
from tidegauge.web import InputRules

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "chat"}
ENCODED = [
    pytest.param(PROTOBUF, as_protobuf, id="protobuf"),
    pytest.param(JSON, as_json, id="json"),
]


@pytest.mark.parametrize("kind, encode", ENCODED)
async def test_a_request_is_counted_and_answered_in_its_own_encoding(kind: str, encode) -> None:
    prompt = {"gen_ai.prompt": "High tide?"}
    async with listening() as (box, spans):
        answer = await box.send(encode(Made({**CHAT, **prompt})), kind)
        assert answer == (200, kind, b"" if kind == PROTOBUF else b"{}")
        (exchange,) = box.exchanges
        assert exchange.model == "chat"
        assert exchange.features is not None
        assert await spans() == {"counted": 1}
        assert (box.arrivals.started, box.arrivals.in_flight) == (1, 0)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_body_is_read(encoding: str) -> None:
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    async with listening() as (box, spans):
        body = compress(as_protobuf(Made()))
        status, _, _ = await box.send(body, Content_Encoding=encoding)
        assert status == 200
        assert await spans() == {"counted": 1}


async def test_a_body_that_blows_up_is_refused() -> None:
    config = OtlpConfig(enabled=True, max_body_bytes=1 << 20)
    bomb = gzip.compress(b"\0" * (64 << 20))
    assert len(bomb) < 1 << 20
    async with listening(config) as (box, spans):
        status, kind, body = await box.send(bomb, Content_Encoding="gzip")
        assert (status, kind) == (413, PROTOBUF)
        assert "1048576" in Status.FromString(body).message
        assert (await box.send(as_protobuf(Made())))[0] == 200
        assert await spans() == {"counted": 1}


@pytest.mark.parametrize(
    "body, kind, headers, expected",
    [
        (b"\xff" * 9, PROTOBUF, {}, 400),
        (as_protobuf(Made())[:-3], PROTOBUF, {}, 400),
        (b"{", JSON, {}, 400),
        (b"[]", JSON, {}, 400),
        (b"[" * 100_000, JSON, {}, 400),
        (b'{"resourceSpans": 1e999999}', JSON, {}, 200),
        (as_json(Made()), "text/plain", {}, 415),
        (as_json(Made()), "application/grpc", {}, 415),
        (as_json(Made()), JSON, {"Content_Encoding": "zstd"}, 415),
        (as_json(Made()), JSON, {"Content_Encoding": "gzip"}, 400),
        (bytes(9 << 20), PROTOBUF, {}, 413),
        (b'{"resourceSpans": [' + b"[]," * 150_000 + b"1]}", JSON, {}, 200),
        (b'{"resourceSpans": [' + b"[]," * 1_000_001 + b"1]}", JSON, {}, 413),
        (as_protobuf(*[Made({})] * (SPANS_MAX + 1)), PROTOBUF, {}, 413),
        (b"", PROTOBUF, {}, 200),
        (b"{}", JSON, {}, 200),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_what_cannot_be_read_is_refused_with_a_status(
    body: bytes, kind: str, headers: dict[str, str], expected: int
) -> None:
    async with listening() as (box, spans):
        status, answered, said = await box.send(body, kind, **headers)
        assert status == expected
        assert answered == (kind if kind in answers.TYPES else JSON)
        if expected != 200:
            told = (
                Status.FromString(said).message if kind == PROTOBUF else json.loads(said)["message"]
            )
            assert told
            assert "\n" not in told
            refused = [s for s in box.guard.samples() if s.metric is inputs.REJECTED and s.value]
            assert [s.value for s in refused] == [1], "each refusal has its reason"
        assert (await box.send(as_protobuf(Made())))[0] == 200
        assert await spans() == {"counted": 1}


async def test_a_sender_that_is_not_known_gets_a_status_too() -> None:
    async with listening(rules=InputRules(trust_loopback=False)) as (box, spans):
        status, kind, said = await box.send(as_protobuf(Made()))
        assert (status, kind) == (403, PROTOBUF)
        assert "token" in Status.FromString(said).message
        assert not await spans()


async def test_too_many_at_once_are_asked_to_come_again() -> None:
    async with listening(rules=InputRules(per_second=1)) as (box, _):
        sent = (box.send(as_protobuf(Made(number=n))) for n in range(1, 13))
        answers_ = await asyncio.gather(*sent)
        assert 429 in {status for status, _, _ in answers_}
        assert {kind for _, kind, _ in answers_} == {PROTOBUF}


@pytest.mark.parametrize("kind, encode", ENCODED)
async def test_spans_that_cannot_be_are_rejected_and_leave_the_rest(kind: str, encode) -> None:
    impossible = (Made(number=0), Made(number=2, seconds=-1))
    async with listening() as (box, spans):
        status, _, body = await box.send(encode(Made(), *impossible), kind)
        assert status == 200
        if kind == PROTOBUF:
            partial = ExportTraceServiceResponse.FromString(body).partial_success
            assert (partial.rejected_spans, bool(partial.error_message)) == (2, True)
        else:
            assert json.loads(body)["partialSuccess"]["rejectedSpans"] == "2"
        assert await spans() == {"counted": 1, "rejected": 2}


async def test_spans_that_are_no_request_are_ignored_without_a_word() -> None:
    agent = Made({"gen_ai.operation.name": "invoke_agent"}, number=1)
    tool = Made({"gen_ai.operation.name": "execute_tool"}, number=2, parent=1)
    chats = (Made(number=3, parent=1), Made(number=4, parent=1))
    async with listening() as (box, spans):
        _, _, body = await box.send(as_protobuf(agent, tool, *chats, Made({}, number=5)))
        assert body == b""
        assert await spans() == {"counted": 2, "ignored": 3}


async def test_what_an_sdk_sends_again_counts_once() -> None:
    async with listening() as (box, spans):
        for _ in range(3):
            await box.send(as_protobuf(Made(), Made(number=2)))
        assert await spans() == {"counted": 2, "duplicate": 4}
        assert len(box.exchanges) == 2


@pytest.mark.parametrize("first", ["framework", "library"])
async def test_a_request_that_two_layers_tell_of_counts_once(first: str) -> None:
    framework, library = Made(number=1), Made(number=2, parent=1)
    order = (framework, library) if first == "framework" else (library, framework)
    async with listening() as (box, spans):
        for span in order:
            await box.send(as_protobuf(span))
        assert await spans() == {"counted": 1, "nested": 1}


@pytest.mark.parametrize("count, expected", [("client", 2), ("server", 1), ("all", 3)])
async def test_one_side_can_be_chosen(count: str, expected: int) -> None:
    config = OtlpConfig.model_validate({"enabled": True, "count": count})
    spans_ = (Made(number=1, kind=3), Made(number=2, kind=2), Made(number=3, kind=1))
    async with listening(config) as (box, _):
        await box.send(as_protobuf(*spans_))
        assert len(box.exchanges) == expected


async def test_many_senders_at_once_lose_nothing() -> None:
    async with listening() as (box, spans):
        bodies = [as_protobuf(*(Made(number=20 * n + m + 1) for m in range(20))) for n in range(12)]
        statuses = await asyncio.gather(*(box.send(body) for body in bodies))
        assert {status for status, _, _ in statuses} == {200}
        assert await spans() == {"counted": 240}


def test_what_was_seen_is_bounded() -> None:
    seen = Seen(limit=10)
    spans = list(
        from_protobuf.spans(as_protobuf(*(Made(number=n, parent=99) for n in range(1, 21))))
    )
    assert {seen.judge(span) for span in spans} == {"counted"}
    assert [seen.judge(span) for span in spans[-10:]] == ["duplicate"] * 10
    assert seen.judge(spans[0]) == "counted"


async def test_a_span_that_is_too_large_costs_itself_alone() -> None:
    huge = Made({**CHAT, "gen_ai.prompt": "x" * SPAN_BYTES_MAX}, number=2)
    async with listening() as (box, spans):
        status, _, body = await box.send(as_protobuf(Made(), huge, Made(number=3)))
        partial = ExportTraceServiceResponse.FromString(body).partial_success
        assert (status, partial.rejected_spans) == (200, 1)
        assert await spans() == {"counted": 2, "rejected": 1}


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_384])
def test_our_protobuf_is_what_the_library_reads(length: int) -> None:
    why = "x" * length
    assert Status.FromString(answers.refused(PROTOBUF, why)).message == why
    body = answers.accepted(PROTOBUF, rejected=length, why=why)
    partial = ExportTraceServiceResponse.FromString(body).partial_success
    assert (partial.rejected_spans, partial.error_message) == (length, why)


def test_who_does_not_ask_for_otlp_does_not_load_its_library() -> None:
    script = (
        "import sys\nimport tidegauge.cli.main, tidegauge.cli.serve\n"
        "assert not [m for m in sys.modules if m.startswith(('google', 'opentelemetry'))]"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
