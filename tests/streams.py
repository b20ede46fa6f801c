"""Answers of engines under tests/fixtures/streams, and what the wire parser hears of them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tidegauge.traffic.ended import Ended
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.outcome import End
from tidegauge.traffic.wire import Wire

FOLDER = Path(__file__).parent / "fixtures" / "streams"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request, and the answer to it as it came."""

    name: str
    path: str
    request: bytes
    status: int
    content_type: str
    answer: bytes

    def heard(
        self, pieces: Iterable[bytes] | None = None, *, how: End = "complete", step: float = 1.0
    ) -> Ended:
        """What is left of it when its pieces come one every `step` seconds; whole by default."""
        wire = Wire(labelling=Labelling(frozenset({"chat"})), begun=0.0, path=self.path)
        wire.request_piece(self.request)
        wire.request_end()
        wire.answer_head(self.status, content_type=self.content_type, content_encoding="")
        now = 0.0
        for piece in (self.answer,) if pieces is None else pieces:
            now += step
            wire.answer_piece(piece, now)
        return wire.end(how, now)


def recorded() -> list[Recorded]:
    """All of them, in the order of their names."""
    return [_read(path) for path in sorted(FOLDER.glob("*/*.stream"))]


def _read(path: Path) -> Recorded:
    first, _, answer = path.read_bytes().partition(b"\n")
    head = json.loads(first)
    return Recorded(
        name=f"{path.parent.name}/{path.stem}",
        path=head["path"],
        request=json.dumps(head["request"]).encode(),
        status=head["status"],
        content_type=head["content_type"],
        answer=answer,
    )
