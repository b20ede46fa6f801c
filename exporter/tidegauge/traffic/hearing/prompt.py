"""What a request asks for: model, streaming, how many answers, and the text of its prompt.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tidegauge.traffic.ended import TEXT_MAX
from tidegauge.traffic.exchange import Route
from tidegauge.traffic.hearing.document import count, members, objects, text
from tidegauge.traffic.hearing.routes import OLLAMA
from tidegauge.traffic.hearing.tokens import estimated_tokens, utf8_bytes


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts of one request; the defaults are those of a request that could not be read.

    Attributes:
        model: as the client spelled it.
        streamed: it asked for a stream.
        choices_per_prompt: how many answers to each prompt.
        prompt: the beginning of its text, up to TEXT_MAX characters; "" if there is none.
        prompt_chars: the length of all its text.
        prompt_tokens: estimated from all its text; the number of token ids where it has those.
            None where there is neither.
        is_echoed: the answer's text is to begin with the prompt.
    """

    model: str | None = field(default=None, repr=False)
    streamed: bool = False
    choices_per_prompt: int = 1
    prompt: str = field(default="", repr=False)
    prompt_chars: int = 0
    prompt_tokens: int | None = None
    is_echoed: bool = False


def asked(body: dict[str, object], route: Route) -> Asked:
    """What a body asks for: OpenAI's `prompt` or `messages`, Ollama's `system` and `suffix` too."""
    model = body.get("model")
    prompt = "".join((*_prompt_texts(body), *_message_texts(body.get("messages"))))
    token_ids = _token_ids(body.get("prompt"))
    tokens = token_ids + estimated_tokens(utf8_bytes(prompt))
    return Asked(
        model=model if isinstance(model, str) else None,
        # Ollama streams unless it is told not to, OpenAI's API only if it is told to.
        streamed=body.get("stream") is not False if route in OLLAMA else body.get("stream") is True,
        choices_per_prompt=count(body.get("n")) or 1,
        prompt=prompt[:TEXT_MAX],
        prompt_chars=len(prompt),
        prompt_tokens=tokens or None,
        is_echoed=body.get("echo") is True,
    )


def _prompt_texts(body: dict[str, object]) -> Iterator[str]:
    """A prompt is one text, several texts, or token ids, which are no text."""
    yield text(body.get("system"))
    prompt = body.get("prompt")
    yield text(prompt)
    yield from (each for each in members(prompt) if isinstance(each, str))
    yield text(body.get("suffix"))


def _token_ids(prompt: object) -> int:
    """One list of ids, or several."""
    lists = [each for each in members(prompt) if isinstance(each, list)]
    return sum(count(each) is not None for ids in (members(prompt), *lists) for each in ids)


def _message_texts(messages: object) -> Iterator[str]:
    for message in objects(messages):
        content = message.get("content")
        yield text(content)
        # Text parts only: an image is a part too, and its URL is no prompt.
        yield from (text(part.get("text")) for part in objects(content))
