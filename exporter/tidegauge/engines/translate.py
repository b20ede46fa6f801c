"""Raw rows and a dialect in, our samples out.

No clock, no network, no logging: same arguments, same answer, and never an exception, whatever
the rows hold. A row that is missing, NaN, or otherwise no fact gives no sample: never a zero.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawFamily, RawSeries
from tidegauge.engines.histogram import histograms
from tidegauge.engines.labels import Labeller, Labels
from tidegauge.engines.rows import Rows, by_name, matching, newest, sole_model, without_copies
from tidegauge.engines.rule import COMMON_LABELS, Rule
from tidegauge.engines.scale import scaled
from tidegauge.samples import Distribution, Sample

_Numbers = Mapping[Labels, float]
_Value = TypeVar("_Value", float, Distribution)


def translate(families: Iterable[RawFamily], dialect: Dialect, *, model: str) -> tuple[Sample, ...]:
    """The engine's state in our vocabulary, in the order of the dialect's rules.

    Rows that do not name their model are of the one model that other rows name, else of `model`.
    Rows that differ only in labels that we drop are added up (of shares the largest is kept:
    shares don't add); one of them unknown makes the whole unknown. A series that two rules give
    is the earlier rule's.
    """
    rows = by_name(families, dialect.reads)
    default = sole_model(rows, dialect.model_label) or model
    found: dict[tuple[str, Labels], Sample] = {}
    for rule in dialect.rules:
        name = rule.metric.name
        for labels, value in _values(rule, rows, Labeller(dialect, rule, default)).items():
            if (name, labels) not in found:
                found[name, labels] = Sample(rule.metric, value, labels)
    return tuple(found.values())


def _values(rule: Rule, rows: Rows, label: Labeller) -> _Numbers | Mapping[Labels, Distribution]:
    if rule.metric.kind == "histogram":
        return _first([histograms(name, rule, rows, label) for name in rule.raw])
    numbers = [_numbers(name, rule, rows, label) for name in rule.rows]
    found = _summed(numbers) if rule.combine == "sum" else _first(numbers)
    return _times(found, rule, rows, label) if rule.times and found else found


def _first(named: Sequence[Mapping[Labels, _Value]]) -> Mapping[Labels, _Value]:
    """For each series the first name that has it: one endpoint may serve two releases."""
    if len(named) == 1:
        return named[0]
    found: dict[Labels, _Value] = {}
    for values in reversed(named):
        found.update(values)
    return found


def _numbers(name: str, rule: Rule, rows: Rows, label: Labeller) -> _Numbers:
    usable = rows.get(name)
    if not usable:
        return {}
    usable = without_copies(matching(usable, rule.match), label.dialect.copies)
    if rule.pick == "newest":
        usable = newest(usable, label)
    groups: dict[Labels, list[float]] = {}
    for row in usable:
        value = _value(row, rule)
        for labels in label(row):
            groups.setdefault(labels, []).append(value)
        for labels in label.named(row):
            groups.setdefault(labels, [0.0])
    joined = ((labels, _joined(values, rule)) for labels, values in groups.items())
    return {labels: value for labels, value in joined if value is not None}


def _value(row: RawSeries, rule: Rule) -> float:
    if rule.value_of:
        told = dict(row.labels)
        return math.prod(_number(told.get(name, "")) for name in rule.value_of)
    return 1.0 if rule.pick == "newest" else row.value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _joined(values: list[float], rule: Rule) -> float | None:
    if rule.absent is not None and rule.absent in values:
        return None
    whole = scaled(sum(values) if rule.adds else max(values), rule.scale)
    # NaN anywhere makes a sum NaN, but not a maximum; and nothing that we count can be below zero:
    # engines write -1 for what they don't know.
    known = math.isfinite(whole) and all(map(math.isfinite, values)) and min(values) >= 0
    return whole if known else None


def _summed(numbers: Sequence[_Numbers]) -> _Numbers:
    everywhere = [labels for labels in numbers[0] if all(labels in found for found in numbers)]
    totals = {labels: sum(found[labels] for found in numbers) for labels in everywhere}
    return {labels: total for labels, total in totals.items() if math.isfinite(total)}


def _times(found: _Numbers, rule: Rule, rows: Rows, label: Labeller) -> _Numbers:
    factors: dict[Labels, float] = {}
    for row in rows.get(rule.times, ()):
        whose = label.common(row)
        factors[whose] = max(row.value, factors.get(whose, row.value))
    products = {
        labels: value * factors.get(labels[: len(COMMON_LABELS)], math.nan)
        for labels, value in found.items()
    }
    return {
        labels: product
        for labels, product in products.items()
        if math.isfinite(product) and product >= 0
    }
