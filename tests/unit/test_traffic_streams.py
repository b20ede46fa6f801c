"""Each answer under tests/fixtures/streams, and what is heard of it."""

from dataclasses import dataclass

import pytest

from tests.streams import Recorded, recorded
from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.exchange import ErrorClass, Outcome

ANSWERS = {answer.name: answer for answer in recorded()}
LLAMACPP = "llamacpp-b11549"
VLLM = "vllm-0.32"
TIDE = "\ufffd\x11\ufffdan#"  # what its random model says
HALF_A_CALL = '<tool_call>{"name": "tide", "arguments": 6.47264419E202}</tool'


@dataclass(frozen=True, slots=True)
class Told:
    """Tokens below 0 are estimates: -5 is about 5."""

    outcome: Outcome = "ok"
    error: ErrorClass | None = None
    finish: str | None = "stop"
    prompt: int | None = -5  # "Where is my parcel?" has 19 bytes
    generation: int | None = None
    gaps: int = 0
    text: str = ""


REFUSED = Told("client_error", "bad_request", None, None)
FAILED = Told("server_error", "internal", None, None)


def refused(error: ErrorClass) -> Told:
    return Told("client_error", error, None, None)


def failed(error: ErrorClass) -> Told:
    return Told("server_error", error, None, None)


EXPECTED = {
    f"{LLAMACPP}/chat": Told("ok", None, "length", 37, 3, 0, "J$i"),
    f"{LLAMACPP}/chat-stream": Told("ok", None, "length", 37, 3, 2, "J$i"),
    f"{LLAMACPP}/chat-stream-usage": Told("ok", None, "length", 37, 3, 2, "J$i"),
    f"{LLAMACPP}/chat-stream-timings": Told("ok", None, "length", 37, 3, 2, "J$i"),
    f"{LLAMACPP}/chat-logprobs-stream": Told("ok", None, "length", 37, 3, 2, "J$i"),
    # Its usage is that of the first choice, whatever n was; streamed, each choice says its own.
    f"{LLAMACPP}/chat-two": Told("ok", None, "length", 37, 3, 0, "J$i"),
    f"{LLAMACPP}/chat-two-stream": Told("ok", None, "length", 37, 6, 4, "J$i"),
    f"{LLAMACPP}/chat-two-stream-usage": Told("ok", None, "length", 37, 6, 4, "J$i"),
    f"{LLAMACPP}/text": Told("ok", None, "length", 9, 3, 0, ":Zi"),
    f"{LLAMACPP}/text-stream": Told("ok", None, "length", 9, 3, 2, ":Zi"),
    f"{LLAMACPP}/text-batch": Told("ok", None, "length", 9, 3, 0, ":Zi"),
    f"{LLAMACPP}/text-batch-stream": Told("ok", None, "length", 20, 6, 4, ":Zi"),
    f"{LLAMACPP}/text-token-ids": Told("ok", None, "length", 3, 3, 0, "A$>"),
    f"{LLAMACPP}/error-not-messages": REFUSED,
    f"{LLAMACPP}/error-grammar-stream": REFUSED,
    f"{LLAMACPP}/error-too-long": refused("context_length"),
    f"{LLAMACPP}/error-too-long-stream": refused("context_length"),
    f"{LLAMACPP}/error-no-ollama": refused("not_found"),
    "llamacpp-shapes/chat-stream-error": Told("cut", "context_length", None, -5, -1, 0, "On"),
    "llamacpp-shapes/chat-stream-error-2024": Told("cut", "stream_error", None, -5, -1, 0, "On"),
    "llamacpp-shapes/chat-stream-tools": Told("ok", None, "tool_calls", 14, 12, 2),
    "llamacpp-shapes/error-loading": failed("overloaded"),
    # Its random model says bytes that are no characters, so that some tokens come without text.
    f"{VLLM}/chat": Told("ok", None, "length", 30, 8, 0, TIDE),
    f"{VLLM}/chat-stream": Told("ok", None, "length", -6, -3, 2, TIDE),
    f"{VLLM}/chat-stream-usage": Told("ok", None, "length", 30, 8, 2, TIDE),
    f"{VLLM}/chat-logprobs-stream": Told("ok", None, "length", -6, -2, 1, "\ufffd\x11\ufffdan"),
    f"{VLLM}/chat-two": Told("ok", None, "length", 36, 6, 0, "\x11"),
    f"{VLLM}/chat-two-stream": Told("ok", None, "length", -5, -3, 1, "\x11"),
    f"{VLLM}/chat-two-stream-usage": Told("ok", None, "length", 30, 10, 5, TIDE),
    f"{VLLM}/chat-two-every-usage": Told("ok", None, "length", 36, 6, 1, "\x11"),
    f"{VLLM}/chat-tools": Told("ok", None, "tool_calls", 36, 56),
    f"{VLLM}/chat-tools-stream": Told("ok", None, "tool_calls", 36, 56, 1),
    f"{VLLM}/chat-stream-error": Told(
        "cut", "stream_error", None, -5, -2, 1, "\x11\ufffd\ufffd\ufffds"
    ),
    f"{VLLM}/text": Told("ok", None, "length", 2, 8, 0, TIDE),
    f"{VLLM}/text-stream": Told("ok", None, "length", -2, -1, 0, "\x11"),
    f"{VLLM}/text-echo-stream": Told("ok", None, "length", -2, -1, 0, "\x11"),
    f"{VLLM}/text-batch": Told("ok", None, "length", 18, 6, 0, "\x11"),
    f"{VLLM}/text-batch-stream": Told("ok", None, "length", -5, -2, 0, "\x11"),
    f"{VLLM}/text-batch-every-usage": Told("ok", None, "length", 18, 6, 0, "\x11"),
    f"{VLLM}/text-token-ids": Told("ok", None, "length", 3, 3, 0, "\x11"),
    f"{VLLM}/chat-stream-usage-with-every-chunk": Told("ok", None, "length", 30, 5, 0, TIDE),
    f"{VLLM}/text-stream-usage": Told("ok", None, "length", 2, 8, 2, TIDE),
    f"{VLLM}/chat-stream-tool-named": Told("ok", None, "length", 30, 60, 14),
    f"{VLLM}/chat-stream-tool-required": Told("ok", None, "tool_calls", -6, -15, 14),
    f"{VLLM}/chat-tool-named": Told("ok", None, "length", 30, 60, 0, HALF_A_CALL),
    f"{VLLM}/error-not-messages": REFUSED,
    f"{VLLM}/error-too-long": refused("context_length"),
    f"{VLLM}/error-too-long-stream": refused("context_length"),
    f"{VLLM}/error-no-such-model": refused("not_found"),
    f"{VLLM}/error-no-ollama": refused("not_found"),
    "vllm-shapes/chat-stream-reasoning": Told("ok", None, "stop", 14, 9, 2, "On its way."),
    "vllm-shapes/chat-stream-tools": Told("ok", None, "tool_calls", -5, -3, 2),
    "vllm-shapes/text-batch-stream-usage-with-every-chunk": Told(
        "ok", None, "stop", 9, 5, 1, " my parcel"
    ),
    "vllm-shapes/text-logprobs": Told("ok", None, "length", 2, 1, 0, " my"),
    "vllm-shapes/error-too-long-0.9": refused("context_length"),
    "vllm-shapes/error-unauthorized": refused("auth"),
    "sglang-shapes/chat-stream": Told("ok", None, "stop", -5, -2, 1, "On its way"),
    "sglang-shapes/chat-stream-aborted": Told("cut", "overloaded", None, -5, -1, 0, "On"),
    "sglang-shapes/error-too-long": refused("context_length"),
    "ollama-shapes/chat": Told("ok", None, "stop", 26, 3, 0, "On its way"),
    "ollama-shapes/chat-stream": Told("ok", None, "stop", 26, 3, 2, "On its way"),
    "ollama-shapes/chat-stream-thinking": Told("ok", None, "length", 26, 8, 2, "Soon."),
    "ollama-shapes/chat-stream-tools": Told("ok", None, "stop", 26, 21),
    "ollama-shapes/chat-load": Told("ok", None, "other", None, None),
    "ollama-shapes/generate-stream": Told("ok", None, "stop", 26, 3, 2, "On its way"),
    "ollama-shapes/generate-stream-cached": Told("ok", None, "stop", -5, 1, 0, "Here"),
    "ollama-shapes/generate-stream-error": Told("cut", "out_of_memory", None, -5, -2, 1, " Yes."),
    "ollama-shapes/error-no-such-model": refused("not_found"),
    "ollama-shapes/error-busy": failed("overloaded"),
    "ollama-shapes/error-memory": failed("out_of_memory"),
    "ollama-shapes/openai-chat-stream": Told("ok", None, "stop", -5, -1, 0, "On its"),
    "other-shapes/comments-crlf-and-event-names": Told("ok", None, "stop", -5, -2, 1, "On its way"),
    "other-shapes/content-in-parts": Told("ok", None, "stop", -5, -3, 0, "On its way"),
    "other-shapes/cr-alone": Told("ok", None, "stop", -5, -1, 0, "Grüße, 小包"),
    "other-shapes/error-event": Told("cut", "timeout", None, -5, -1, 0, "On"),
    "other-shapes/function-call": Told("ok", None, "tool_calls", -5, -3, 2),
    "other-shapes/gateway-page": FAILED,
    "other-shapes/malformed-chunk": Told("cut", "malformed", "stop", -5, -2, 1, "On way"),
    "other-shapes/malformed-document": Told("cut", "malformed", None, -5, None),
    "other-shapes/no-end-marker": Told("cut", "cut", "stop", -5, -1, 0, "On"),
}


