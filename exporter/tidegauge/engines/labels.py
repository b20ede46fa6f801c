"""Label values of our series for an engine's row.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Mapping

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawSeries
from tidegauge.engines.rule import Rule

Labels = tuple[str, ...]


class Labeller:
    """Says which of our series a row belongs to, by one rule of one dialect."""

    def __init__(self, dialect: Dialect, rule: Rule, model: str) -> None:
        self.dialect = dialect
        self._rule = rule
        self._model = model
        theirs = {ours: raw for raw, ours in rule.labels}
        constant = dict(rule.constant)
        own = rule.metric.labels[3:]
        self._own = tuple((theirs.get(ours, ""), constant.get(ours, "")) for ours in own)
        self._named = _named(rule) if len(own) == 1 else ()

    def __call__(self, row: RawSeries) -> tuple[Labels, ...]:
        """The series that the row belongs to: one, or none, or one for each value of a list."""
        common = self.common(row)
        if not self._own:
            return (common,)
        raw = dict(row.labels)
        split = self._rule.split
        if not split:
            return self._series(common, raw)
        listed = {item for part in raw.get(split, "").split(",") if (item := part.strip())}
        return tuple(
            labels
            for item in sorted(listed)
            for labels in self._series(common, {**raw, split: item})
        )

    def named(self, row: RawSeries) -> tuple[Labels, ...]:
        """The counters that the rule's `values` name, of the row's model and rank.

        The engine counts by this label, so what no row of its has did not happen: that is a zero,
        and `increase()` sees the first.
        """
        common = self.common(row) if self._named else ()
        return tuple((*common, value) for value in self._named)

    def common(self, row: RawSeries) -> Labels:
        """Model, engine and data-parallel rank."""
        dialect, model, rank = self.dialect, "", ""
        for name, value in row.labels:
            if name == dialect.model_label:
                model = value
            elif name == dialect.rank_label:
                rank = value
        return (model or self._model, dialect.name, rank)

    def _series(self, common: Labels, raw: Mapping[str, str]) -> tuple[Labels, ...]:
        own: list[str] = []
        for theirs, constant in self._own:
            value = _renamed(raw.get(theirs, ""), self._rule.values) if theirs else constant
            if value is None:
                return ()
            own.append(value)
        return ((*common, *own),)


def _named(rule: Rule) -> tuple[str, ...]:
    if rule.metric.kind != "counter" or rule.constant:
        return ()
    return tuple(dict.fromkeys(ours for theirs, ours in rule.values if theirs and ours))


def _renamed(value: str, values: tuple[tuple[str, str | None], ...]) -> str | None:
    for theirs, ours in values:
        if value == theirs or (theirs.endswith("*") and value.startswith(theirs[:-1])):
            return ours
    return value
