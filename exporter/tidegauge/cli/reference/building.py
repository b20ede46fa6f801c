"""A reference of a file of requests."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tidegauge import __version__
from tidegauge.cli.reference.lines import Seen, read_lines
from tidegauge.cli.reference.showing import UNTIMED
from tidegauge.drift.reference import (
    MIN_REFERENCE_REQUESTS,
    UNTIMED_BEGIN,
    DriftReferenceError,
    Reference,
)
from tidegauge.drift.sketch import Sketch
from tidegauge.traffic.texts.embedding import STATIC
from tidegauge.traffic.texts.vectorizing import load
from tidegauge.traffic.texts.vectors import VectorKind

_FUTURE_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Built:
    """A reference, and what should be known of it."""

    reference: Reference
    notes: tuple[str, ...]


def from_lines(path: Path, *, model: str, kinds: tuple[VectorKind, ...], now: float) -> Built:
    """The reference of the requests in a file. `now`: Unix seconds.

    Raises:
        OSError: it cannot be read.
        DriftReferenceError: a line is wrong, or there are too few.
    """
    with path.open("rb") as lines:
        seen = read_lines(lines, name=str(path), vectorize=load(kinds), kinds=kinds)
        sketch, notes = Sketch(model), list[str]()
        for at, each in _timed(seen, str(path)):
            sketch.add(each.row, at=at)
    if sketch.requests < MIN_REFERENCE_REQUESTS:
        raise DriftReferenceError(
            f"{path}: {sketch.requests} usable lines, at least {MIN_REFERENCE_REQUESTS} needed"
        )
    semantic = STATIC.identity if "semantic" in kinds else ""
    reference = Reference.of(sketch, made_by=__version__, semantic=semantic)
    if not reference.timed:
        notes.append(UNTIMED)
    if sketch.end and sketch.end > now + _FUTURE_SECONDS:
        notes.append("the last request is in the future; are times in seconds?")
    return Built(reference, tuple(notes))


def _timed(seen: Iterator[Seen], name: str) -> Iterator[tuple[float, Seen]]:
    """Each with its time; one a second where no line has one."""
    timed: bool | None = None
    for number, each in enumerate(seen):
        timed = each.at is not None if timed is None else timed
        if timed != (each.at is not None):
            raise DriftReferenceError(
                f"{name}: request {number + 1}: time: give it of all requests, or of none"
            )
        yield (UNTIMED_BEGIN + number if each.at is None else each.at), each