def told(answer: Recorded) -> Told:
    ended = answer.heard()
    it = ended.exchange
    return Told(
        it.outcome,
        it.error,
        it.finish_reason,
        _signed(it.prompt_tokens, estimated=it.prompt_tokens_estimated),
        _signed(it.generation_tokens, estimated=it.generation_tokens_estimated),
        sum(it.gaps.counts),
        ended.texts.answer,
    )


def _signed(tokens: int | None, *, estimated: bool) -> int | None:
    return -tokens if estimated and tokens is not None else tokens


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_is_heard(name: str) -> None:
    assert told(ANSWERS[name]) == EXPECTED[name]


def test_each_answer_is_expected() -> None:
    assert EXPECTED.keys() == ANSWERS.keys()


def test_an_answer_is_known_by_its_id() -> None:
    exchange = ANSWERS["ollama-shapes/openai-chat-stream"].heard().exchange
    assert exchange.answer_key == answer_key("chatcmpl-123")


def test_ollama_gives_its_answers_no_id() -> None:
    assert ANSWERS["ollama-shapes/chat-stream"].heard().exchange.answer_key is None


@pytest.mark.parametrize("name", ANSWERS)
def test_each_route_and_stream_is_known(name: str) -> None:
    answer = ANSWERS[name]
    exchange = answer.heard().exchange
    assert exchange.route != "other"
    assert exchange.streamed == (
        answer.content_type.split(";")[0] not in ("application/json", "text/html")
    )
