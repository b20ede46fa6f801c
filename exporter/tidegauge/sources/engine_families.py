"""Rows put into families, by the conventions of Prometheus text 0.0.4 or of OpenMetrics 1.0.

What comes out is prometheus_client's, in both formats (docs/adr/0006). No clock, no network, no
logging.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tidegauge.engines import RawFamily, RawSeries


@dataclass(frozen=True, slots=True)
class Format:
    """What a format makes of a TYPE line.

    `suffixes` are those of a family's rows, per type. `adds_total`: a counter's rows may lack
    `_total`, and get it. `gathers`: rows of a name without metadata make one family and not one
    each.
    """

    suffixes: Mapping[str, tuple[str, ...]]
    adds_total: bool
    gathers: bool


PLAIN = ("",)
_new = tuple.__new__  # half the time of a named tuple's own

TEXT = Format(
    suffixes={
        "counter": PLAIN,
        "gauge": PLAIN,
        "summary": ("_count", "_sum", ""),
        "histogram": ("_count", "_sum", "_bucket"),
        # Types of OpenMetrics: not the format's own, and taken for a row of the plain name.
        **dict.fromkeys(
            ("untyped", "unknown", "gaugehistogram", "info", "stateset"),
            PLAIN,
        ),
    },
    adds_total=True,
    gathers=False,
)
OPENMETRICS = Format(
    suffixes={
        "counter": ("_total", "_created"),
        "gauge": PLAIN,
        "summary": ("", "_count", "_sum", "_created"),
        "histogram": ("_count", "_sum", "_bucket", "_created"),
        "gaugehistogram": ("_gcount", "_gsum", "_bucket"),
        "info": ("_info",),
        "stateset": PLAIN,
        "unknown": PLAIN,
    },
    adds_total=False,
    gathers=True,
)


class Families:
    """Takes names, types and rows in the order of their lines.

    A row whose name is in `expected` is appended to `rows` by the caller, who makes a thousand of
    them; any other is handed to `stray`. Both are replaced by each call. `name` is the present
    family's, "" where there is none.
    """

    __slots__ = ("_counter", "_done", "_rows_done", "expected", "form", "name", "rows")

    def __init__(self, form: Format) -> None:
        self.form = form
        self.name = ""
        self.expected: tuple[str, ...] = ()
        self.rows: list[RawSeries] = []
        self._counter = False
        self._rows_done = 0
        self._done: list[RawFamily] = []

    @property
    def size(self) -> int:
        """Rows so far."""
        return self._rows_done + len(self.rows)

    def named(self, name: str) -> None:
        """A HELP line."""
        if name != self.name:
            self._begin(name)

    def typed(self, name: str, kind: str) -> None:
        """A TYPE line.

        Raises:
            KeyError: the format has no such type.
            ValueError: a counter has no name but `_total`.
        """
        if kind == "counter" and name == "_total":
            raise ValueError
        suffixes = self.form.suffixes[kind]
        if name != self.name:
            self._begin(name)
        self._counter = kind == "counter"
        self.expected = (name,) if suffixes is PLAIN else tuple([name + end for end in suffixes])

    def stray(self, row: RawSeries) -> None:
        """A row that is none of the present family's."""
        if self.form.gathers:
            self._begin(row.name)
            self.rows.append(row)
        else:
            self._begin("")
            self._rows_done += 1
            self._done.append(RawFamily(row.name, (row,)))

    def end(self) -> tuple[RawFamily, ...]:
        """All families; nothing is taken after it."""
        self._begin("")
        return tuple(self._done)

    def _begin(self, name: str) -> None:
        rows = self.rows
        if self.name:
            family = self._counted() if self._counter else (self.name, tuple(rows))
            self._done.append(_new(RawFamily, family))
            self._rows_done += len(rows)
        self.name, self._counter = name, False
        self.rows, self.expected = [], (name,) if name else ()

    def _counted(self) -> tuple[str, tuple[RawSeries, ...]]:
        """A counter's family, whose rows end in `_total`, and its name does not."""
        name, rows = self.name, self.rows
        stem = name.removesuffix("_total") if self.form.adds_total else name
        if self.form.adds_total and stem == name:
            # Nearly always the family's own name; not where a second TYPE line made it a counter.
            rows = [RawSeries(f"{row.name}_total", row.value, row.labels) for row in rows]
        return stem, tuple(rows)
