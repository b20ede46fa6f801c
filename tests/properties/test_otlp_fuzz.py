"""Whatever is sent as OTLP: an answer comes, or OtlpError, and nothing else."""

import asyncio
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.otlp import JSON, PROTOBUF, Made, as_json, as_protobuf
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.exchange import ERROR_CLASSES, FINISH_REASONS, OUTCOMES, ROUTES
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.otlp import conventions, from_json, from_protobuf
from tidegauge.traffic.otlp.receiver import Receiver
from tidegauge.traffic.otlp.span import OtlpError, TooManySpansError

ALL_MODELS = ("chat", "other", "")
NAMES = sorted(
    {
        conventions.OPERATION,
        conventions.KIND,
        conventions.REQUEST_TYPE,
        *conventions.MODEL,
        *conventions.ANSWER_ID,
        *conventions.PROMPT_TOKENS,
        *conventions.FINISH_REASON,
        *conventions.STREAMED,
        *conventions.FIRST_TOKEN_SECONDS,
        *conventions.DURATION_SECONDS,
        *conventions.STATUS,
        *conventions.ERROR_TYPE,
        *conventions.PROMPT_MESSAGES,
        *conventions.ANSWER_MESSAGES,
        *conventions.PROMPT_TEXT,
        "gen_ai.prompt.0.content",
        "llm.input_messages.0.message.content",
    }
)
WORDS = st.sampled_from(
    ["chat", "LLM", "stop", "429", "timeout", "", "[", '{"content": "x"}', "[[[", '"']
)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats()
PLAIN = st.text(max_size=12) | WORDS | NUMBERS | st.booleans() | st.binary(max_size=4)
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "content", "parts", "text", "message", "role"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["exception", "gen_ai.user.message", "gen_ai.choice", "another"]),
        st.dictionaries(st.sampled_from([*NAMES, "content", "body"]), VALUES, max_size=3),
    ),
    max_size=3,
)
SPANS = st.builds(
    Made,
    ATTRIBUTES,
    EVENTS,
    number=st.integers(0, 4),
    parent=st.integers(0, 4),
    kind=st.integers(0, 6),
    status=st.integers(0, 3),
    seconds=st.floats(-1, 1e9),
)
JSON_KEYS = st.sampled_from(
    (
        *("resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "status"),
        *("stringValue", "intValue", "arrayValue", "values", "kvlistValue"),
        *("traceId", "startTimeUnixNano", "events"),
    )
)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(JSON_KEYS | st.text(max_size=3), inner)
    ),
    max_leaves=20,
)


def sent(bodies: list[bytes], kind: str) -> tuple[list[int], list[Ended]]:
    """The statuses of one receiver's answers, and what it measured."""
    measured: list[Ended] = []

    async def send() -> list[int]:
        receiver = Receiver(
            measured.append,
            decoders={PROTOBUF: from_protobuf.spans, JSON: from_json.spans},
            labelling=Labelling(frozenset({"chat", "b"})),
            arrivals=Arrivals(),
            side=None,
        )

        async def status(body: bytes) -> int:
            try:
                assert isinstance(await receiver.take(body, kind), bytes)
            except OtlpError as error:
                return 413 if isinstance(error, TooManySpansError) else 400
            return 200

        return [await status(body) for body in bodies]

    return asyncio.run(send()), measured


@given(st.binary(max_size=200), st.sampled_from([PROTOBUF, JSON]))
@example(b"\x0a\x00", PROTOBUF)
@example(b"\x0b", PROTOBUF)
@example(b"\xff" * 11, PROTOBUF)
@example(b'{"resourceSpans":' * 2000, JSON)
@example(b'{"resourceSpans":[' + b'{"scopeSpans":[' * 2000, JSON)
@example(b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 5}]}]}]}', JSON)
@example(b'{"resourceSpans": %s}' % (b"9" * 5000), JSON)
def test_any_bytes_are_answered(body: bytes, kind: str) -> None:
    statuses, _ = sent([body], kind)
    assert statuses[0] in (200, 400, 413)


@settings(max_examples=60)
@given(DOCUMENTS)
def test_any_json_is_answered(document: object) -> None:
    wrapped = {"resourceSpans": [{"scopeSpans": [{"spans": [document]}]}, document]}
    for each in (document, wrapped):
        statuses, _ = sent([json.dumps(each).encode()], JSON)
        assert statuses[0] in (200, 400)


@settings(max_examples=60)
@given(st.lists(SPANS, max_size=3), st.data())
def test_a_broken_message_is_answered(spans: list[Made], data: st.DataObject) -> None:
    body = bytearray(as_protobuf(*spans))
    for _ in range(data.draw(st.integers(0, 3))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    statuses, _ = sent([bytes(body[: data.draw(st.integers(0, len(body)))])], PROTOBUF)
    assert statuses[0] in (200, 400)


@settings(max_examples=60)
@given(st.lists(SPANS, max_size=4))
def test_any_spans_give_exchanges_of_closed_vocabularies_in_both_encodings(
    spans: list[Made],
) -> None:
    results = []
    for encode, kind in ((as_protobuf, PROTOBUF), (as_json, JSON)):
        (status,), measured = sent([encode(*spans)], kind)
        assert status == 200
        results.append(measured)
        for exchange in (each.exchange for each in measured):
            assert exchange.model in ALL_MODELS
            assert exchange.outcome in OUTCOMES
            assert exchange.route in ROUTES
            assert exchange.error is None or exchange.error in ERROR_CLASSES
            assert exchange.finish_reason is None or exchange.finish_reason in FINISH_REASONS
            assert exchange.duration_seconds >= 0
            for known in (exchange.prompt_tokens, exchange.first_token_seconds):
                assert known is None or known >= 0
    assert results[0] == results[1]
