"""Hears a completion for the proxy, and fails open: a bug in it costs that measurement alone.

Nothing in here may keep a byte from passing, so whatever is raised ends here, in one log line that
names its class and quotes nothing.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.head import AnswerHead, values
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.wire import End, Wire

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """Where exchanges go: `record` is told of each at its end, `arrivals` of their beginning too.

    `clock` is monotonic, in seconds.
    """

    record: Callable[[Ended], None]
    arrivals: Arrivals
    clock: Callable[[], float]


class Ear:
    """Hears one request and its answer; `end` it once."""

    def __init__(self, measured: Measured, labelling: Labelling, path: str) -> None:
        self._measured = measured
        self._wire: Wire | None = Wire(labelling=labelling, begun=measured.clock(), path=path)
        measured.arrivals.begin()

    def request(self, pieces: Sequence[bytes]) -> None:
        """Some of the request's body, whatever framed it."""
        if self._wire:
            try:
                for piece in pieces:
                    self._wire.request_piece(piece)
            except Exception as error:  # noqa: BLE001 - any bug, see above
                self._fail(error)

    def request_end(self) -> None:
        """The request is whole."""
        if self._wire:
            try:
                self._wire.request_end()
            except Exception as error:  # noqa: BLE001 - any bug, see above
                self._fail(error)

    def answer_head(self, head: AnswerHead) -> None:
        """The final head of the answer."""
        if self._wire:
            try:
                self._wire.answer_head(
                    head.status,
                    content_type=_first(head, b"content-type"),
                    content_encoding=_first(head, b"content-encoding"),
                )
            except Exception as error:  # noqa: BLE001 - any bug, see above
                self._fail(error)

    def answer(self, pieces: Sequence[bytes]) -> None:
        """Some of the answer's body, whatever framed it."""
        if self._wire:
            try:
                now = self._measured.clock()
                for piece in pieces:
                    self._wire.answer_piece(piece, now)
            except Exception as error:  # noqa: BLE001 - any bug, see above
                self._fail(error)

    def end(self, how: End) -> None:
        """It is over, and this is how its transport ended."""
        self._measured.arrivals.end()
        if self._wire:
            try:
                self._measured.record(self._wire.end(how, self._measured.clock()))
            except Exception as error:  # noqa: BLE001 - any bug, see above
                self._fail(error)
            self._wire = None

    def _fail(self, error: Exception) -> None:
        self._wire = None
        logger.error("an exchange is not measured", extra={"error": type(error).__name__})


def _first(head: AnswerHead, name: bytes) -> str:
    return next(iter(values(head.fields, name)), b"").decode("latin-1")
