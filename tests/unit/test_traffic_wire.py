"""The wire parser: requests and answers as engines and clients really send them."""

import json

import pytest

from tests.gaps import gaps
from tidegauge.traffic.ended import NO_TEXTS, TEXT_MAX, Ended
from tidegauge.traffic.exchange import NO_GAPS, Exchange, Outcome
from tidegauge.traffic.hearing.document import MARKS_MAX
from tidegauge.traffic.hearing.gaps import CHOICES_MAX
from tidegauge.traffic.hearing.wire import LIMIT_BYTES, End, Wire, is_measured
from tidegauge.traffic.labelling import Labelling

CHAT = frozenset({"chat"})


def request(**fields: object) -> bytes:
    return json.dumps({"model": "chat", "prompt": "hello", **fields}).encode()


def event(document: object) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def text(piece: str, index: int = 0) -> bytes:
    return event({"choices": [{"index": index, "text": piece, "finish_reason": None}]})


def delta(**fields: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": None}]})


def finish(reason: str) -> bytes:
    return event({"choices": [{"index": 0, "text": "", "finish_reason": reason}]})


DONE = b"data: [DONE]\n\n"


def heard_out(
    *answer: bytes,
    body: bytes = request(stream=True),
    status: int = 200,
    content_type: str = "text/event-stream",
    content_encoding: str = "",
    how: End = "complete",
    models: frozenset[str] = CHAT,
    path: str = "/v1/chat/completions",
) -> Ended:
    """What is left of an answer whose pieces come at 11, 12, 13 … to a request of 10."""
    wire = Wire(labelling=Labelling(models), begun=10, path=path)
    wire.request_piece(body)
    wire.request_end()
    wire.answer_head(status, content_type=content_type, content_encoding=content_encoding)
    for now, piece in enumerate(answer, start=11):
        wire.answer_piece(piece, now)
    return wire.end(how, 10 + len(answer))


def heard(*answer: bytes, **kwargs: object) -> Exchange:
    return heard_out(*answer, **kwargs).exchange  # type: ignore[arg-type]


def document(fields: object, **kwargs: object) -> Exchange:
    raw = json.dumps(fields).encode()
    return heard(raw, body=request(), content_type="application/json", **kwargs)


def test_a_stream_tells_first_token_gaps_tokens_and_reason() -> None:
    usage = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 7}})
    exchange = heard(text("a"), text("b"), b": ping\n\n", text("c"), finish("length"), usage, DONE)
    assert exchange.streamed
    assert exchange.outcome == "ok"
    assert exchange.status == 200
    assert exchange.first_token_seconds == 1
    assert exchange.gaps == gaps(1, 2)
    assert exchange.duration_seconds == 7
    assert exchange.finish_reason == "length"
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (3, 7)


def test_a_whole_answer_tells_tokens_and_reason_but_no_first_token() -> None:
    exchange = document(
        {
            "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 7},
        }
    )
    assert not exchange.streamed
    assert exchange.outcome == "ok"
    assert exchange.first_token_seconds is None
    assert exchange.gaps == NO_GAPS
    assert exchange.finish_reason == "stop"
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (3, 7)


@pytest.mark.parametrize(
    "chunk,is_content",
    [
        pytest.param(delta(role="assistant", content=None), False, id="a role alone is none"),
        pytest.param(delta(role="assistant", content=""), False, id="an empty text is none"),
        pytest.param(finish("stop"), False, id="a finish reason is none"),
        pytest.param(delta(content="x"), True, id="a chat delta is content"),
        pytest.param(delta(reasoning_content="x"), True, id="reasoning is content"),
        pytest.param(delta(tool_calls=[{"index": 0}]), True, id="a tool call is content"),
        pytest.param(text("x"), True, id="a completion's text is content"),
    ],
)
def test_what_counts_as_content(chunk: bytes, is_content: bool) -> None:  # noqa: FBT001
    exchange = heard(chunk, DONE)
    assert (exchange.first_token_seconds is not None) == is_content
    assert exchange.generation_tokens == (1 if is_content else None)


