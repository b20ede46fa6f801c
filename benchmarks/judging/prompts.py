"""A folder of prompts: `base_*.jsonl` is ordinary traffic, every other file a domain of its own.

One JSON object with a `text` a line. What is made of a text is what a sidecar makes of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegauge.drift.row import Row, row_of
from tidegauge.traffic.exchange import NO_GAPS, Exchange
from tidegauge.traffic.features import features
from tidegauge.traffic.texts.vectors import Embed

CHARACTERS_PER_TOKEN = 4  # as the tap estimates them where an engine does not say
MODEL = "bench"


class PromptsError(Exception):
    """A folder that is not of the form; the message names it and what is missing."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """Texts; `files` are the names of those that were read."""

    base: Sequence[str]
    domains: Mapping[str, Sequence[str]]
    files: Sequence[str]


def read(folder: Path) -> Prompts:
    """All of it.

    Raises:
        PromptsError: there is no base, no domain, or a line without a text.
    """
    paths = sorted(folder.glob("*.jsonl"))
    base = [path for path in paths if path.name.startswith("base_")]
    others = [path for path in paths if path not in base]
    if not base or not others:
        raise PromptsError(f"{folder}: wants a base_*.jsonl and at least one other *.jsonl")
    return Prompts(
        [text for path in base for text in _texts(path)],
        {path.stem: _texts(path) for path in others},
        [path.name for path in (*base, *others)],
    )


def exchange_of(prompt: str, answer: str = "") -> Exchange:
    """A request with its features, but no vectors; with no answer, nothing is known of it."""
    return Exchange(
        model=MODEL,
        streamed=False,
        outcome="ok",
        status=200,
        finish_reason="stop" if answer else None,
        duration_seconds=0.2 + 0.02 * _tokens(answer),
        first_token_seconds=None,
        gaps=NO_GAPS,
        prompt_tokens=_tokens(prompt),
        generation_tokens=_tokens(answer) if answer else None,
        features=features(prompt, answer),
    )


def rows_of(texts: Sequence[str], embed: Embed) -> list[Row]:
    """Of each text that has a semantic vector."""
    rows = [row_of(exchange_of(text)) for text in texts]
    vectors = [embed(text) for text in texts]
    return [
        Row(row.cells, (vector, None))
        for row, vector in zip(rows, vectors, strict=True)
        if vector is not None
    ]


def _tokens(text: str) -> int:
    return max(1, len(text) // CHARACTERS_PER_TOKEN)


def _texts(path: Path) -> list[str]:
    texts = list[str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                texts.append(str(json.loads(line)["text"]))
            except (ValueError, KeyError, TypeError):
                raise PromptsError(f'{path}:{number}: wants {{"text": …}}') from None
    return texts
