"""What an OpenAI-style document says: a whole completion, or one chunk of a streamed one.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator

from tidegauge.traffic.hearing.document import count, mapping, objects, text
from tidegauge.traffic.hearing.told import Told
from tidegauge.traffic.hearing.usage import Tokens

# What the model generated and the user is not shown. Reasoning and tool calls are tokens as text
# is; `reasoning` is what newer vLLM calls `reasoning_content`.
_UNSAID_KEYS = ("reasoning_content", "reasoning", "tool_calls", "function_call", "audio")


def read_chunk(chunk: dict[str, object], now: float, told: Told) -> None:
    """Tell what one chunk of a stream says, which came at `now`."""
    choices = objects(chunk.get("choices"))
    for choice in choices:
        message = mapping(choice.get("delta")) or mapping(choice.get("message")) or {}
        said = _said(choice, message)
        if said or any(message.get(key) for key in _UNSAID_KEYS):
            told.chunk(_index(choice), said, now)
    _read_rest(chunk, choices, told)
    usage, timings = chunk.get("usage"), chunk.get("timings")
    if not (usage or timings):  # as in nearly all of them
        return
    tokens = _tokens(usage, timings)
    if choices:
        told.usage.of_choice(_index(choices[0]), tokens)
    elif timings:  # llama.cpp
        told.usage.of_closed_choice(tokens)
    else:
        told.usage.of_whole(tokens)


def read_whole(answer: dict[str, object], told: Told) -> None:
    """Tell what an answer in one document says."""
    choices = objects(answer.get("choices"))
    for choice in choices:
        message = mapping(choice.get("message")) or {}
        told.whole(_index(choice), _said(choice, message), "".join(_unsaid(message)))
    _read_rest(answer, choices, told)
    told.usage.of_whole(_tokens(answer.get("usage"), answer.get("timings")))


def _read_rest(document: dict[str, object], choices: list[dict[str, object]], told: Told) -> None:
    for choice in choices:
        told.finish(choice.get("finish_reason"))
    if told.key is None:
        told.identify(document.get("id"))
    if error := document.get("error"):
        told.fail(error)
    elif document.get("object") == "error":  # vLLM before 0.10.2, SGLang
        told.fail(document)


def _index(choice: dict[str, object]) -> int:
    return count(choice.get("index")) or 0


def _said(choice: dict[str, object], message: dict[str, object]) -> str:
    """Text of a text completion, content or refusal of a chat; content may come in parts."""
    content = message.get("content")
    if isinstance(content, str) and content:
        return content
    parts = "".join(text(part.get("text")) for part in objects(content))
    return parts or text(message.get("refusal")) or text(choice.get("text"))


def _unsaid(message: dict[str, object]) -> Iterator[str]:
    # One of two names of the same text, never both: some servers send both.
    yield text(message.get("reasoning_content")) or text(message.get("reasoning"))
    calls = [call.get("function") for call in objects(message.get("tool_calls"))]
    for call in (*calls, message.get("function_call")):
        function = mapping(call) or {}
        yield text(function.get("name"))
        yield text(function.get("arguments"))


def _tokens(usage: object, timings: object) -> Tokens:
    """From `usage`, else from llama.cpp's `timings`."""
    used, timed = mapping(usage) or {}, mapping(timings) or {}
    said = Tokens(count(used.get("prompt_tokens")), count(used.get("completion_tokens")))
    return said.after(Tokens(_timed_prompt(timed), count(timed.get("predicted_n"))))


def _timed_prompt(timings: dict[str, object]) -> int | None:
    """`prompt_n` leaves out the tokens found in the cache, which `cache_n` counts."""
    fresh = count(timings.get("prompt_n"))
    return None if fresh is None else fresh + (count(timings.get("cache_n")) or 0)
