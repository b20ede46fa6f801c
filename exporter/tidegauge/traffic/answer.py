"""What one JSON document of an answer says: a whole answer, or one chunk of a streamed one.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass

from tidegauge.traffic.document import count, mapping, objects
from tidegauge.traffic.exchange import FINISH_REASONS, OTHER

# Where choices carry what the model generated. Reasoning and tool calls are tokens as text is.
_CONTENT_KEYS = (
    "content",
    "reasoning_content",
    "reasoning",
    "refusal",
    "tool_calls",
    "function_call",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one document; `content` lists the indexes of the choices that carry any."""

    content: tuple[int, ...] = ()
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    generation_tokens: int | None = None
    failed: bool = False


def facts(document: dict[str, object] | None) -> Facts:
    """What an OpenAI-style completion or chunk says; no facts where it is none."""
    if document is None:
        return Facts()
    choices = objects(document.get("choices"))
    prompt_tokens, generation_tokens = _tokens(document)
    return Facts(
        content=tuple(_index(choice) for choice in choices if _has_content(choice)),
        finish_reason=_finish_reason(choices),
        prompt_tokens=prompt_tokens,
        generation_tokens=generation_tokens,
        failed=bool(document.get("error")),
    )


def _index(choice: dict[str, object]) -> int:
    return count(choice.get("index")) or 0


def _has_content(choice: dict[str, object]) -> bool:
    """Not the opening chunk that only says the role, nor the last that only says why it ended."""
    message = mapping(choice.get("delta")) or mapping(choice.get("message")) or {}
    return bool(choice.get("text")) or any(message.get(key) for key in _CONTENT_KEYS)


def _finish_reason(choices: list[dict[str, object]]) -> str | None:
    reasons = [choice.get("finish_reason") for choice in choices]
    named = [reason for reason in reasons if isinstance(reason, str) and reason]
    if not named:
        return None
    return named[-1] if named[-1] in FINISH_REASONS else OTHER


def _tokens(document: dict[str, object]) -> tuple[int | None, int | None]:
    """Prompt and generation tokens, from `usage`, else from llama.cpp's `timings`."""
    usage = mapping(document.get("usage")) or {}
    timings = mapping(document.get("timings")) or {}
    prompt = count(usage.get("prompt_tokens"))
    generation = count(usage.get("completion_tokens"))
    return (
        _timed_prompt(timings) if prompt is None else prompt,
        count(timings.get("predicted_n")) if generation is None else generation,
    )


def _timed_prompt(timings: dict[str, object]) -> int | None:
    """`prompt_n` leaves out the tokens found in the cache, which `cache_n` counts."""
    fresh = count(timings.get("prompt_n"))
    return None if fresh is None else fresh + (count(timings.get("cache_n")) or 0)
