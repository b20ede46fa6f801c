"""What spans of each convention say of an exchange, and which spans say nothing of one.

The spans are as the instrumentations write them: of OpenTelemetry's conventions before and after
1.37, vLLM 0.29, SGLang 0.5, OpenLLMetry, OpenInference, and Azure's SDK.
"""

import json
from collections.abc import Mapping, Sequence

import pytest

from tests.otlp import Made, as_json, as_protobuf
from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.otlp import from_json, from_protobuf
from tidegauge.traffic.otlp.reading import ended, route
from tidegauge.traffic.otlp.span import Span, is_whole

LABELLING = Labelling(frozenset({"chat", "embedder"}), {"chat": "v2"})
MESSAGES = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief. "}]},
    {
        "role": "user",
        "parts": [
            {"type": "text", "content": "High tide?"},
            {"type": "blob", "modality": "image", "content": "aGk="},
        ],
    },
    {"role": "tool", "parts": [{"type": "tool_call_response", "response": "noon"}]},
]
ANSWER = [
    {"role": "assistant", "parts": [{"type": "text", "content": "Noon."}], "finish_reason": "stop"}
]
CURRENT: Mapping[str, object] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "chat",
    "gen_ai.request.stream": True,
    "gen_ai.response.model": "chat-0613",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ["length", "stop"],
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 34,
    "gen_ai.usage.cache_read.input_tokens": 5,
}
NUMBERS = {"prompt_tokens": 12, "generation_tokens": 34}


def both(made: Made) -> Span:
    """The span, read from either encoding: they have to agree."""
    (of_protobuf,) = from_protobuf.spans(as_protobuf(made))
    (of_json,) = from_json.spans(as_json(made))
    assert of_protobuf == of_json
    assert is_whole(of_protobuf)
    return of_protobuf


def read(
    attributes: Mapping[str, object],
    events: Sequence[tuple[str, Mapping[str, object]]] = (),
    *,
    kind: int = 3,
    status: int = 0,
) -> Ended:
    span = both(Made(attributes, events, kind=kind, status=status))
    asked = route(span)
    assert asked is not None
    return ended(span, asked, LABELLING)


def test_the_current_attributes_say_all_but_the_gaps() -> None:
    structured = {"gen_ai.input.messages": MESSAGES, "gen_ai.output.messages": ANSWER}
    told = read({**CURRENT, **structured})
    exchange = told.exchange
    assert (exchange.model, exchange.version, exchange.route) == ("chat", "v2", "chat")
    assert (exchange.outcome, exchange.error, exchange.status) == ("ok", None, None)
    assert (exchange.streamed, exchange.finish_reason) == (True, "stop")
    assert (exchange.duration_seconds, exchange.first_token_seconds) == (0.5, 0.25)
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (12, 34)
    assert not exchange.prompt_tokens_estimated
    assert exchange.answer_key == answer_key("chatcmpl-1")
    assert sum(exchange.gaps.counts) == 0
    assert (told.texts.prompt, told.texts.answer) == ("Be brief. High tide?", "Noon.")
    assert (told.texts.prompt_chars, told.texts.answer_chars) == (20, 5)


TEXTS = ("Be brief. High tide?", "Noon.")
PLAIN_MESSAGES = [
    {"role": "system", "content": "Be brief. "},
    {"role": "user", "content": [{"type": "text", "text": "High tide?"}]},
]


