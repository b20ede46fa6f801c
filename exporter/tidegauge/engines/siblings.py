"""Which rows of an engine are added up into one series of ours: siblings, by the dialect's rules.

No clock, no network, no logging: same arguments, same answer.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawSeries
from tidegauge.engines.rule import Rule

_Labels = tuple[str, ...]
_HISTOGRAM_ROWS = ("_bucket", "_count", "_sum")


@dataclass(frozen=True, slots=True)
class Watch:
    """A dialect's counters and histograms: row name to stem, and the labels that a stem keeps.

    The stem of a histogram is its name without `_bucket`, `_count` or `_sum`; a counter's is its
    name. Where rules differ in the labels that they keep, what all of them keep counts. `scaled`
    are the stems whose values are converted, and so no whole numbers when they are added up.
    """

    stems: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scaled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that end up in one series: per sibling the places of its rows, in the order of `cells`.

    A cell says which of a sibling's rows it is, (ending, le); a counter's only one is ("", "").
    `telling` are the cells whose fall shows a restart: a histogram's counts, since its sum also
    falls by what was observed below zero. Siblings whose cells differ from the first one's make
    no group: `units` is empty.
    """

    cells: tuple[tuple[str, str], ...]
    units: Mapping[_Labels, tuple[int, ...]]
    scaled: bool = False

    @property
    def telling(self) -> tuple[int, ...]:
        counts = tuple(n for n, (ending, _) in enumerate(self.cells) if ending != "_sum")
        return counts or tuple(range(len(self.cells)))


def watch(dialect: Dialect) -> Watch:
    """What has to be watched in readings of that dialect."""
    left_alone = {row for rule in dialect.rules if not _counts(rule) for row in rule.rows}
    kept: dict[str, set[str]] = {}
    stems: dict[str, str] = {}
    counting = filter(_counts, dialect.rules)
    for rule in sorted(counting, key=_is_histogram):  # where both claim a row, a histogram's
        for stem in rule.raw:
            rows = [f"{stem}{end}" for end in _HISTOGRAM_ROWS] if _is_histogram(rule) else [stem]
            stems.update({row: stem for row in rows if row not in left_alone})
            labels = _kept(rule, dialect)
            kept[stem] = kept.get(stem, labels) & labels
    scaled = {stem for rule in dialect.rules if rule.scale != 1 for stem in rule.raw}
    sorted_labels = {stem: tuple(sorted(labels)) for stem, labels in kept.items()}
    return Watch(stems, sorted_labels, frozenset(scaled))


def grouped(stem: str, rows: Sequence[RawSeries], watched: Watch) -> Mapping[_Labels, Group]:
    """The rows of one stem in groups, by the values of the labels that are kept."""
    kept = watched.kept[stem]
    found: dict[_Labels, dict[_Labels, dict[tuple[str, str], int]]] = defaultdict(dict)
    for place, row in enumerate(rows):
        labels = dict(row.labels)
        bound = labels.pop("le", "") if row.name.endswith("_bucket") else ""
        unit = tuple(f"{name}={value}" for name, value in sorted(labels.items()))
        group = found[tuple(labels.get(name, "") for name in kept)]
        group.setdefault(unit, {})[row.name[len(stem) :], bound] = place
    scaled = stem in watched.scaled
    return {key: _group(units, scaled=scaled) for key, units in found.items()}


def _counts(rule: Rule) -> bool:
    """Whether the rule adds up rows that only grow."""
    return rule.metric.kind == "histogram" or (rule.metric.kind == "counter" and rule.adds)


def _is_histogram(rule: Rule) -> bool:
    return rule.metric.kind == "histogram" or rule.part != "whole"


def _kept(rule: Rule, dialect: Dialect) -> set[str]:
    own = {raw for raw, _ in (*rule.labels, *rule.match)}
    # Of copies the largest counts: they are no siblings, and none makes up for another.
    common = (dialect.model_label, dialect.rank_label, *dialect.copies)
    return own | {label for label in common if label}


def _group(units: Mapping[_Labels, Mapping[tuple[str, str], int]], *, scaled: bool) -> Group:
    cells = tuple(sorted(next(iter(units.values()))))
    if any(tuple(sorted(unit)) != cells for unit in units.values()):
        return Group(cells, {})
    places = {key: tuple(unit[c] for c in cells) for key, unit in units.items()}
    return Group(cells, places, scaled)
