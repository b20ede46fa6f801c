"""Is anything unusual? Each default signal, its band, and where it was outside."""

from dashboards.expressions import WINDOW, select
from dashboards.panels import Panel, Query, Row, Step
from tidegauge.catalog import Metric, Unit, signals
from tidegauge.catalog.default_signals import DEFAULT_SIGNALS, DefaultSignal

_SAME = "on (signal, model, pool, channel)"
# A signal of pools has no model and one of models no pool, whichever are chosen above.
_CHOSEN = {"model": "$model|", "pool": "$pool|"}
_LEFT = f"increase({select(signals.ALARMS, **_CHOSEN)}[{WINDOW}])"
_LEGEND = "{{model}}{{pool}} {{channel}}"
_UNITS: dict[Unit | None, str] = {"seconds": "s", "ratio": "percentunit"}


def _preferred(metric: Metric, **matches: str) -> str:
    """The controller's series, and those of rules where it has none."""
    own, rules = (
        select(metric, **matches, **_CHOSEN).replace("{", f'{{detector{sign}"rules", ')
        for sign in ("!=", "=")
    )
    return f"{own} or {_SAME} {rules}"


def _panel(signal: DefaultSignal) -> Panel:
    value = _preferred(signals.VALUE, signal=signal.name)
    score = _preferred(signals.SCORE, signal=signal.name)
    edges = tuple(
        Query(_preferred(metric, signal=signal.name), name, needs="signal", look="edge")
        for metric, name in ((signals.UPPER, "up to"), (signals.LOWER, "down to"))
        if (signal.direction, name) not in {("above", "down to"), ("below", "up to")}
    )
    return Panel(
        signal.title,
        f"Signal {signal.name}: {signal.about}. Grey: the edge of what is usual; red: outside.",
        _UNITS.get(signal.unit, "short"),
        "lines",
        (
            Query(value, _LEGEND, needs="signal"),
            *edges,
            Query(f"({value}) and {_SAME} ({score}) >= 1", "outside", needs="signal", look="mark"),
        ),
        width=8,
    )


ROW = Row(
    "Is anything unusual?",
    (
        Panel(
            "How unusual",
            "Every signal, default or configured: 1 is the edge of its band. From tidegauge "
            "control, or from rules where it has no band for it.",
            "none",
            "lines",
            (
                Query(
                    _preferred(signals.SCORE, signal=".+"),
                    "{{signal}} {{model}}{{pool}} {{channel}}",
                    needs="signal",
                ),
            ),
            width=16,
            steps=(Step(None, "green"), Step(1, "red")),
            decimals=1,
        ),
        Panel(
            "Alarms",
            "How often a signal has left its band, by step, as tidegauge control counts it.",
            "short",
            "bars",
            (Query(f"sum by (signal) ({_LEFT})", "{{signal}}", needs="signal"),),
            width=8,
        ),
        *map(_panel, DEFAULT_SIGNALS),
    ),
)
