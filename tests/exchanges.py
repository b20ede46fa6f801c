"""An exchange as a test wants it."""

from tidegauge.traffic.exchange import NO_GAPS, Exchange


def exchange(**changes: object) -> Exchange:
    """A short answer that ended well, or something else by `changes`."""
    fields: dict[str, object] = {
        "model": "chat",
        "streamed": False,
        "outcome": "ok",
        "status": 200,
        "finish_reason": "stop",
        "duration_seconds": 0.5,
        "first_token_seconds": None,
        "gaps": NO_GAPS,
        "prompt_tokens": 7,
        "generation_tokens": 3,
        "features": None,
    }
    return Exchange(**{**fields, **changes})
