"""What a panel is, as data: drawn by `drawing`, asked for its queries by tests."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Shape = Literal["lines", "bars", "stacked", "stat", "table", "timeline"]
Look = Literal["measured", "configured", "edge", "mark"]
Needs = Literal[
    "gpu", "xid", "kv_cache", "alert", "failure", "clients", "log", "feedback", "signal", "times"
]
"""Why a healthy fleet may answer a query with nothing: there is no GPU, or none with an error; the
engine reports no KV cache (llama.cpp); no alert was pending or firing; nothing has failed since the
counter began; clients are not told apart; nobody has said where the engine's log is; no user has
judged an answer; a signal has no value here, or no band yet, or was never outside of it; drift's
reference is of requests without times, and has no age."""

WHY_EMPTY: dict[Needs, str] = {
    "gpu": "No NVIDIA GPU here",
    "xid": "No GPU has reported an error",
    "kv_cache": "This engine does not report its KV cache",
    "alert": "No alert",
    "failure": "Nothing has failed",
    "clients": "Clients are not told apart (serve.traffic.clients)",
    "log": "No log is read (serve.errors), or it says nothing of this",
    "feedback": "No feedback, or none is accepted (serve.feedback)",
    "signal": "Nothing measures this signal here",
    "times": "The reference is of requests without times",
}
"""What such a panel says in place of "No data"."""

COLUMNS = 24
"""The width of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression and how its series are called (`{{label}}` is replaced).

    What is configured, not measured, is drawn grey and dashed; the edge of a band grey and thin;
    marks are points alone.
    """

    expr: str
    legend: str
    needs: Needs | None = None
    look: Look = "measured"


@dataclass(frozen=True, slots=True)
class Step:
    """From this value on, this colour. `value` is None for everything below the first bound."""

    value: float | None
    color: str


@dataclass(frozen=True, slots=True)
class State:
    """What a stat or timeline writes in place of a number."""

    value: int
    text: str
    color: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `unit` is Grafana's unit id; `width` is of 24 columns, `height` in grid rows.

    `steps` colour a stat's value; in a line chart the bounds are drawn as dashed lines. `colors`
    are pairs of a series' name and its colour, where the name says good or bad. `value` heads the
    column of a table's values, by which it is sorted; a table without it shows labels alone.
    """

    title: str
    description: str
    unit: str
    shape: Shape
    queries: tuple[Query, ...]
    width: int
    height: int = 8
    steps: tuple[Step, ...] = ()
    states: tuple[State, ...] = ()
    colors: tuple[tuple[str, str], ...] = ()
    low: float | None = 0
    high: float | None = None
    decimals: int | None = None
    value: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A titled group of panels, laid out left to right and wrapped at 24 columns."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class PanelQuery:
    """One query as tests run it: the panel's title, the expression, and what an answer needs."""

    panel: str
    expr: str
    needs: Needs | None


def queries_of(rows: Iterable[Row]) -> Iterator[PanelQuery]:
    """Every query of every panel, top to bottom."""
    for row in rows:
        for panel in row.panels:
            for query in panel.queries:
                yield PanelQuery(panel.title, query.expr, query.needs)
