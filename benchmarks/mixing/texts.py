"""Folders of texts: ordinary traffic and domains, or the answers of several models."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BASE = "base_*.jsonl"


class NoTextsError(Exception):
    """A folder or a file is not of the form; the message names it."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """`base` is ordinary; of `domains` each is another kind, by its file's name. `files`: read."""

    base: Sequence[str]
    domains: Mapping[str, Sequence[str]]
    files: Sequence[str]


def prompts(folder: Path) -> Prompts:
    """`base_*.jsonl` and every other `*.jsonl`: a JSON object with `text` a line.

    Raises:
        NoTextsError: there is no base, or no domain, or a line is of another form.
    """
    found, bases = sorted(folder.glob("*.jsonl")), sorted(folder.glob(BASE))
    if not bases or len(found) == len(bases):
        raise NoTextsError(f"{folder}: wants a {BASE} and at least one other *.jsonl")
    domains = {path.stem: _texts(path) for path in found if path not in bases}
    base = [text for path in bases for text in _texts(path)]
    return Prompts(base, domains, [path.name for path in found])


def answers(folder: Path) -> Mapping[str, Sequence[str]]:
    """Of each file's model, by its name, cut to as many as all have.

    Raises:
        NoTextsError: there are not two models, or a line is of another form.
    """
    models = {path.stem: _texts(path) for path in sorted(folder.glob("*.jsonl"))}
    if len(models) < 2:  # noqa: PLR2004 - one to swap for another
        raise NoTextsError(f"{folder}: needs the .jsonl of at least two models")
    fewest = min(map(len, models.values()))
    return {model: texts[:fewest] for model, texts in models.items()}


def _texts(path: Path) -> Sequence[str]:
    with path.open(encoding="utf-8") as lines:
        try:
            return [str(json.loads(line)["text"]) for line in lines if line.strip()]
        except (ValueError, KeyError, TypeError) as error:
            message = f'{path}: each line must be a JSON object with "text" ({error})'
            raise NoTextsError(message) from None