def test_each_choice_has_gaps_of_its_own() -> None:
    exchange = heard(text("a", 0), text("b", 1), text("c", 0), text("d", 1), DONE)
    assert exchange.gaps == gaps(2, 2)
    assert exchange.generation_tokens == 4


def test_endless_choices_share_one_clock() -> None:
    exchange = heard(*(text("a", index) for index in range(CHOICES_MAX + 3)), DONE)
    assert exchange.gaps == gaps(1, 1)


def test_llamacpp_timings_stand_in_for_usage() -> None:
    last = event({"choices": [], "timings": {"prompt_n": 2, "cache_n": 5, "predicted_n": 9}})
    exchange = heard(text("a"), last, DONE)
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (7, 9)


@pytest.mark.parametrize(
    "usage",
    [None, {}, [], {"prompt_tokens": -1, "completion_tokens": "7"}, {"prompt_tokens": True}],
    ids=["null", "empty", "a list", "not counts", "a boolean"],
)
def test_missing_usage_is_estimated_and_never_zero(usage: object) -> None:
    exchange = document({"choices": [], "usage": usage})
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (2, None)  # of "hello"
    assert (exchange.prompt_tokens_estimated, exchange.generation_tokens_estimated) == (True, False)


ERROR = event({"error": {"message": "out of memory", "code": 500}})


@pytest.mark.parametrize(
    "pieces,how,status,outcome",
    [
        pytest.param([text("a"), DONE], "complete", 200, "ok", id="a whole stream is ok"),
        pytest.param([text("a")], "complete", 200, "cut", id="a stream without its end is cut"),
        pytest.param([text("a")], "cut", 200, "cut", id="an upstream that dies cuts"),
        pytest.param([text("a"), DONE], "cut", 200, "cut", id="a body without its end is cut"),
        pytest.param([text("a"), ERROR, DONE], "complete", 200, "cut", id="an error event cuts"),
        pytest.param([b"error: {}\n\n", DONE], "complete", 200, "cut", id="an error line cuts"),
        pytest.param(
            [b"event: error\ndata: x\n\n", DONE], "complete", 200, "cut", id="so does its name"
        ),
        pytest.param([text("a")], "aborted", 200, "aborted", id="a client that leaves aborts"),
        pytest.param(
            [text("a"), DONE], "aborted", 200, "ok", id="leaving at the end marker is no abort"
        ),
        pytest.param([], "complete", 429, "client_error", id="4xx is the client's error"),
        pytest.param([ERROR], "complete", 500, "server_error", id="5xx is the server's error"),
    ],
)
def test_how_a_stream_ends(pieces: list[bytes], how: End, status: int, outcome: Outcome) -> None:
    assert heard(*pieces, how=how, status=status).outcome == outcome


@pytest.mark.parametrize(
    "how,outcome",
    [("unreachable", "unreachable"), ("aborted", "aborted"), ("cut", "cut")],
    ids=["no upstream", "the client left first", "the upstream closed without an answer"],
)
def test_without_an_answer_there_is_no_status(how: End, outcome: Outcome) -> None:
    wire = Wire(labelling=Labelling(CHAT), begun=0, path="/v1/completions")
    wire.request_piece(request(stream=True))
    wire.request_end()
    exchange = wire.end(how, 1).exchange
    assert exchange.streamed
    assert (exchange.outcome, exchange.status) == (outcome, None)
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (None, None)


def test_a_compressed_answer_is_not_measured_and_not_called_cut() -> None:
    exchange = heard(b"\x1f\x8b\x08", content_encoding="gzip")
    assert (exchange.outcome, exchange.streamed) == ("ok", True)
    assert exchange.first_token_seconds is None


def test_an_unknown_finish_reason_is_other() -> None:
    assert heard(text("a"), finish("because I said so"), DONE).finish_reason == "other"


