"""An engine's exposition, parsed: bytes in, RawFamily out, much as prometheus_client does it.

An answer must end with its last line's newline (else it was cut, and "4" may have been "42").
Time is linear in the body's length, and memory bounded by it and by MAX_ROWS. Usual lines are
taken apart by their spaces and quotes; any other goes through `engine_line`, which is exact.
"""

from collections.abc import Callable, Iterator

from tidegauge.engines import RawFamily, RawSeries
from tidegauge.sources import engine_line
from tidegauge.sources.engine_families import OPENMETRICS, TEXT, Families, Format
from tidegauge.sources.engine_line import Labels, is_name
from tidegauge.sources.source import SourceError

LINE_BYTES = 64 * 1024
MAX_ROWS = 250_000  # 16 MiB of an engine's usual rows; as many minimal ones take some 60 MB
LABEL_CHARACTERS = 1024 * 1024  # a vLLM of a thousand rows needs some 20,000

_CHUNK_BYTES = 16 * 1024  # some 200 lines, a fraction of a millisecond
_ONE_LABEL = 3  # what is before its value, the value, what is behind
_SHAPES, _NAMES = 1000, 64
_EOF = b"\n# EOF\n"

_new = tuple.__new__  # half the time of a named tuple's own


def parse(
    body: bytes, *, stopped: Callable[[], bool] = lambda: False, content_type: str = ""
) -> tuple[RawFamily, ...]:
    """All families of one exposition; see `ExpositionParser.parse`."""
    return ExpositionParser().parse(body, stopped=stopped, content_type=content_type)


class ExpositionParser:
    """Parses an engine's expositions one after the other, and remembers their sets of labels.

    An engine shows the same labels at each read, and those of one row at others as well. What is
    remembered is bounded; two threads may parse at once.
    """

    def __init__(self) -> None:
        self._labels: dict[str, Labels] = {}
        self._room = LABEL_CHARACTERS
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def parse(
        self, body: bytes, *, stopped: Callable[[], bool] = lambda: False, content_type: str = ""
    ) -> tuple[RawFamily, ...]:
        """All families of an exposition. `stopped` is asked every few hundred lines, to give up.

        It is OpenMetrics if `content_type` says so, or if it ends as OpenMetrics must: engines
        call it text/plain, too.

        Raises:
            SourceError: "parse", with the number of the line at fault; "too_large", with more than
                MAX_ROWS rows; "timeout" when stopped.
        """
        families = Families(_format(body, content_type))
        for number, lines in _chunks(body):
            if stopped():
                raise SourceError("timeout", f"gave up parsing at line {number}")
            if families.size > MAX_ROWS:
                raise SourceError("too_large", f"more than {MAX_ROWS} rows at line {number}")
            self._take(lines, number, families)
        return families.end()

    def _take(self, lines: list[str], number: int, families: Families) -> None:
        # The innermost loop: what it does without a call is what makes it fast.
        known, expected, rows, line = self._labels, families.expected, families.rows, ""
        try:
            for line in lines:
                if line[:1] == "#":
                    _describe(line, families)
                elif line:
                    head, _, text = line.rpartition(" ")
                    name, brace, rest = head.partition("{")
                    labels = (known.get(rest) or self._learned(rest)) if brace else ()
                    if name in expected and labels is not None and "_" not in text:
                        try:
                            rows.append(_new(RawSeries, (name, float(text), labels)))
                            continue
                        except ValueError:
                            pass
                    _unusual(line, families)
                expected, rows = families.expected, families.rows
        except (ValueError, KeyError) as error:
            # The first of equal lines is the one: it would have failed as well.
            raise _fault(number + lines.index(line), "is no exposition text") from error

    def _learned(self, rest: str) -> Labels | None:
        """The labels in what follows a brace; None if they are not as usual."""
        parts = rest.split('"')
        between = tuple(parts[::2])
        names = self._names.get(between) or self._label_names(between)
        # An even number of parts is an odd number of quotes.
        if names is None or "\\" in rest or len(parts) % 2 == 0:
            return None
        if len(parts) == _ONE_LABEL:  # a bucket of TGI or Triton; a third faster
            labels: Labels = ((names[0], parts[1]),)
        else:
            labels = tuple(zip(names, parts[1::2]))  # noqa: B905 -- `strict` takes a fifth of it all
        self._room -= len(rest)
        if self._room < 0:
            self._labels.clear()
            self._room = LABEL_CHARACTERS
        self._labels[rest] = labels
        return labels

    def _label_names(self, between: tuple[str, ...]) -> tuple[str, ...] | None:
        """The names in what stands between label values; None if that is not as usual."""
        names = tuple([part[:-1].removeprefix(",") for part in between[:-1]])
        as_usual = [f",{name}=" for name in names]
        if [f",{between[0]}", *between[1:-1]] != as_usual or between[-1] not in {"}", ",}"}:
            return None
        if not all(is_name(name) and name[:2] != "__" for name in names):
            return None
        if len(set(names)) < len(names):
            return None
        if len(self._names) >= _SHAPES:
            self._names.clear()
        if len(names) <= _NAMES:
            self._names[between] = names
        return names


