"""Why a request failed, in a closed vocabulary, from what the engine answered.

No clock, no network, no logging: same arguments, same answer. An error's message is searched for
fixed phrases, and goes no further.
"""

from tidegauge.traffic.exchange import ErrorClass
from tidegauge.traffic.hearing.document import count, mapping, text

# `code` and `type` of OpenAI's API, vLLM, SGLang, llama.cpp and Text Generation Inference, in
# lower case. docs/traffic-tap.md says which engine says what.
_NAMES: dict[str, ErrorClass] = {
    "context_length_exceeded": "context_length",
    "exceed_context_size_error": "context_length",
    "invalid_api_key": "auth",
    "authentication_error": "auth",
    "permission_error": "auth",
    "unauthorized": "auth",
    "model_not_found": "not_found",
    "not_found_error": "not_found",
    "notfounderror": "not_found",
    "rate_limit_exceeded": "rate_limited",
    "rate_limit_error": "rate_limited",
    "insufficient_quota": "rate_limited",
    "too_many_requests": "rate_limited",
    "tokens": "rate_limited",  # what OpenAI's limits per minute call their type
    "requests": "rate_limited",
    "overloaded": "overloaded",
    "overloaded_error": "overloaded",
    "unavailable_error": "overloaded",
    "service_unavailable_error": "overloaded",
    "serviceunavailableerror": "overloaded",
    "service_unavailable": "overloaded",
    "timeout": "timeout",
    "timeout_error": "timeout",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
}

# Said in no other field: vLLM and SGLang call a prompt that is too long a "BadRequestError".
_PHRASES: tuple[tuple[str, ErrorClass], ...] = (
    ("context length", "context_length"),
    ("context size", "context_length"),
    ("context window", "context_length"),
    ("maximum model length", "context_length"),
    ("prompt is too long", "context_length"),
    ("out of memory", "out_of_memory"),
    ("more system memory", "out_of_memory"),  # Ollama
    ("failed to allocate", "out_of_memory"),
    ("server busy", "overloaded"),  # Ollama
    ("queue is full", "overloaded"),  # SGLang
    ("timed out", "timeout"),
    ("loading model", "overloaded"),  # llama.cpp, while it starts
)
_MESSAGE_CHARS = 2_000  # such phrases are at the beginning; a message may quote a whole prompt

_STATUSES: dict[int, ErrorClass] = {
    401: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    413: "too_large",
    429: "rate_limited",
    501: "bad_request",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}


def error_class(error: object, status: int | None) -> ErrorClass:
    """The class of an error: what it is named, else what its message says, else its status.

    `error` is what stood under `error` in the answer, or the answer itself where that is the
    error; None where there was neither. `status` counts if it is one of an error; otherwise the
    error's own `code` does, as in the middle of a stream.

    >>> error_class({"type": "BadRequestError", "message": "maximum context length is 8"}, 400)
    'context_length'
    >>> error_class("model 'x' not found", 404), error_class({"code": 500}, 200)
    ('not_found', 'internal')
    """
    fields = mapping(error) or {"message": error}
    for key in ("code", "type", "error_type"):
        if (named := _named(fields.get(key))) is not None:
            return named
    if (phrased := _phrased(text(fields.get("message")), status)) is not None:
        return phrased
    said = status if status is not None and status >= 400 else count(fields.get("code"))  # noqa: PLR2004
    return _of_status(said)


def _named(name: object) -> ErrorClass | None:
    return _NAMES.get(name.lower()) if isinstance(name, str) else None


def _phrased(message: str, status: int | None) -> ErrorClass | None:
    beginning = message[:_MESSAGE_CHARS].lower()
    phrased = next((found for phrase, found in _PHRASES if phrase in beginning), None)
    # What refuses a request may quote it; only of its length it says the reason in words.
    is_refusal = status is not None and 400 <= status < 500  # noqa: PLR2004
    return phrased if phrased == "context_length" or not is_refusal else None


def _of_status(status: int | None) -> ErrorClass:
    if status is None or not 400 <= status <= 599:  # noqa: PLR2004  # as RFC 9110 divides them
        return "other"
    return _STATUSES.get(status, "bad_request" if status < 500 else "internal")  # noqa: PLR2004