@pytest.mark.parametrize(
    "fields,prompt",
    [
        pytest.param({"prompt": "four"}, "four", id="a prompt is a text"),
        pytest.param({"prompt": ["four", "five"]}, "fourfive", id="or several"),
        pytest.param({"prompt": [1, 2]}, "", id="token ids are no text"),
        pytest.param({"prompt": ""}, "", id="an empty prompt is none"),
        pytest.param(
            {"messages": [{"role": "system", "content": "ab"}, {"content": "cd"}]},
            "abcd",
            id="messages are added up",
        ),
        pytest.param(
            {"messages": [{"content": [{"type": "text", "text": "ab"}, {"image_url": {}}]}]},
            "ab",
            id="of parts, those of text",
        ),
        pytest.param({"messages": [{"content": None}, 7, None]}, "", id="odd messages are none"),
    ],
)
def test_the_text_of_a_prompt(fields: dict[str, object], prompt: str) -> None:
    ended = heard_out(DONE, body=json.dumps({"model": "chat", **fields}).encode())
    assert (ended.texts.prompt, ended.texts.prompt_chars) == (prompt, len(prompt))
    assert ended.exchange.features is None


def test_of_a_long_prompt_the_beginning_is_kept_and_its_length() -> None:
    texts = heard_out(DONE, body=request(prompt="x" * (TEXT_MAX + 5))).texts
    assert (texts.prompt, texts.prompt_chars) == ("x" * TEXT_MAX, TEXT_MAX + 5)


def test_a_request_beyond_the_limit_has_no_text_and_the_only_model() -> None:
    ended = heard_out(DONE, body=request(prompt="x" * LIMIT_BYTES))
    assert ended.texts == NO_TEXTS
    assert ended.exchange.model == "chat"


def test_an_answer_beyond_the_limit_is_ok_and_tells_nothing() -> None:
    exchange = document({"usage": {"completion_tokens": 1}, "text": "x" * LIMIT_BYTES})
    assert (exchange.outcome, exchange.generation_tokens) == ("ok", None)


@pytest.mark.parametrize(
    "named,allowed,label",
    [
        pytest.param({"model": "a"}, {"a", "b"}, "a", id="a configured name is itself"),
        pytest.param({"model": "c"}, {"a", "b"}, "other", id="any other name is other"),
        pytest.param({"model": "a"}, set(), "other", id="with nothing configured all are other"),
        pytest.param({}, {"a", "b"}, "", id="no name is empty"),
        pytest.param({}, {"a"}, "a", id="no name is the only one configured"),
        pytest.param({"model": 5}, {"a", "b"}, "", id="a number is no name"),
    ],
)
def test_model_names_pass_an_allow_list(
    named: dict[str, object], allowed: set[str], label: str
) -> None:
    body = json.dumps(named).encode()
    assert heard(DONE, body=body, models=frozenset(allowed)).model == label


@pytest.mark.parametrize(
    "method,path,measured",
    [
        ("POST", "/v1/chat/completions", True),
        ("POST", "/v1/completions", True),
        ("POST", "/openai/v1/chat/completions", True),
        ("POST", "/chat/completions", True),
        ("POST", "/completion", False),
        ("OPTIONS", "/v1/completions", False),
        ("GET", "/health", False),
        ("POST", "/v1/embeddings", False),
    ],
)
def test_only_completions_are_measured(method: str, path: str, measured: bool) -> None:  # noqa: FBT001
    assert is_measured(method, path) is measured


def whole(document: object) -> Exchange:
    """What was heard of one JSON document with status 200."""
    wire = Wire(labelling=Labelling(CHAT), begun=0.0, path="/v1/completions")
    wire.request_piece(json.dumps({"model": "chat", "prompt": "x"}).encode())
    wire.request_end()
    wire.answer_head(200, content_type="application/json", content_encoding="")
    wire.answer_piece(json.dumps(document).encode(), 1.0)
    return wire.end("complete", 1.0).exchange


def test_an_error_that_calls_itself_200_is_no_success() -> None:
    assert whole({"error": {"message": "out of memory"}}).outcome == "cut"
    assert whole({"choices": [{"text": "x"}]}).outcome == "ok"


@pytest.mark.parametrize("count", [2**53, 10**400, -1, 1.5, True, "7"])
def test_a_count_that_is_none_is_not_taken(count: object) -> None:
    usage = {"prompt_tokens": count, "completion_tokens": 7}
    exchange = whole({"choices": [{"text": "x"}], "usage": usage})
    assert (exchange.prompt_tokens, exchange.prompt_tokens_estimated) == (1, True)  # of "x"
    assert (exchange.generation_tokens, exchange.generation_tokens_estimated) == (7, False)


