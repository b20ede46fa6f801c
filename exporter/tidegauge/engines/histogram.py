"""A histogram's rows put together again: bucket rows and a sum row give one Distribution.

No clock, no network, no logging. Rows that make no histogram (no +Inf bucket, no sum, counts that
fall) give none: half a histogram would be a wrong one.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from tidegauge.engines.exposition import RawSeries
from tidegauge.engines.labels import Labeller, Labels
from tidegauge.engines.rows import Rows, matching
from tidegauge.engines.rule import Rule
from tidegauge.engines.scale import scaled
from tidegauge.samples import Distribution

_Pairs = tuple[tuple[str, str], ...]
_Steps = list[tuple[float, float]]


def histograms(name: str, rule: Rule, rows: Rows, label: Labeller) -> Mapping[Labels, Distribution]:
    """Our series of one raw histogram, with the engine's own buckets.

    Several raw series that are one of ours are added up; one of them unknown, or with other
    buckets than the rest, makes the whole unknown.
    """
    buckets = rows.get(f"{name}_bucket")
    if not buckets:
        return {}
    sums = {
        tuple(sorted(row.labels)): row.value
        for row in matching(rows.get(f"{name}_sum", ()), rule.match)
    }
    groups: dict[Labels, dict[_Pairs, Distribution | None]] = {}
    for key, steps in _series(matching(buckets, rule.match)):
        whole = _distribution(steps, sums.get(key), rule.scale)
        fact = tuple(pair for pair in key if pair[0] not in label.dialect.copies)
        for labels in label(RawSeries(name, 0.0, key)):
            facts = groups.setdefault(labels, {})
            facts[fact] = _fuller(facts.get(fact), whole)
    merged = ((labels, _merged(list(facts.values()))) for labels, facts in groups.items())
    return {labels: whole for labels, whole in merged if whole is not None}


def _series(rows: Iterable[RawSeries]) -> Iterable[tuple[_Pairs, _Steps]]:
    """Bucket rows by their labels but `le`, sorted, and ((bound, count), …) of each."""
    groups: dict[_Pairs, _Steps] = {}
    at, latest, steps = 0, None, []  # rows of a series come together, with `le` in one place
    for row in rows:
        labels = row.labels
        if at >= len(labels) or labels[at][0] != "le":
            at = next((n for n, (name, _) in enumerate(labels) if name == "le"), len(labels))
        key = labels[:at] + labels[at + 1 :]
        if key != latest:
            latest, steps = key, groups.setdefault(tuple(sorted(key)), [])
        steps.append((_bound(labels, at), row.value))
    return groups.items()


def _bound(labels: _Pairs, at: int) -> float:
    try:
        return float(labels[at][1])
    except (IndexError, ValueError):
        return math.nan


def _distribution(steps: _Steps, total: float | None, scale: float) -> Distribution | None:
    if scale != 1.0:
        steps = [(scaled(bound, scale), count) for bound, count in steps]
        total = None if total is None else scaled(total, scale)
    steps.sort()
    if total is None or not math.isfinite(total) or not _whole(steps):
        return None
    return Distribution(tuple(steps), total)


def _whole(steps: _Steps) -> bool:
    bound, count = -math.inf, 0.0
    for upper, cumulative in steps:
        if not (upper > bound and count <= cumulative < math.inf):  # nor if one of them is NaN
            return False
        bound, count = upper, cumulative
    return bound == math.inf


def _fuller(one: Distribution | None, other: Distribution | None) -> Distribution | None:
    """Of two copies of the same histogram the one that has seen more."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda copy: (copy.count, copy.sum, copy.buckets))


def _merged(parts: Sequence[Distribution | None]) -> Distribution | None:
    if len(parts) == 1:
        return parts[0]
    known = [part for part in parts if part is not None]
    bounds = {tuple(bound for bound, _ in part.buckets) for part in known}
    if len(known) != len(parts) or len(bounds) != 1:
        return None
    columns = zip(*(part.buckets for part in known), strict=True)
    steps = [(column[0][0], sum(count for _, count in column)) for column in columns]
    return _distribution(steps, sum(part.sum for part in known), 1.0)
