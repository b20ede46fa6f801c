"""Laws of the wire parser: splitting changes nothing, garbage raises nothing, no text stays."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tidegauge.traffic.ended import Ended
from tidegauge.traffic.hearing.wire import End, Wire
from tidegauge.traffic.labelling import Labelling

MARKER = "wxyzzy"

_choice = st.fixed_dictionaries(
    {"index": st.integers(-1, 3)},
    optional={
        "text": st.sampled_from(["", MARKER]),
        "delta": st.dictionaries(
            st.sampled_from(["role", "content", "tool_calls", "reasoning_content"]),
            st.sampled_from([None, "", MARKER, [{"index": 0, "function": MARKER}]]),
        ),
        "finish_reason": st.sampled_from([None, "stop", "length", MARKER]),
    },
)
_chunk = st.fixed_dictionaries(
    {"choices": st.lists(_choice, max_size=2)},
    optional={
        "usage": st.none() | st.fixed_dictionaries({"completion_tokens": st.integers(-1, 9)}),
        "error": st.sampled_from([None, {"message": MARKER}]),
    },
)
_line_end = st.sampled_from([b"\n", b"\r\n"])
_block = st.one_of(
    st.builds(lambda d, e: b"data: " + json.dumps(d).encode() + e + e, _chunk, _line_end),
    st.builds(lambda e: b": ping" + e + e, _line_end),
    st.builds(lambda e: b"event: error" + e + b"data: " + MARKER.encode() + e + e, _line_end),
    st.sampled_from([b"data: [DONE]\n\n", b"data: [DONE]", b"\r", b"\n", b"data: {\n\n"]),
    st.binary(max_size=8),
)
_stream = st.lists(_block, max_size=12).map(b"".join)
_body = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda model, prompt: json.dumps({"model": model, "prompt": prompt}).encode(),
        st.sampled_from(["chat", MARKER, None, 3]),
        st.sampled_from([MARKER, [MARKER], [1], None, {"a": MARKER}]),
    ),
    st.builds(
        lambda content: json.dumps({"messages": [{"content": content}], "stream": True}).encode(),
        st.sampled_from([MARKER, [{"type": "text", "text": MARKER}], None, [MARKER]]),
    ),
)
_line = st.one_of(
    st.builds(
        lambda fields, end: json.dumps(fields).encode() + end,
        st.fixed_dictionaries(
            {"done": st.booleans()},
            optional={
                "response": st.sampled_from(["", MARKER, None]),
                "message": st.dictionaries(
                    st.sampled_from(["content", "thinking", "tool_calls"]),
                    st.sampled_from(["", MARKER, None, [{"function": {"name": MARKER}}]]),
                ),
                "done_reason": st.sampled_from(["stop", "load", MARKER, 3]),
                "eval_count": st.integers(-1, 9),
                "error": st.sampled_from(["", MARKER, {"message": MARKER}]),
            },
        ),
        _line_end,
    ),
    st.sampled_from([b"\n", b"{", b'{"error": "out of memory"}\n', b"null\n", b"\xef\xbb\xbf"]),
    st.binary(max_size=8),
)
_lines = st.lists(_line, max_size=12).map(b"".join)
_kind = st.sampled_from(
    [
        "text/event-stream; charset=utf-8",
        "application/x-ndjson",
        "application/json",
        "",
        "text/html",
    ]
)
_path = st.sampled_from(["/v1/chat/completions", "/v1/completions", "/api/chat", "/api/generate"])
_how = st.sampled_from(["complete", "aborted", "cut", "unreachable"])
_cuts = st.lists(st.integers(0, 1000), max_size=20)


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    bounds = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    return [whole[start:end] for start, end in pairwise(bounds)]


def measured(
    body: list[bytes],
    answer: list[bytes],
    *,
    content_type: str,
    how: End,
    path: str = "/v1/completions",
    status: int = 200,
) -> Ended:
    wire = Wire(labelling=Labelling(frozenset({"chat", "code"})), begun=0, path=path)
    for piece in body:
        wire.request_piece(piece)
    wire.request_end()
    wire.answer_head(status, content_type=content_type, content_encoding="")
    for piece in answer:
        wire.answer_piece(piece, 1)
    return wire.end(how, 2)


@given(_body, _stream | _lines, _cuts, _cuts, _kind, _path, _how)
def test_any_split_of_a_stream_gives_the_same_exchange(
    body: bytes,
    stream: bytes,
    body_cuts: list[int],
    cuts: list[int],
    kind: str,
    path: str,
    how: End,
) -> None:
    whole = measured([body], [stream], content_type=kind, how=how, path=path)
    split = measured(
        pieces(body, body_cuts), pieces(stream, cuts), content_type=kind, how=how, path=path
    )
    assert split == whole


@given(_body, _chunk | st.binary(), _cuts)
def test_any_split_of_a_document_gives_the_same_exchange(
    body: bytes, document: dict[str, object] | bytes, cuts: list[int]
) -> None:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    whole = measured([body], [raw], content_type="application/json", how="complete")
    split = measured([body], pieces(raw, cuts), content_type="application/json", how="complete")
    assert split == whole


@given(
    st.binary(),
    st.binary(),
    _kind | st.text(max_size=20),
    _path | st.text(max_size=20),
    st.integers(0, 999),
    _how,
)
def test_garbage_never_raises(
    body: bytes, answer: bytes, content_type: str, path: str, status: int, how: End
) -> None:
    measured([body], [answer], content_type=content_type, how=how, path=path, status=status)


def test_json_nested_beyond_any_stack_never_raises() -> None:
    deep = b'{"choices":' + b"[" * 1_000_000
    measured([deep], [deep], content_type="application/json", how="complete")
    measured([deep], [b"data: " + deep + b"\n\n"], content_type="text/event-stream", how="cut")


@given(_body, _stream | _lines, _path, _how)
def test_no_text_of_prompt_answer_or_names_is_kept(
    body: bytes, stream: bytes, path: str, how: End
) -> None:
    for content_type in ("text/event-stream", "application/json", "application/x-ndjson"):
        ended = measured([body], [stream], content_type=content_type, how=how, path=path)
        assert MARKER not in repr(ended)
        assert ended.exchange.features is None


@given(_body, _stream | _lines, _path, st.sampled_from([200, 400, 503]), _how)
def test_what_failed_has_a_class_and_nothing_else_has(
    body: bytes, stream: bytes, path: str, status: int, how: End
) -> None:
    for content_type in ("text/event-stream", "application/json", "application/x-ndjson"):
        exchange = measured(
            [body], [stream], content_type=content_type, how=how, path=path, status=status
        ).exchange
        assert (exchange.error is None) == (exchange.outcome in ("ok", "aborted"))


@given(_body, _stream | _lines, _path)
def test_only_what_is_known_is_estimated(body: bytes, stream: bytes, path: str) -> None:
    for content_type in ("text/event-stream", "application/json", "application/x-ndjson"):
        exchange = measured(
            [body], [stream], content_type=content_type, how="complete", path=path
        ).exchange
        assert exchange.prompt_tokens is not None or not exchange.prompt_tokens_estimated
        assert exchange.generation_tokens is not None or not exchange.generation_tokens_estimated
