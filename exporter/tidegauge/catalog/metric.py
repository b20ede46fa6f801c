"""What a metric is: declared once, as data, and never built from strings elsewhere.

No clock, no network, no logging: same arguments, same answer.
"""

import itertools
import math
import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram"]
Unit = Literal[
    "bytes", "celsius", "hertz", "info", "joules", "ratio", "requests", "seconds", "tokens", "watts"
]

_NAME = re.compile(r"^(llm|tidegauge)_[a-z][a-z0-9_]*$")
_LABEL = re.compile(r"^[a-z][a-z0-9_]*$")


@dataclass(frozen=True, slots=True)
class Metric:
    """One exported metric family.

    `unit` is the base unit that the name ends in (before `_total`), or None for a plain count
    or state. `buckets` are the upper bounds of a histogram that we measure ourselves, ascending,
    without +Inf; None where the buckets come from an engine.

    Raises:
        ValueError: the declaration breaks a naming rule; the message names the metric.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    unit: Unit | None = None
    buckets: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            message = f"metric {self.name!r}: {problem}"
            raise ValueError(message)


def _problem(metric: Metric) -> str | None:
    stem = metric.name.removesuffix("_total")
    checks = (
        (_NAME.match(metric.name) is None, "a name is llm_… or tidegauge_…, lower case"),
        (
            (metric.kind == "counter") != metric.name.endswith("_total"),
            "a counter, and only a counter, ends in _total",
        ),
        (not metric.help.endswith("."), "help is a sentence that ends in a full stop"),
        (
            any(_LABEL.match(label) is None or label == "le" for label in metric.labels),
            "a label is lower case, and `le` belongs to histograms",
        ),
        (len(set(metric.labels)) != len(metric.labels), "a label is named twice"),
        (
            metric.unit is not None and f"_{metric.unit}" not in stem,
            f"the name does not carry its unit ({metric.unit})",
        ),
        (
            metric.buckets is not None and not _ascending(metric.buckets),
            "buckets ascend and leave out +Inf",
        ),
    )
    return next((text for broken, text in checks if broken), None)


def _ascending(bounds: tuple[float, ...]) -> bool:
    rising = all(low < high for low, high in itertools.pairwise(bounds))
    return bool(bounds) and rising and math.isfinite(bounds[-1])