@pytest.mark.parametrize(
    "attributes, events",
    [
        pytest.param(
            {
                "gen_ai.input.messages": json.dumps(MESSAGES),
                "gen_ai.output.messages": json.dumps(ANSWER),
            },
            (),
            id="current attributes as JSON text, which SDKs without structured ones write",
        ),
        pytest.param(
            {
                "gen_ai.system_instructions": json.dumps(
                    [{"type": "text", "content": "Be brief. "}]
                ),
                "gen_ai.input.messages": json.dumps(MESSAGES[1:]),
                "gen_ai.output.messages": json.dumps(ANSWER),
            },
            (),
            id="instructions beside the history",
        ),
        pytest.param(
            {},
            (
                (
                    "gen_ai.client.inference.operation.details",
                    {"gen_ai.input.messages": MESSAGES, "gen_ai.output.messages": ANSWER},
                ),
            ),
            id="the event of details, since 1.37",
        ),
        pytest.param(
            {},
            (
                ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(PLAIN_MESSAGES)}),
                (
                    "gen_ai.content.completion",
                    {"gen_ai.completion": json.dumps([{"role": "assistant", "content": TEXTS[1]}])},
                ),
            ),
            id="events of content, until 1.27",
        ),
        pytest.param(
            {},
            (
                (
                    "gen_ai.system.message",
                    {"gen_ai.event.content": '{"role": "system", "content": "Be brief. "}'},
                ),
                (
                    "gen_ai.user.message",
                    {"gen_ai.event.content": '{"role": "user", "content": "High tide?"}'},
                ),
                (
                    "gen_ai.choice",
                    {"gen_ai.event.content": '{"message": {"content": "Noon."}, "index": 0}'},
                ),
            ),
            id="an event a message, 1.28 to 1.36, as Azure's SDK writes them into spans",
        ),
        pytest.param(
            {},
            (
                ("gen_ai.system.message", {"content": "Be brief. "}),
                ("gen_ai.user.message", {"content": "High tide?"}),
                ("gen_ai.choice", {"message": "Noon.", "finish_reason": "stop"}),
            ),
            id="an event a message, whose text is an attribute",
        ),
        pytest.param(
            {
                "gen_ai.prompt.0.role": "system",
                "gen_ai.prompt.0.content": "Be brief. ",
                "gen_ai.prompt.1.content": '[{"type": "text", "text": "High tide?"}]',
                "gen_ai.completion.0.content": "Noon.",
            },
            (),
            id="OpenLLMetry's attribute a message",
        ),
        pytest.param(
            {
                "llm.input_messages.0.message.content": "Be brief. ",
                "llm.input_messages.1.message.contents.0.message_content.text": "High tide?",
                "llm.output_messages.0.message.content": "Noon.",
                "input.value": "the whole request, which is not read",
            },
            (),
            id="OpenInference's attribute a message",
        ),
        pytest.param(
            {"gen_ai.prompt": "Be brief. High tide?", "gen_ai.completion": "Noon."},
            (),
            id="attributes of text",
        ),
    ],
)
def test_texts_are_found_wherever_they_were_put(
    attributes: Mapping[str, object], events: Sequence[tuple[str, Mapping[str, object]]]
) -> None:
    told = read({"gen_ai.operation.name": "chat", **attributes}, events)
    assert (told.texts.prompt, told.texts.answer) == TEXTS


def test_messages_of_attributes_come_in_their_order_not_that_of_the_wire() -> None:
    spread = {f"gen_ai.prompt.{index}.content": f"{index} " for index in (10, 2, 0)}
    assert read({"gen_ai.operation.name": "chat", **spread}).texts.prompt == "0 2 10 "


def test_a_text_that_is_written_twice_is_read_once() -> None:
    twice = {"gen_ai.input.messages": json.dumps(MESSAGES), "gen_ai.prompt.0.content": "again"}
    events = (("gen_ai.user.message", {"content": "and again"}),)
    assert read({**CURRENT, **twice}, events).texts.prompt == TEXTS[0]


@pytest.mark.parametrize(
    "text", ["[not JSON, but a prompt", "{", "[" * 5000, '[["' + "x" * 9 + '"]]', "42"]
)
def test_a_prompt_that_looks_like_json_is_still_a_prompt(text: str) -> None:
    told = read({"gen_ai.operation.name": "chat", "gen_ai.prompt": text})
    assert told.texts.prompt in (text, "x" * 9)


def test_no_repr_shows_any_text() -> None:
    marked = {**CURRENT, "gen_ai.prompt": "MARKER", "gen_ai.input.messages": [{"parts": "MARKER"}]}
    made = Made(marked, (("gen_ai.user.message", {"content": "MARKER"}),))
    span = both(made)
    assert "MARKER" in str(dict(span.attributes))
    assert "MARKER" not in repr(span)
    assert "MARKER" not in repr(ended(span, "chat", LABELLING))


def test_an_older_clients_span_is_told_by_its_usage() -> None:
    old = {
        "gen_ai.system": "openai",
        "gen_ai.request.model": "embedder",
        "gen_ai.response.finish_reasons": ["tool_calls"],
        "gen_ai.usage.prompt_tokens": 12,
        "gen_ai.usage.completion_tokens": 34,
    }
    exchange = read(old).exchange
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (12, 34)
    assert (exchange.model, exchange.finish_reason, exchange.route) == (
        "embedder",
        "tool_calls",
        "other",
    )


@pytest.mark.parametrize("newest", [True, False], ids=["vLLM, opted in", "vLLM and SGLang"])
def test_an_engines_own_span_says_what_it_measured(*, newest: bool) -> None:
    named = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "chat"}
    own = {
        "gen_ai.request.id": "chatcmpl-1",
        "gen_ai.request.n": 1,
        "gen_ai.usage.num_sequences": 1,
        "gen_ai.usage.prompt_tokens": 12,
        "gen_ai.usage.completion_tokens": 34,
        "gen_ai.latency.time_in_queue": 0.00005,
        "gen_ai.latency.time_to_first_token": 0.1155,
        "gen_ai.latency.e2e": 0.2536,
    }
    exchange = read({**own, **(named if newest else {})}, kind=2).exchange
    assert (exchange.duration_seconds, exchange.first_token_seconds) == (0.2536, 0.1155)
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (12, 34)
    assert exchange.answer_key == answer_key("chatcmpl-1")
    assert exchange.route == ("chat" if newest else "other")
    assert exchange.model == ("chat" if newest else "")


