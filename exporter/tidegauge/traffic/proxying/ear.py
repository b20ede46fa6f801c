"""Hears completions for the proxy: aside of the bytes' way, and failing open.

All that has arrived is passed on before any of it is looked at: an engine writes the next token of
all its streams at once, and the last of them need not wait for what is made of the first. A bug in
measuring costs that measurement alone: what is raised ends here, in one log line that names its
class and quotes nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote_to_bytes

from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.hearing.wire import End, Wire
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.proxying.head import AnswerHead, Fields, RequestHead, values

logger = logging.getLogger(__name__)


class Aside:
    """Calls that wait, in their order, until what has arrived is passed on."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []

    def call(self, later: Callable[[], None]) -> None:
        """Call it soon."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self.run)
        self._waiting.append(later)

    def run(self) -> None:
        """Call all that wait now."""
        waiting, self._waiting = self._waiting, []
        for later in waiting:
            later()


@dataclass(frozen=True, slots=True)
class Measured:
    """Where what is heard goes: `record` is told at each end, `arrivals` of beginnings too.

    `clock` is monotonic, in seconds.
    """

    record: Callable[[Ended], None]
    arrivals: Arrivals
    clock: Callable[[], float]
    aside: Aside


def path_of(head: RequestHead) -> str:
    """The path that a request asks for, without its query and percent encoding."""
    return unquote_to_bytes(head.target.partition(b"?")[0]).decode("latin-1")


class Ear:
    """Hears one request and its answer; `end` it once."""

    def __init__(self, measured: Measured, labelling: Labelling, head: RequestHead) -> None:
        self._measured = measured
        self._clock = measured.clock
        self._aside = measured.aside
        self._streams = False
        self._wire: Wire | None = Wire(
            labelling=labelling,
            begun=measured.clock(),
            path=path_of(head),
            client=_client(labelling, head),
        )
        measured.arrivals.begin()

    def request(self, pieces: Sequence[bytes]) -> None:
        """Some of the request's body, whatever framed it."""
        self._tell(lambda wire: _each(wire.request_piece, pieces))

    def request_end(self) -> None:
        """The request is whole."""
        self._tell(lambda wire: wire.request_end())

    def answer_head(self, head: AnswerHead) -> None:
        """The final head of the answer."""
        self._tell(partial(self._begin_answer, head))

    def answer(self, pieces: Sequence[bytes]) -> None:
        """Some of the answer's body, whatever framed it."""
        now = self._clock()
        self._tell(lambda wire: _each(lambda piece: wire.answer_piece(piece, now), pieces))

    def end(self, how: End) -> None:
        """It is over, and this is how its transport ended."""
        now, record = self._clock(), self._measured.record
        self._measured.arrivals.end()
        self._tell(lambda wire: record(wire.end(how, now)))
        self._aside.call(self._end_stream)

    def _begin_answer(self, head: AnswerHead, wire: Wire) -> None:
        wire.answer_head(
            head.status,
            content_type=_first(head.fields, b"content-type"),
            content_encoding=_first(head.fields, b"content-encoding"),
        )
        if wire.streamed:
            self._streams = True
            self._measured.arrivals.begin_stream()

    def _end_stream(self) -> None:
        if self._streams:
            self._measured.arrivals.end_stream()

    def _tell(self, told: Callable[[Wire], None]) -> None:
        self._aside.call(partial(self._hear, told))

    def _hear(self, told: Callable[[Wire], None]) -> None:
        if self._wire:
            try:
                told(self._wire)
            except Exception as error:  # noqa: BLE001 - any bug, see above
                self._wire = None
                facts = {"error": type(error).__name__}  # a traceback could quote a prompt
                logger.error("an exchange is not measured", extra=facts)  # noqa: TRY400


def _each(tell: Callable[[bytes], None], pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        tell(piece)


def _client(labelling: Labelling, head: RequestHead) -> str:
    header = labelling.client_header
    return labelling.client(_first(head.fields, header.lower().encode())) if header else ""


def _first(fields: Fields, name: bytes) -> str:
    return next(iter(values(fields, name)), b"").decode("latin-1")
