"""Lines of requests as JSON, each made a row of cells at once: no text outlives its line."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from tidegauge.drift.cells import CHANNELS
from tidegauge.drift.reference import DriftReferenceError
from tidegauge.drift.row import Row, row_of
from tidegauge.traffic.ended import TEXT_MAX, Ended, Texts
from tidegauge.traffic.exchange import FINISH_REASONS, NO_GAPS, OTHER, Exchange
from tidegauge.traffic.measuring import with_features
from tidegauge.traffic.pushed import LONGEST_SECONDS, MOST_TOKENS
from tidegauge.traffic.texts.vectorizing import Vectorize, job_of
from tidegauge.traffic.texts.vectors import VectorKind

_LAST_SECOND = 253_402_300_799  # the year 9999
_SHOWN_CHARACTERS = 40
_QUOTED = ("completion_tokens", "prompt_tokens", "duration_seconds", "first_token_seconds", "time")
_TIMING = next(channel for channel in CHANNELS if channel.name == "answer_seconds_per_token")

_Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS)]
_Seconds = Annotated[float, Field(ge=0, le=LONGEST_SECONDS, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class _Line:
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True, extra="ignore")

    prompt: Annotated[str, Field(min_length=1, repr=False)]
    answer: str | None = None
    completion_tokens: _Tokens | None = None
    prompt_tokens: _Tokens | None = None
    finish_reason: str | None = None
    duration_seconds: _Seconds | None = None
    first_token_seconds: _Seconds | None = None
    time: str | float | None = None


_LINE = TypeAdapter(_Line)


@dataclass(frozen=True, slots=True)
class Seen:
    """A request, and when it ended in Unix seconds, if its line says so."""

    row: Row
    at: float | None


def read_lines(
    lines: Iterable[bytes], *, name: str, vectorize: Vectorize, kinds: tuple[VectorKind, ...]
) -> Iterator[Seen]:
    """One for each line that is not empty.

    Raises:
        DriftReferenceError: a line is wrong; says which, and repeats no text.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{name}: line {number}"
            read = _read(line, where)
            yield Seen(_row(read, vectorize, kinds), _at(read.time, where))


def _read(line: bytes, where: str) -> _Line:
    try:
        return _LINE.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    bad = f", not {repr(first['input'])[:_SHOWN_CHARACTERS]}" if field in _QUOTED else ""
    raise DriftReferenceError(f"{where}: {field}{': ' if field else ''}{first['msg']}{bad}")


def _row(line: _Line, vectorize: Vectorize, kinds: tuple[VectorKind, ...]) -> Row:
    answer = line.answer or ""
    texts = Texts(line.prompt[:TEXT_MAX], answer[:TEXT_MAX], len(line.prompt), len(answer))
    row = row_of(with_features(Ended(_exchange(line), texts)))
    cells = row.cells
    if line.duration_seconds is None:
        cells = tuple(cell for cell in cells if not _TIMING.first <= cell < _TIMING.place.stop)
    job = job_of(0, texts.prompt, texts.answer, kinds)
    if job is None:
        return Row(cells)
    made = vectorize(job)
    return Row(cells, (made.semantic, made.style))


def _exchange(line: _Line) -> Exchange:
    reason = line.finish_reason
    return Exchange(
        model="",
        streamed=line.first_token_seconds is not None,
        outcome="ok",
        status=None,
        finish_reason=reason if reason is None or reason in FINISH_REASONS else OTHER,
        duration_seconds=line.duration_seconds or 0.0,
        first_token_seconds=line.first_token_seconds,
        gaps=NO_GAPS,
        prompt_tokens=line.prompt_tokens,
        generation_tokens=line.completion_tokens,
        features=None,
    )


def _at(time: str | float | None, where: str) -> float | None:
    if time is None:
        return None
    seconds = _moment(time) if isinstance(time, str) else time
    if seconds is None or not math.isfinite(seconds) or not 0 < seconds <= _LAST_SECOND:
        raise DriftReferenceError(
            f"{where}: time: {repr(time)[:_SHOWN_CHARACTERS]} is neither a time with a zone, such "
            "as 2026-01-31T12:00:00Z, nor Unix seconds"
        )
    return seconds


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None
