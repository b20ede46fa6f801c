"""Choosing among an engine's rows, before anything is made of their values.

No clock, no network, no logging: same arguments, same answer.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from tidegauge.engines.exposition import RawFamily, RawSeries
from tidegauge.engines.labels import Labeller, Labels

Rows = Mapping[str, Sequence[RawSeries]]


def by_name(families: Iterable[RawFamily], wanted: frozenset[str]) -> Rows:
    """The rows of these names; an engine writes many more than anybody asks for."""
    rows: dict[str, list[RawSeries]] = {}
    for family in families:
        for row in family.series:
            if row.name in wanted:
                rows.setdefault(row.name, []).append(row)
    return rows


def sole_model(rows: Rows, model_label: str | None) -> str:
    """The one model that rows name; empty if they name none, or several."""
    if model_label is None:
        return ""
    named: set[str] = set()
    for name, series in rows.items():
        # A histogram's sum names the same model as its many buckets.
        if not name.endswith("_bucket"):
            named.update(value for row in series for key, value in row.labels if key == model_label)
    named.discard("")
    return named.pop() if len(named) == 1 else ""


def matching(rows: Sequence[RawSeries], wanted: Sequence[tuple[str, str]]) -> Sequence[RawSeries]:
    """Rows that have these label values; no such label is the empty value, as in Prometheus."""
    if not wanted:
        return rows
    return [row for row in rows if _has(dict(row.labels), wanted)]


def without_copies(rows: Sequence[RawSeries], copies: Sequence[str]) -> Sequence[RawSeries]:
    """Of rows that differ in these labels alone the one with the largest value."""
    if not copies or len(rows) == 1:
        return rows
    facts: dict[frozenset[tuple[str, str]], RawSeries] = {}
    for row in rows:
        fact = frozenset(pair for pair in row.labels if pair[0] not in copies)
        kept = facts.get(fact)
        if kept is None or math.isnan(kept.value) or row.value > kept.value:
            facts[fact] = row
    return list(facts.values())


def newest(rows: Iterable[RawSeries], label: Labeller) -> Sequence[RawSeries]:
    """Of each model and rank the row whose value, a time, is the largest."""
    latest: dict[Labels, RawSeries] = {}
    for row in rows:
        whose = label.common(row)
        kept = latest.get(whose)
        if math.isfinite(row.value) and (kept is None or _when(row) > _when(kept)):
            latest[whose] = row
    return list(latest.values())


def _when(row: RawSeries) -> tuple[float, tuple[tuple[str, str], ...]]:
    return row.value, row.labels  # of two at the same time always the same one


def _has(labels: Mapping[str, str], wanted: Sequence[tuple[str, str]]) -> bool:
    return all(labels.get(name, "") == value for name, value in wanted)
