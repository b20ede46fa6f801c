"""What a document of Ollama's native API says: a whole answer, or one line of a streamed one.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.traffic.hearing.document import count, mapping, text
from tidegauge.traffic.hearing.told import Told
from tidegauge.traffic.hearing.usage import Tokens


def read_chunk(line: dict[str, object], now: float, told: Told) -> None:
    """Tell what one line of a stream says, which came at `now`."""
    message = mapping(line.get("message")) or line
    said = _said(line, message)
    if said or message.get("thinking") or message.get("tool_calls"):
        told.chunk(0, said, now)
    _read_rest(line, told)


def read_whole(answer: dict[str, object], told: Told) -> None:
    """Tell what an answer in one document says."""
    message = mapping(answer.get("message")) or answer
    told.whole(0, _said(answer, message), text(message.get("thinking")))
    _read_rest(answer, told)


def _said(document: dict[str, object], message: dict[str, object]) -> str:
    return text(message.get("content")) or text(document.get("response"))


def _read_rest(document: dict[str, object], told: Told) -> None:
    """The last line of a stream has `done`, and a whole answer's fields."""
    if error := document.get("error"):
        told.fail(error)
    if document.get("done") is True:
        told.ended = True
        told.finish(document.get("done_reason"))
        counts = count(document.get("prompt_eval_count")), count(document.get("eval_count"))
        told.usage.of_whole(Tokens(*counts))
