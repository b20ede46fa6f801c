"""What build.py puts into templates/bands.yml: the default signals, and looks at earlier days.

PromQL has neither a table nor a loop over days; here both are written out. No clock, no network:
same arguments, same answer.
"""

import json
from collections.abc import Iterable

from tidegauge.catalog.default_signals import DEFAULT_SIGNALS, DefaultSignal, Direction

EXTREME_DAYS = 14
"""Days whose extremes say how far is usual: two weeks have four days of rest among them."""
USUAL_DAYS = 7
"""Days whose median at this time of the day is the usual course."""
USUAL_WEEKS = 4
"""Weeks whose median at this time of the week is."""

_RULE = " " * 6
_EXPR = " " * 10


def blocks(day: float, hour: float) -> dict[str, str]:
    """Blocks of templates/bands.yml by placeholder. `day` and `hour` are a profile's, in seconds.

    Extremes are of days that ended an hour ago: what happens now is not to be its own excuse. A
    median is of the same hour of the day as the one that it is held against.
    """
    days = [hour + number * day for number in range(EXTREME_DAYS)]
    return {
        "signal_values": "\n".join(map(_value, DEFAULT_SIGNALS)).lstrip(),
        "signal_least": _least(DEFAULT_SIGNALS),
        "signals_above": _named(DEFAULT_SIGNALS, "above"),
        "signals_below": _named(DEFAULT_SIGNALS, "below"),
        "highest_of_days": _looks("llm:signal_day:max", days),
        "lowest_of_days": _looks("llm:signal_day:min", days),
        "spread_of_days": _looks("llm:signal_day:spread", days),
        "median_of_days": _looks(
            "llm:signal_hour:median", [number * day for number in range(1, USUAL_DAYS + 1)]
        ),
        "median_of_weeks": _looks(
            "llm:signal_hour:median", [number * 7 * day for number in range(1, USUAL_WEEKS + 1)]
        ),
    }


def duration(seconds: float) -> str:
    """As Prometheus writes it.

    >>> duration(90_000), duration(604_800), duration(0.5)
    ('1d1h', '7d', '500ms')
    """
    rest, text = round(seconds * 1000), ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _value(signal: DefaultSignal) -> str:
    return (
        f"{_RULE}- record: llm_signal_value\n"
        f"{_RULE}  expr: {json.dumps(signal.expr)}\n"
        f"{_RULE}  labels: {{detector: rules, signal: {signal.name}}}"
    )


def _least(signals: Iterable[DefaultSignal]) -> str:
    return _either(
        f'label_replace(vector({signal.least:g}), "signal", "{signal.name}", "", "")'
        for signal in signals
    )


def _named(signals: Iterable[DefaultSignal], direction: Direction) -> str:
    return "|".join(signal.name for signal in signals if signal.direction == direction)


def _looks(metric: str, ages: Iterable[float]) -> str:
    """The metric at each age, told apart by the label `age`."""
    return _either(
        f'label_replace({metric} offset {duration(age)}, "age", "{duration(age)}", "", "")'
        for age in ages
    )


def _either(expressions: Iterable[str]) -> str:
    return f"\n{_EXPR}  or ".join(expressions)
