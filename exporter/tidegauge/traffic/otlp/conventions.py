"""What attributes and events are called: GenAI's names, old and new, engines' own, and others'.

No clock, no network, no logging: same arguments, same answer. A new name is an entry here, with
where it is from, and a span in tests/unit/test_otlp_conventions.py.

- OpenTelemetry's GenAI conventions 1.27 to 1.41, and those that have been in development since in
  a repository of their own: `gen_ai.*`.
- vLLM 0.29 and SGLang 0.5: `gen_ai.latency.*`, `gen_ai.request.id`, `gen_ai.usage.*_tokens`.
- OpenLLMetry (traceloop) 0.4: `llm.*`, and messages as `gen_ai.prompt.0.content`.
- OpenInference 0.1: `openinference.span.kind`, `llm.token_count.*`, `llm.input_messages.0.…`.
"""

import re

from tidegauge.traffic.exchange import Route

OPERATION = "gen_ai.operation.name"
ROUTES: dict[str, Route] = {
    "chat": "chat",
    "text_completion": "completions",
    "generate_content": "other",
}
"""Operations that ask a model for text; others are agents, tools, embeddings, and ignored."""

REQUEST_TYPE = "llm.request.type"
REQUEST_TYPE_ROUTES: dict[str, Route] = {"chat": "chat", "completion": "completions"}

KIND = "openinference.span.kind"
KIND_ROUTES: dict[str, Route] = {"LLM": "chat"}

CHAIN = "traceloop.span.kind"  # a workflow, a task, an agent or a tool: never a request

# Each in order: the first that is there, and can be read, counts.
MODEL = (
    "gen_ai.request.model",
    "gen_ai.response.model",
    "llm.request.model_name",
    "llm.response.model_name",
    "llm.model_name",
    "llm.request.model",
    "llm.response.model",
)
ANSWER_ID = ("gen_ai.response.id", "gen_ai.request.id")
PROMPT_TOKENS = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
    "llm.token_count.prompt",
)
GENERATION_TOKENS = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
)
FINISH_REASON = (
    "gen_ai.response.finish_reasons",
    "gen_ai.response.finish_reason",
    "llm.response.finish_reason",
    "llm.response.stop_reason",
    "llm.finish_reason",
)
STREAMED = ("gen_ai.request.stream", "gen_ai.is_streaming", "llm.is_streaming")
FIRST_TOKEN_SECONDS = ("gen_ai.response.time_to_first_chunk", "gen_ai.latency.time_to_first_token")
DURATION_SECONDS = ("gen_ai.latency.e2e",)
STATUS = ("http.response.status_code", "http.status_code")
ERROR_TYPE = ("error.type", "exception.type")

PROMPT_MESSAGES = ("gen_ai.system_instructions", "gen_ai.input.messages")
ANSWER_MESSAGES = ("gen_ai.output.messages",)
PROMPT_TEXT = ("gen_ai.prompt",)
ANSWER_TEXT = ("gen_ai.completion",)

EXCEPTION_EVENT = "exception"
DETAILS_EVENT = "gen_ai.client.inference.operation.details"
PROMPT_EVENTS = frozenset(
    {
        "gen_ai.content.prompt",
        "gen_ai.system.message",
        "gen_ai.user.message",
        "gen_ai.assistant.message",
        "gen_ai.tool.message",
    }
)
ANSWER_EVENTS = frozenset({"gen_ai.content.completion", "gen_ai.choice"})
EVENT_TEXT = ("gen_ai.event.content", *PROMPT_TEXT, *ANSWER_TEXT, "content", "body", "message")

# Messages spread over attributes, one per field: the group is the index of the message.
PROMPT_INDEXED = re.compile(
    r"gen_ai\.prompt\.(\d{1,4})\.content"
    r"|llm\.input_messages\.(\d{1,4})\.message\.(?:content|contents\.\d{1,4}\.message_content\.text)"
    r"|llm\.prompts\.(\d{1,4})\.prompt\.text"
)
ANSWER_INDEXED = re.compile(
    r"gen_ai\.completion\.(\d{1,4})\.content"
    r"|llm\.output_messages\.(\d{1,4})\.message\.(?:content|contents\.\d{1,4}\.message_content\.text)"
    r"|llm\.choices\.(\d{1,4})\.completion\.text"
)
INDEXED_FINISH_REASON = "gen_ai.completion.0.finish_reason"

_NAMED = frozenset(
    {
        OPERATION,
        REQUEST_TYPE,
        KIND,
        CHAIN,
        INDEXED_FINISH_REASON,
        *MODEL,
        *ANSWER_ID,
        *PROMPT_TOKENS,
        *GENERATION_TOKENS,
        *FINISH_REASON,
        *STREAMED,
        *FIRST_TOKEN_SECONDS,
        *DURATION_SECONDS,
        *STATUS,
        *ERROR_TYPE,
        *PROMPT_MESSAGES,
        *ANSWER_MESSAGES,
        *PROMPT_TEXT,
        *ANSWER_TEXT,
    }
)
_INDEXED = ("gen_ai.prompt.", "gen_ai.completion.", "llm.")
_EVENT_NAMES = frozenset({EXCEPTION_EVENT, DETAILS_EVENT, *PROMPT_EVENTS, *ANSWER_EVENTS})
_EVENT_ATTRIBUTES = frozenset({*_NAMED, *EVENT_TEXT})


def is_read(attribute: str) -> bool:
    """Whether an attribute of a span is of use; the others are never looked at."""
    if attribute in _NAMED:
        return True
    if not attribute.startswith(_INDEXED):
        return False
    return bool(PROMPT_INDEXED.fullmatch(attribute) or ANSWER_INDEXED.fullmatch(attribute))


def is_read_event(name: str) -> bool:
    """Whether an event of a span is of use."""
    return name in _EVENT_NAMES


def is_read_of_event(attribute: str) -> bool:
    """Whether an attribute of such an event is of use."""
    return attribute in _EVENT_ATTRIBUTES
