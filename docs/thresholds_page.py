"""The parts of docs/thresholds.md that follow from the code: signals, series and detectors."""

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from tidegauge.catalog.default_signals import DEFAULT_SIGNALS
from tidegauge.catalog.signals import METRICS
from tidegauge.config.signals import SignalsConfig
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.registry import DEFAULT_DETECTOR, DETECTORS, MakeDetector

PAGE = Path(__file__).resolve().parent / "thresholds.md"


def thresholds() -> str:
    """The page as it is, with its tables as they have to be."""
    page = PAGE.read_text(encoding="utf-8")
    for name, table in _TABLES.items():
        begin, end = f"<!-- {name}: written by docs/build.py -->\n", f"<!-- end of {name} -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = before + begin + "".join(f"{line}\n" for line in table()) + end + after
    return page


def _signals() -> Iterator[str]:
    yield "| signal | alarms | what it is | from |"
    yield "|---|---|---|---|"
    for signal in DEFAULT_SIGNALS:
        yield f"| `{signal.name}` | {signal.direction} | {signal.about} | `{signal.expr}` |"


def _series() -> Iterator[str]:
    yield "| series | type | |"
    yield "|---|---|---|"
    for metric in METRICS:
        yield f"| `{metric.name}` | {metric.kind} | {metric.help} |"


def _detectors() -> Iterator[str]:
    settings = SignalsConfig()
    grid = Grid(settings.interval, round(settings.history / settings.interval))
    yield "| detector | | learns a level shift within |"
    yield "|---|---|---|"
    for name, make in DETECTORS.items():
        default = " (default)" if name == DEFAULT_DETECTOR else ""
        yield f"| `{name}`{default} | {_purpose(make)} | {_duration(make(grid).learns_seconds)} |"


def _purpose(make: MakeDetector) -> str:
    """The first sentence of the module that the detector is in."""
    module = sys.modules[make.__module__]
    return (inspect.getdoc(module) or "").partition("\n\n")[0].replace("\n", " ")


def _duration(seconds: float) -> str:
    lasted = timedelta(seconds=seconds)
    if lasted < timedelta(hours=1):
        return f"{seconds / 60:.0f} minutes"
    hours = seconds / 3600
    return f"{hours:.1f} hours" if hours <= 48 else f"{hours / 24:.1f} days"  # noqa: PLR2004 -- reads better


_TABLES: Mapping[str, Callable[[], Iterator[str]]] = {
    "signals": _signals,
    "series": _series,
    "detectors": _detectors,
}
