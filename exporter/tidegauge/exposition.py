"""Samples to text: Prometheus 0.0.4 and OpenMetrics 1.0.

No clock, no network, no logging: same arguments, same answer. Families come in the order of their
names and series in the order of their labels, so that two scrapes of the same state are equal.
"""

import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tidegauge.catalog import Metric
from tidegauge.samples import Distribution, Sample

Format = Literal["prometheus", "openmetrics"]

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
    ) -> Iterator[str]:
        starts = self._starts.setdefault(metric.name, {})
        for labels, value in sorted(series.items()):
            start = starts.get(labels)
            if start is None:
                start = starts[labels] = _start(metric, labels)
                self._remembered += 1
            if isinstance(value, Distribution):
                yield _distribution(start, value)
            else:
                yield f"{start.plain}{number(value)}\n"


@dataclass(frozen=True, slots=True)
class _Start:
    """A series' lines up to what changes: the value, or in a bucket's line its bound."""

    plain: str
    bucket: str
    sum: str
    count: str


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
    braced, comma = (f"{{{pairs}}}", f"{pairs},") if pairs else ("", "")
    name = metric.name
    return _Start(
        f"{name}{braced} ",
        f"{name}_bucket{{{comma}",
        f"{name}_sum{braced} ",
        f"{name}_count{braced} ",
    )


def _distribution(start: _Start, value: Distribution) -> str:
    bucket = start.bucket
    lines = [f"{bucket}{_bound(bound)} {number(count)}\n" for bound, count in value.buckets]
    lines += (f"{start.sum}{number(value.sum)}\n", f"{start.count}{number(value.count)}\n")
    return "".join(lines)


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
    if value % 1 == 0 and abs(value) < _EXACT:
        return str(int(value))
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
