"""Samples to text: Prometheus 0.0.4 and OpenMetrics 1.0.

No clock, no network, no logging: same arguments, same answer. Families come in the order of their
names and series in the order of their labels, so that two scrapes of the same state are equal.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

from tidegauge.catalog import Metric
from tidegauge.samples import Distribution, Sample

Format = Literal["prometheus", "openmetrics"]

CONTENT_TYPES: dict[Format, str] = {
    "prometheus": "text/plain; version=0.0.4; charset=utf-8",
    "openmetrics": "application/openmetrics-text; version=1.0.0; charset=utf-8",
}


def negotiate(accept: str) -> Format:
    """The format for a request's Accept header.

    >>> negotiate("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    'openmetrics'
    >>> negotiate("*/*")
    'prometheus'
    """
    return "openmetrics" if "application/openmetrics-text" in accept else "prometheus"


def render(samples: Iterable[Sample], form: Format = "prometheus") -> str:
    """The exposition of `samples`; one series that is given twice keeps its last value."""
    families: dict[Metric, dict[tuple[str, ...], Sample]] = defaultdict(dict)
    for sample in samples:
        families[sample.metric][sample.labels] = sample
    lines: list[str] = []
    for metric in sorted(families, key=lambda metric: metric.name):
        lines += _head(metric, form)
        series = families[metric]
        for labels in sorted(series):
            lines += _series(series[labels])
    if form == "openmetrics":
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines)


def _head(metric: Metric, form: Format) -> list[str]:
    name = metric.name
    if form == "openmetrics" and metric.kind == "counter":
        name = name.removesuffix("_total")
    text = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    if form == "openmetrics":
        text = text.replace('"', r"\"")
    return [f"# HELP {name} {text}", f"# TYPE {name} {metric.kind}"]


def _series(sample: Sample) -> list[str]:
    metric, value = sample.metric, sample.value
    pairs = _pairs(metric.labels, sample.labels)
    if not isinstance(value, Distribution):
        return [f"{metric.name}{_braced(pairs)} {number(value)}"]
    return [
        *(
            f"{metric.name}_bucket{_braced([*pairs, _bound(bound)])} {number(count)}"
            for bound, count in value.buckets
        ),
        f"{metric.name}_sum{_braced(pairs)} {number(value.sum)}",
        f"{metric.name}_count{_braced(pairs)} {number(value.count)}",
    ]


def _pairs(names: Sequence[str], values: Sequence[str]) -> list[str]:
    return [
        f'{name}="{_escaped(value)}"' for name, value in zip(names, values, strict=True) if value
    ]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _bound(bound: float) -> str:
    # The same in both formats, so that a query for le="5.0" finds what either has brought.
    return f'le="{repr(float(bound)) if math.isfinite(bound) else number(bound)}"'


def _braced(pairs: Sequence[str]) -> str:
    return f"{{{','.join(pairs)}}}" if pairs else ""


def number(value: float) -> str:
    """A value as Prometheus writes it: integers without a point, +Inf, -Inf and NaN by name.

    >>> number(3.0), number(0.25), number(float("inf"))
    ('3', '0.25', '+Inf')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value))
