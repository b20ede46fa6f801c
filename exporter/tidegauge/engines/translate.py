"""Raw rows and a dialect in, our samples out.

No clock, no network, no logging: same arguments, same answer, and never an exception, whatever
the rows hold. A row that is missing, NaN, or otherwise no fact gives no sample: never a zero.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from tidegauge.engines.dialect import Dialect, Rule
from tidegauge.engines.exposition import RawFamily, RawSeries
from tidegauge.engines.histogram import distribution, merged
from tidegauge.samples import Distribution, Sample

_Labels = tuple[str, ...]
_Rows = Mapping[str, list[RawSeries]]


def translate(families: Iterable[RawFamily], dialect: Dialect, *, model: str) -> tuple[Sample, ...]:
    """The engine's state in our vocabulary, in the order of the dialect's rules.

    `model` is the model's name where the engine does not say it. Rows that differ only in labels
    that we drop are added up (of shares the largest is kept: shares don't add); one of them
    unknown makes the whole unknown. A series that two rules give is the earlier rule's.
    """
    rows = _by_name(families)
    found: dict[tuple[str, _Labels], Sample] = {}
    for rule in dialect.rules:
        label = _Labeller(dialect, rule, model)
        for labels, value in _values(rule, rows, label).items():
            found.setdefault((rule.metric.name, labels), Sample(rule.metric, value, labels))
    return tuple(found.values())


class _Labeller:
    """Label values of our series for a raw row."""

    def __init__(self, dialect: Dialect, rule: Rule, model: str) -> None:
        self._dialect = dialect
        self._model = model
        theirs = {ours: raw for raw, ours in rule.labels}
        self._own = tuple(theirs[ours] for ours in rule.metric.labels if ours in theirs)

    def __call__(self, row: RawSeries) -> _Labels:
        raw = dict(row.labels)
        return (
            raw.get(self._dialect.model_label or "") or self._model,
            self._dialect.name,
            raw.get(self._dialect.rank_label or "", ""),
            *(raw.get(name, "") for name in self._own),
        )


def _by_name(families: Iterable[RawFamily]) -> _Rows:
    rows: dict[str, list[RawSeries]] = defaultdict(list)
    for family in families:
        for row in family.series:
            rows[row.name].append(row)
    return rows


def _values(
    rule: Rule, rows: _Rows, label: _Labeller
) -> Mapping[_Labels, float] | Mapping[_Labels, Distribution]:
    if rule.metric.kind == "histogram":
        histograms = (_histograms(name, rule, rows, label) for name in rule.rows)
        return next((found for found in histograms if found), {})
    numbers = [_numbers(name, rule, rows, label) for name in rule.rows]
    if rule.combine == "sum":
        return _summed(numbers)
    return next((found for found in numbers if found), {})


def _numbers(name: str, rule: Rule, rows: _Rows, label: _Labeller) -> Mapping[_Labels, float]:
    groups: dict[_Labels, list[float]] = defaultdict(list)
    for row in _matching(rows.get(name, ()), rule):
        groups[label(row)].append(row.value)
    joined = {labels: _joined(values, rule) for labels, values in groups.items()}
    return {labels: value for labels, value in joined.items() if value is not None}


def _joined(values: list[float], rule: Rule) -> float | None:
    if any(value == rule.absent for value in values):
        return None
    whole = (max(values) if rule.metric.unit == "ratio" else sum(values)) * rule.scale
    backwards = rule.metric.kind == "counter" and min(values) < 0
    # NaN anywhere makes a sum NaN, but not a maximum.
    known = all(math.isfinite(value) for value in (*values, whole))
    return whole if known and not backwards else None


def _summed(numbers: list[Mapping[_Labels, float]]) -> Mapping[_Labels, float]:
    everywhere = [labels for labels in numbers[0] if all(labels in found for found in numbers)]
    totals = {labels: sum(found[labels] for found in numbers) for labels in everywhere}
    return {labels: total for labels, total in totals.items() if math.isfinite(total)}


def _histograms(
    name: str, rule: Rule, rows: _Rows, label: _Labeller
) -> Mapping[_Labels, Distribution]:
    sums = {_key(row): row for row in _matching(rows.get(f"{name}_sum", ()), rule)}
    buckets: dict[_Labels, list[RawSeries]] = defaultdict(list)
    for row in _matching(rows.get(f"{name}_bucket", ()), rule):
        buckets[_key(row)].append(row)
    groups: dict[_Labels, list[Distribution | None]] = defaultdict(list)
    for key, members in buckets.items():
        groups[label(members[0])].append(distribution(members, sums.get(key), scale=rule.scale))
    joined = {labels: merged(parts) for labels, parts in groups.items()}
    return {labels: whole for labels, whole in joined.items() if whole is not None}


def _key(row: RawSeries) -> _Labels:
    return tuple(f"{name}={value}" for name, value in sorted(row.labels) if name != "le")


def _matching(rows: Iterable[RawSeries], rule: Rule) -> Iterable[RawSeries]:
    wanted = set(rule.match)
    return (row for row in rows if wanted.issubset(row.labels))
