"""An engine's text exposition, parsed: bytes in, RawFamily out.

The grammar is prometheus_client's. Around it: an answer must end with its last line's newline
(else it was cut, and "4" may have been "42"), and no line may be long enough to make the parser,
which is quadratic in quotes, the slowest thing on the machine.
"""

from collections.abc import Callable, Iterator
from typing import TextIO, cast

from prometheus_client import Metric
from prometheus_client.parser import text_fd_to_metric_families

from tidegauge.engines import RawFamily, RawSeries
from tidegauge.sources.source import SourceError

LINE_CHARACTERS = 64 * 1024
_EXCERPT_CHARACTERS = 80


def parse(body: bytes, *, stopped: Callable[[], bool] = lambda: False) -> tuple[RawFamily, ...]:
    """All families of an exposition. `stopped` is asked at every line, to give up between two.

    Raises:
        SourceError: "parse", with the start of the line at fault; "timeout" when stopped.
    """
    lines = _Lines(_decoded(body), stopped)
    try:
        # The parser only iterates over its file.
        return tuple(map(_family, text_fd_to_metric_families(cast("TextIO", lines))))
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        raise lines.fault("is no exposition text") from error


class _Lines:
    """Lines of a text, one at a time; remembers the latest to name it in an error."""

    def __init__(self, text: str, stopped: Callable[[], bool]) -> None:
        self._text = text
        self._stopped = stopped
        self._number = 0
        self._line = ""

    def __iter__(self) -> Iterator[str]:
        start = 0
        while start < len(self._text):
            end = self._text.find("\n", start)
            self._number += 1
            self._line = self._text[start:end] if end >= 0 else self._text[start:]
            self._check(ended=end >= 0)
            yield self._line
            start = end + 1

    def fault(self, problem: str) -> SourceError:
        excerpt = self._line[:_EXCERPT_CHARACTERS]
        return SourceError("parse", f"line {self._number} {problem}: {excerpt!r}")

    def _check(self, *, ended: bool) -> None:
        if self._stopped():
            raise SourceError("timeout", f"gave up parsing at line {self._number}")
        if len(self._line) > LINE_CHARACTERS:
            raise self.fault(f"is longer than {LINE_CHARACTERS} characters")
        if not ended:
            raise self.fault("is cut off: the answer does not end with a newline")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        at = body[error.start : error.start + _EXCERPT_CHARACTERS]
        raise SourceError("parse", f"not UTF-8 at byte {error.start}: {at!r}") from error


def _family(metric: Metric) -> RawFamily:
    return RawFamily(
        metric.name,
        tuple(RawSeries(s.name, float(s.value), tuple(s.labels.items())) for s in metric.samples),
    )
