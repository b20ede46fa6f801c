"""Samples to text: Prometheus 0.0.4 and OpenMetrics 1.0.

No clock, no network, no logging: same arguments, same answer. Families come in the order of their
names and series in the order of their labels, so that two scrapes of the same state are equal.
"""

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from tidegauge.catalog import Metric
from tidegauge.samples import Distribution, Sample

Format = Literal["prometheus", "openmetrics"]

# A series' lines up to what changes: the value, or in buckets, which come first, the bound.
_Start = tuple[str, ...]

CONTENT_TYPES: dict[Format, str] = {
    "prometheus": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}

SERIES_REMEMBERED = 20_000  # a sidecar has some hundred

_EXACT = 2**53  # up to here a float says each integer


def render(
    samples: Iterable[Sample], form: Format = "prometheus", names: frozenset[str] | None = None
) -> str:
    """The exposition of `samples`; see `Renderer.render`."""
    return Renderer().render(samples, form, names)


class Renderer:
    """Renders one state after the other, and remembers how each series begins.

    Between two scrapes values change, and series hardly do. What is remembered is bounded.
    """

    def __init__(self) -> None:
        self._starts: dict[str, dict[tuple[str, ...], _Start]] = {}
        self._remembered = 0

    def render(
        self,
        samples: Iterable[Sample],
        form: Format = "prometheus",
        names: frozenset[str] | None = None,
    ) -> str:
        """The exposition of `samples`; one series that is given twice keeps its last value.

        `names` keeps the families that have one of these names, or a series that has.
        """
        if self._remembered > SERIES_REMEMBERED:
            self._starts.clear()
            self._remembered = 0
        families = _families(samples)
        parts: list[str] = []
        for name in sorted(families):
            metric, series = families[name]
            if names is None or not names.isdisjoint(_names(metric)):
                parts.append(_head(metric, form))
                parts += self._series(metric, series)
        if form == "openmetrics":
            parts.append("# EOF\n")
        return "".join(parts)

    def _series(
        self, metric: Metric, series: Mapping[tuple[str, ...], float | Distribution]
    ) -> list[str]:
        starts = self._starts.setdefault(metric.name, {})
        lines: list[str] = []
        for labels, value in sorted(series.items()):
            start = starts.get(labels)
            if start is None:
                start = starts[labels] = _start(metric, labels)
                self._remembered += 1
            if isinstance(value, Distribution):
                lines += _distribution(start, value)
            else:
                lines.append(f"{start[0]}{number(value)}\n")
        return lines


def _families(
    samples: Iterable[Sample],
) -> dict[str, tuple[Metric, dict[tuple[str, ...], float | Distribution]]]:
    families: dict[str, tuple[Metric, dict[tuple[str, ...], float | Distribution]]] = {}
    for sample in samples:
        metric = sample.metric
        family = families.get(metric.name)
        if family is None:
            family = families[metric.name] = metric, {}
        family[1][sample.labels] = sample.value
    return families


def _names(metric: Metric) -> tuple[str, ...]:
    name = metric.name
    if metric.kind == "histogram":
        return name, f"{name}_bucket", f"{name}_sum", f"{name}_count"
    return (name, _family_name(metric, "openmetrics"))


def _family_name(metric: Metric, form: Format) -> str:
    return metric.name.removesuffix("_total") if form == "openmetrics" else metric.name


@functools.cache
def _head(metric: Metric, form: Format) -> str:
    name = _family_name(metric, form)
    text = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    if form == "prometheus":
        return f"# HELP {name} {text}\n# TYPE {name} {metric.kind}\n"
    text = text.replace('"', r"\"")
    # The format wants the name to end in its unit; what is only information has none.
    united = metric.unit and metric.unit != "info" and name.endswith(f"_{metric.unit}")
    unit = f"# UNIT {name} {metric.unit}\n" if united else ""
    return f"# HELP {name} {text}\n# TYPE {name} {metric.kind}\n{unit}"


def _start(metric: Metric, labels: tuple[str, ...]) -> _Start:
    pairs = ",".join(_pairs(metric.labels, labels))
    braced = f"{{{pairs}}} " if pairs else " "
    name = metric.name
    if metric.kind != "histogram":
        return (f"{name}{braced}",)
    comma = f"{pairs}," if pairs else ""
    return f"{name}_bucket{{{comma}", f"{name}_sum{braced}", f"{name}_count{braced}"


def _distribution(start: _Start, value: Distribution) -> list[str]:
    bucket, total, count = start
    return [
        *[f"{bucket}{_bound(bound)} {number(many)}\n" for bound, many in value.buckets],
        f"{total}{number(value.sum)}\n",
        f"{count}{number(value.count)}\n",
    ]


def _pairs(names: Sequence[str], values: Sequence[str]) -> list[str]:
    return [
        f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True) if value
    ]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@functools.lru_cache(maxsize=10_000)
def _bound(bound: float) -> str:
    # The same in both formats, so that a query for le="5.0" finds what either has brought.
    return f'le="{repr(float(bound)) if math.isfinite(bound) else number(bound)}"}}'


def number(value: float) -> str:
    """A value as Prometheus writes it: integers without a point, +Inf, -Inf and NaN by name.

    >>> number(3.0), number(0.25), number(float("inf"))
    ('3', '0.25', '+Inf')
    """
    if value == 0:  # what most counters of errors are
        return "0"
    if value % 1 == 0 and abs(value) < _EXACT:
        return str(int(value))
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