@pytest.mark.parametrize(
    "path,asked,streamed",
    [
        pytest.param("/v1/completions", {}, False, id="OpenAI's API does not stream by itself"),
        pytest.param("/v1/completions", {"stream": True}, True, id="OpenAI's streams if asked to"),
        pytest.param("/api/generate", {}, True, id="Ollama's streams by itself"),
        pytest.param("/api/chat", {"stream": False}, False, id="Ollama's does not if asked not to"),
    ],
)
def test_whether_it_streams_is_known_once_it_is_asked(
    path: str,
    asked: dict[str, object],
    streamed: bool,  # noqa: FBT001
) -> None:
    wire = Wire(labelling=Labelling(CHAT), begun=0, path=path)
    assert wire.streamed is None
    wire.request_piece(request(**asked))
    wire.request_end()
    assert wire.streamed is streamed
    wire.answer_head(400, content_type="application/json", content_encoding="")
    assert wire.streamed is False


def test_an_answer_may_come_before_its_request_is_whole() -> None:
    wire = Wire(labelling=Labelling(CHAT), begun=0, path="/v1/completions")
    wire.request_piece(b'{"model": "ch')
    wire.answer_head(413, content_type="text/plain", content_encoding="")
    wire.answer_piece(b"no", 1)
    exchange = wire.end("complete", 2).exchange
    assert (exchange.outcome, exchange.error) == ("client_error", "too_large")


MANY = b'{"prompt": [' + b'"a",' * MARKS_MAX + b'"a"]}'


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"a":' * 100_000, MANY],
    ids=["nothing", "half", "a list", "too deep", "too many values"],
)
def test_a_request_that_cannot_be_read_is_measured_without_it(body: bytes) -> None:
    exchange = heard(text("a"), DONE, body=body)
    assert (exchange.outcome, exchange.model, exchange.prompt_tokens) == ("ok", "chat", None)


def test_only_what_says_that_it_is_json_is_malformed() -> None:
    def outcome(raw: bytes, content_type: str) -> tuple[Outcome, object]:
        exchange = heard(raw, content_type=content_type)
        return exchange.outcome, exchange.error

    assert outcome(b"hello", "application/json") == ("cut", "malformed")
    assert outcome(b"hello", "text/plain") == ("ok", None)
    assert outcome(b"[1]", "application/json") == ("ok", None)


@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_an_answer_of_too_many_values_is_ok_and_tells_nothing_of_them(content_type: str) -> None:
    many = b'{"id": "a", "choices": [{"text": "a", "logprobs": [' + b"1," * MARKS_MAX + b"1]}]}"
    pieces = [b"data: " + many + b"\n\n", DONE] if "event" in content_type else [many]
    exchange = heard(*pieces, content_type=content_type)
    assert (exchange.outcome, exchange.error, exchange.answer_key) == ("ok", None, None)


def test_half_a_document_is_cut_and_not_malformed() -> None:
    exchange = heard(b'{"choices', content_type="application/json", how="cut")
    assert (exchange.outcome, exchange.error) == ("cut", "cut")


def test_of_many_choices_the_first_is_the_answer() -> None:
    texts = heard_out(text("b", 1), text("a", 0), text("d", 1), text("c", 0), DONE).texts
    assert (texts.answer, texts.answer_chars) == ("ac", 2)


def test_of_a_long_answer_the_beginning_is_kept_and_its_length() -> None:
    pieces = [text("xy" * 100) for _ in range(1_000)]
    texts = heard_out(*pieces, DONE).texts
    assert texts.answer == "xy" * (TEXT_MAX // 2)
    assert texts.answer_chars == 200_000


@pytest.mark.parametrize(
    "path,route",
    [
        ("/v1/chat/completions", "chat"),
        ("/llm/v1/completions", "completions"),
        ("/api/chat", "ollama_chat"),
        ("/ollama/api/generate", "ollama_generate"),
    ],
)
def test_the_route_is_told(path: str, route: str) -> None:
    assert heard(DONE, path=path).route == route
    assert is_measured("POST", path)