def _format(body: bytes, content_type: str) -> Format:
    ended = body.endswith(_EOF) or body == _EOF[1:]
    if not ended and content_type.startswith("application/openmetrics-text"):
        raise SourceError("parse", "is cut off: OpenMetrics ends with a line '# EOF'")
    if ended and -1 < body.find(_EOF) < len(body) - len(_EOF):
        raise SourceError("parse", "goes on after a line '# EOF'")
    return OPENMETRICS if ended else TEXT


def _chunks(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """Lines, some hundred at a time, and the number of the first of them."""
    start, number = 0, 1
    while start < len(body):
        end = body.rfind(b"\n", start, start + _CHUNK_BYTES)
        if end < 0:
            end = body.find(b"\n", start, start + LINE_BYTES + 1)
        if end < 0:
            raise _unended(body[start : start + LINE_BYTES + 1], number)
        lines = _decoded(body[start:end], start).split("\n")
        yield number, lines
        start, number = end + 1, number + len(lines)


def _unended(line: bytes, number: int) -> SourceError:
    if len(line) > LINE_BYTES:
        return _fault(number, f"is longer than {LINE_BYTES} bytes")
    return _fault(number, "is cut off: the answer does not end with a newline")


def _fault(number: int, problem: str) -> SourceError:
    """Without the line: what is no exposition text may be anything, and this goes to a log."""
    return SourceError("parse", f"line {number} {problem}")


def _decoded(part: bytes, start: int) -> str:
    try:
        return part.decode()
    except UnicodeDecodeError as error:
        # Not from `error`, which holds the bytes.
        raise SourceError("parse", f"not UTF-8 at byte {start + error.start}") from None


def _describe(line: str, families: Families) -> None:
    words = line.split(" ", 3)
    if len(words) == 4 and words[0] == "#":  # noqa: PLR2004 -- "#", keyword, name, text
        _, keyword, name, text = words
        if name and (name == families.name or is_name(name)):
            if keyword == "HELP":
                families.named(name)
                return
            if keyword == "TYPE" and text in families.form.suffixes:
                families.typed(name, text)
                return
    said = engine_line.metadata(line.strip())
    if said is None:
        return
    if said.kind is None:
        families.named(said.name)
    else:
        families.typed(said.name, said.kind)


def _unusual(line: str, families: Families) -> None:
    """Take a line that is not as usual, or is blank, or holds a row that nothing announced."""
    line = line.strip()
    if line[:1] == "#":
        _describe(line, families)
    elif line:
        head = engine_line.head(line)
        row = RawSeries(head.name, engine_line.value(line[head.end :]), head.labels)
        if row.name in families.expected:
            families.rows.append(row)
        else:
            families.stray(row)
