"""Exchanges of about 1,000 tokens, at 4 bytes of text a token: from files, or made of few words."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

BYTES_PER_SIDE = 2000  # 500 tokens
EXCHANGES = 50

_PROSE = (
    "the tide rises and falls twice a day because of the moon "
    "What time is high water at Brest on 7 June 2026, please? "
    "| port | height | **4.2 m** | `tides --now` | (see https://example.org/tides) |\n"
)
_CHINESE_PROSE = "潮汐 每天 涨落 两次, 因为 月亮。 今天 高潮 是 几点? 4.2 米\n"


class NoTextError(Exception):
    """A file that holds none; the message names it."""


@dataclass(frozen=True, slots=True)
class TextPair:
    prompt: str
    answer: str


def built_in(*, chinese: bool = False) -> Sequence[TextPair]:
    """The same at every run."""
    words, state, known = [], 1, (_CHINESE_PROSE if chinese else _PROSE).split(" ")
    for _ in range(EXCHANGES * 2 * BYTES_PER_SIDE // 4):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        words.append(known[(state >> 16) % len(known)])
    return _pairs(" ".join(words), " ".join(reversed(words)))


def of_files(prompts: Path, answers: Path) -> Sequence[TextPair]:
    """From JSON lines with a field `text`.

    Raises:
        NoTextError: too little is there.
    """
    return _pairs(_text(prompts), _text(answers))


def _text(path: Path) -> str:
    wanted = EXCHANGES * BYTES_PER_SIDE
    text = "\n".join(_texts(path, wanted))
    if not text:
        raise NoTextError(f"{path}: no lines with a text")
    return text * (wanted // len(text) + 1)


def _texts(path: Path, wanted: int) -> Iterator[str]:
    had = 0
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            text = json.loads(line)["text"]
            had += len(text)
            yield text
            if had > wanted:
                return


def _pairs(prompts: str, answers: str) -> Sequence[TextPair]:
    return [
        TextPair(prompt, answer)
        for prompt, answer in zip(_pieces(prompts), _pieces(answers), strict=False)
    ][:EXCHANGES]


def _pieces(text: str) -> Iterator[str]:
    encoded = text.encode()
    for start in range(0, len(encoded) - BYTES_PER_SIDE + 1, BYTES_PER_SIDE):
        yield encoded[start : start + BYTES_PER_SIDE].decode(errors="ignore")
