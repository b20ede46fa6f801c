"""Which requests ask a model for text, and by which API.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.traffic.exchange import Route

# By how the path ends: engines serve these under a prefix too, or without /v1. llama.cpp's own
# /completion and /completions are not among them.
_ENDINGS: tuple[tuple[str, Route], ...] = (
    ("/chat/completions", "chat"),
    ("/v1/completions", "completions"),
    ("/api/chat", "ollama_chat"),
    ("/api/generate", "ollama_generate"),
)
OLLAMA: frozenset[Route] = frozenset({"ollama_chat", "ollama_generate"})


def route_of(path: str) -> Route:
    """What a path (without its query) asks for; "other" if it is none that we can read.

    >>> route_of("/v1/chat/completions"), route_of("/llm/api/chat"), route_of("/v1/embeddings")
    ('chat', 'ollama_chat', 'other')
    """
    return next((route for ending, route in _ENDINGS if path.endswith(ending)), "other")


def is_measured(method: str, path: str) -> bool:
    """Whether a request asks a model for text, and so becomes an `Exchange`."""
    return method == "POST" and route_of(path) != "other"