def test_openllmetry_and_openinference_have_names_of_their_own() -> None:
    traceloop = {
        "llm.request.type": "completion",
        "llm.is_streaming": True,
        "gen_ai.request.model": "chat",
        "llm.usage.total_tokens": 46,
        "llm.usage.prompt_tokens": 12,
        "llm.usage.completion_tokens": 34,
        "llm.response.finish_reason": "end_turn",
    }
    exchange = read(traceloop).exchange
    assert (exchange.route, exchange.streamed, exchange.finish_reason) == (
        "completions",
        True,
        "stop",
    )
    inference = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "chat",
        "llm.token_count.prompt": 12,
        "llm.token_count.completion": 34,
    }
    of_inference = read(inference, kind=1).exchange
    assert (of_inference.model, of_inference.route) == ("chat", "chat")
    for each in (exchange, of_inference):
        assert (each.prompt_tokens, each.generation_tokens) == (12, 34)


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"http.request.method": "POST", "http.response.status_code": 200},
        {"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 3},
        {"gen_ai.operation.name": "invoke_agent", **NUMBERS, "gen_ai.usage.input_tokens": 3},
        {"gen_ai.operation.name": "execute_tool"},
        {"gen_ai.operation.name": "create_agent"},
        {"gen_ai.operation.name": "a new one"},
        {"traceloop.span.kind": "workflow", "llm.usage.prompt_tokens": 3},
        {"openinference.span.kind": "CHAIN", "llm.token_count.prompt": 3},
        {"openinference.span.kind": "EMBEDDING"},
        {"llm.request.type": "rerank"},
        {"gen_ai.request.model": "chat"},
    ],
    ids=str,
)
def test_other_spans_ask_no_model(attributes: Mapping[str, object]) -> None:
    assert route(both(Made(attributes))) is None


@pytest.mark.parametrize(
    "attributes, status, expected",
    [
        ({"error.type": "openai.RateLimitError"}, 2, ("client_error", "rate_limited", None)),
        ({"error.type": "429"}, 2, ("client_error", "rate_limited", 429)),
        ({"error.type": "timeout"}, 2, ("server_error", "timeout", None)),
        ({"error.type": "APITimeoutError"}, 2, ("server_error", "timeout", None)),
        ({"error.type": "APIConnectionError"}, 2, ("unreachable", "unreachable", None)),
        ({"error.type": "context_length_exceeded"}, 2, ("client_error", "context_length", None)),
        ({"error.type": "asyncio.CancelledError"}, 2, ("aborted", None, None)),
        ({"error.type": "500"}, 0, ("server_error", "internal", 500)),
        ({"error.type": "SomethingNew"}, 2, ("server_error", "other", None)),
        ({}, 2, ("server_error", "other", None)),
        ({"http.response.status_code": 503}, 2, ("server_error", "overloaded", 503)),
        ({"http.response.status_code": 418}, 0, ("client_error", "bad_request", 418)),
        ({"http.response.status_code": 200}, 1, ("ok", None, 200)),
        ({"http.response.status_code": 200}, 2, ("server_error", "other", 200)),
        ({}, 0, ("ok", None, None)),
        ({"error.type": "x" * 100_000}, 2, ("server_error", "other", None)),
    ],
)
def test_a_failure_has_an_outcome_and_a_class(
    attributes: Mapping[str, object], status: int, expected: tuple[str, str | None, int | None]
) -> None:
    exchange = read({"gen_ai.operation.name": "chat", **attributes}, status=status).exchange
    assert (exchange.outcome, exchange.error, exchange.status) == expected


def test_an_exception_tells_why_only_where_the_span_failed() -> None:
    events = (("exception", {"exception.type": "openai.NotFoundError", "exception.message": "M"}),)
    chat = {"gen_ai.operation.name": "chat"}
    assert read(chat, events, status=2).exchange.error == "not_found"
    assert read(chat, events, status=0).exchange.outcome == "ok"


@pytest.mark.parametrize("value", [-1, 2**53, 1.5, "12", True, [12], {"a": 1}], ids=str)
def test_a_number_that_is_none_is_not_known(value: object) -> None:
    read_in = read({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": value})
    assert read_in.exchange.prompt_tokens is None


def test_a_whole_number_that_came_as_a_fraction_is_one() -> None:
    read_in = read({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 12.0})
    assert read_in.exchange.prompt_tokens == 12


@pytest.mark.parametrize("value", [-0.1, 1e9, True, "0.1"], ids=str)
def test_a_time_that_is_none_is_not_known(value: object) -> None:
    chat = {"gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": value}
    assert read(chat).exchange.first_token_seconds is None


def test_models_of_no_configuration_are_other() -> None:
    for model in ("gpt-9", "", "x" * 1_000_000):
        told = read({"gen_ai.operation.name": "chat", "gen_ai.request.model": model})
        assert told.exchange.model in ("other", "")
