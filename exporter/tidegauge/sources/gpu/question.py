"""What a question to a device is: alternatives, tried in order until one is supported.

No clock, no network, no logging: the tables in questions_*.py are data, asking.py asks.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tidegauge.catalog import Metric
from tidegauge.sources.gpu.nvml import Handle

FIELD_VALUES = "nvmlDeviceGetFieldValues"


@dataclass(frozen=True, slots=True)
class Value:
    """A sample without its device; `labels` are what the metric has after gpu, uuid, gi and ci."""

    metric: Metric
    value: float
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One NVML call. `ask` raises NvmlError; `name` tells calls apart in memory.

    `name` is the C function's, with `/…` for what is asked of it. `metrics` are what its values
    are of, and `labels` theirs if all have the same.
    """

    name: str
    metrics: tuple[Metric, ...]
    ask: Callable[[Handle], tuple[Value, ...]]
    labels: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        """The C function alone, which is bounded and so fit for a label."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Field:
    """One of NVML's numbered fields. All fields that are asked together go into one call.

    Its value times `scale` is in the metric's unit. `wraps` is for a counter that starts over
    where its number is full, and not only with the driver. `scope` is a link or ALL_LINKS. `needs`
    names another row: this one is asked only once that one has answered.
    """

    number: int
    metric: Metric
    labels: tuple[str, ...] = ()
    scale: float = 1.0
    scope: int = 0
    wraps: bool = False
    needs: str = ""

    @property
    def name(self) -> str:
        return field_name(self.number)


Question = tuple[Call | Field, ...]
"""One thing to know, as alternatives that are tried in order until one is supported."""


def field_name(number: int) -> str:
    """How a field is called in memory.

    >>> field_name(186)
    'nvmlDeviceGetFieldValues/186'
    """
    return f"{FIELD_VALUES}/{number}"


def one(name: str, metric: Metric, number: Callable[[Handle], float], *labels: str) -> Call:
    """A call that gives one number."""
    return Call(name, (metric,), lambda device: (Value(metric, number(device), labels),), labels)
