"""What a request asks for: model, streaming, and the text of its prompt.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tidegauge.traffic.document import objects


@dataclass(frozen=True, slots=True)
class Asked:
    """The facts of one request; the defaults are those of a request that could not be read."""

    model: str | None = None
    streamed: bool = False
    prompt: str = field(default="", repr=False)


def asked(body: dict[str, object] | None) -> Asked:
    """What an OpenAI-style body asks for: `prompt` of text, `messages` of chat completions."""
    if body is None:
        return Asked()
    model = body.get("model")
    texts = (*_prompt_texts(body.get("prompt")), *_message_texts(body.get("messages")))
    return Asked(
        model=model if isinstance(model, str) else None,
        streamed=body.get("stream") is True,
        prompt="".join(texts),
    )


def _prompt_texts(prompt: object) -> Iterator[str]:
    """A prompt is one text, several texts, or token ids, which are no text."""
    if isinstance(prompt, str):
        yield prompt
    elif isinstance(prompt, list):
        yield from (text for text in prompt if isinstance(text, str))


def _message_texts(messages: object) -> Iterator[str]:
    for message in objects(messages):
        content = message.get("content")
        if isinstance(content, str):
            yield content
        for part in objects(content):
            yield from _part_text(part)


def _part_text(part: dict[str, object]) -> Iterator[str]:
    """Text parts only: an image is a part too, and its URL is no prompt."""
    text = part.get("text")
    if isinstance(text, str):
        yield text
