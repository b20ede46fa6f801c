"""Why a request failed, from what engines say."""

import pytest

from tidegauge.traffic.exchange import ERROR_CLASSES, ErrorClass
from tidegauge.traffic.hearing.error_class import error_class


@pytest.mark.parametrize(
    "error,status,expected",
    [
        pytest.param(
            {"code": "context_length_exceeded"}, 400, "context_length", id="OpenAI's code"
        ),
        pytest.param(
            {"type": "exceed_context_size_error"}, 400, "context_length", id="llama.cpp's"
        ),
        pytest.param(
            {
                "type": "BadRequestError",
                "message": "The input (9 tokens) is longer than the model's "
                "context length (8 tokens).",
            },
            400,
            "context_length",
            id="only the message says that it is too long",
        ),
        pytest.param({"code": "invalid_api_key"}, 401, "auth", id="a key"),
        pytest.param({"type": "requests", "code": None}, 429, "rate_limited", id="a limit's type"),
        pytest.param({"type": "NotFoundError"}, 404, "not_found", id="vLLM's types are classes"),
        pytest.param({"code": "content_filter"}, 400, "content_filter", id="a filter"),
        pytest.param({"message": "CUDA out of memory. Tried"}, 500, "out_of_memory", id="memory"),
        pytest.param(
            "CUDA error: Out Of Memory", 500, "out_of_memory", id="an error that is a text"
        ),
        pytest.param({"error_type": "overloaded"}, 429, "overloaded", id="TGI's error_type"),
        pytest.param({"code": 503}, 200, "overloaded", id="a code in the middle of a stream"),
        pytest.param({"code": 503}, 400, "bad_request", id="a status is more than a code"),
        pytest.param({"code": 7}, 200, "other", id="a code that is no status"),
        pytest.param({"type": "who knows"}, None, "other", id="an unknown type"),
        pytest.param(
            {"message": "messages: 'the GPU is out of memory' is no list"},
            422,
            "bad_request",
            id="a refusal that quotes the request",
        ),
        pytest.param({"message": "x" * 5_000 + "out of memory"}, 500, "internal", id="a quotation"),
        pytest.param(
            {"type": ["tokens"], "code": {}, "message": 7}, 500, "internal", id="no texts"
        ),
        *(
            pytest.param(None, status, expected, id=f"{status}")
            for status, expected in {
                400: "bad_request",
                401: "auth",
                403: "auth",
                404: "not_found",
                408: "timeout",
                413: "too_large",
                422: "bad_request",
                429: "rate_limited",
                499: "bad_request",
                500: "internal",
                501: "bad_request",
                502: "internal",
                503: "overloaded",
                504: "timeout",
                599: "internal",
            }.items()
        ),
    ],
)
def test_an_error_has_a_class(error: object, status: int | None, expected: ErrorClass) -> None:
    assert error_class(error, status) == expected
    assert expected in ERROR_CLASSES
