"""Counters go on when one of several processes behind them restarts.

A counter of ours is often the sum of several rows of the engine's (workers, ranks that we drop).
When one worker restarts, its row falls or vanishes and the sum dips; Prometheus takes a dip for a
restart of the whole and counts again all that is left. So what a lost row had counted is carried
on, in one of its siblings. When every sibling that had counted anything is lost, the engine has
restarted: nothing is carried, and Prometheus sees an ordinary reset.

No clock, no network, no logging: same arguments, same answer. State in, state out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tidegauge.engines.dialect import Dialect
from tidegauge.engines.exposition import RawFamily, RawSeries
from tidegauge.engines.siblings import Group, Watch, grouped, watch
from tidegauge.engines.worker_loss import Carried, carried_on

_ABSENT_GROUPS = 8  # remembered per name, for when they come back


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one name: how its rows group, and what is carried for each group."""

    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    groups: Mapping[tuple[str, ...], Group] = field(default_factory=dict)
    carried: Mapping[tuple[str, ...], Carried] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        return bool(self.carried) or any(len(group.units) > 1 for group in self.groups.values())


@dataclass(frozen=True, slots=True)
class Continuity:
    """What is remembered between two readings of one engine; a few times a reading at most."""

    dialect: Dialect | None = None
    watched: Watch = field(default_factory=Watch)
    known: Mapping[str, _Known] = field(default_factory=dict)


def continued(
    families: Sequence[RawFamily], dialect: Dialect, before: Continuity
) -> tuple[tuple[RawFamily, ...], Continuity]:
    """The families with what lost rows had counted added to a sibling, and what to remember.

    Rows that the dialect doesn't read as counter or histogram are left as they are, and so is
    everything while nothing was lost. Another dialect starts anew.
    """
    if before.dialect is not dialect:
        before = Continuity(dialect, watch(dialect))
    known: dict[str, _Known] = {}
    changed: dict[int, RawSeries] = {}
    for stem, rows in _by_stem(families, before.watched).items():
        was = before.known.get(stem, _Known())
        known[stem] = _step(stem, rows, was, before.watched, changed)
    absent = {s: was for s, was in before.known.items() if was.carried and s not in known}
    after = replace(before, known=known | absent)
    return _with(families, changed) if changed else tuple(families), after


def _by_stem(families: Iterable[RawFamily], watched: Watch) -> Mapping[str, list[RawSeries]]:
    stems, found = watched.stems, defaultdict(list)
    for family in families:
        for row in family.series:
            if stem := stems.get(row.name):
                found[stem].append(row)
    return found


def _step(
    stem: str, rows: list[RawSeries], was: _Known, watched: Watch, changed: dict[int, RawSeries]
) -> _Known:
    seen = tuple((row.name, row.labels) for row in rows)
    # Which rows there are hardly ever changes: how they group is worked out anew only then.
    now = was if seen == was.rows else replace(was, rows=seen, groups=grouped(stem, rows, watched))
    if not now.adds_up:
        return now
    carried = dict(now.carried)
    for key, group in now.groups.items():
        if len(group.units) > 1 or key in carried:
            carried[key] = carried_on(carried.pop(key, None), group, rows)
            changed.update(_changes(group, carried[key], rows))
    while len(carried) > len(now.groups) + _ABSENT_GROUPS:
        del carried[next(iter(carried))]  # the one that has been absent for longest
    return replace(now, carried=carried)


def _changes(
    group: Group, carried: Carried, rows: Sequence[RawSeries]
) -> Iterable[tuple[int, RawSeries]]:
    """The rows of the first sibling that has usable ones, what is carried added."""
    extra = carried.extra
    unit = next((unit for key, unit in group.units.items() if key in carried.usable), None)
    if unit is None or not any(extra):
        return ()
    pairs = zip((rows[index] for index in unit), extra, strict=True)
    return ((id(row), row._replace(value=row.value + more)) for row, more in pairs)


def _with(families: Iterable[RawFamily], changed: Mapping[int, RawSeries]) -> tuple[RawFamily, ...]:
    return tuple(
        family._replace(series=tuple(changed.get(id(row), row) for row in family.series))
        for family in families
    )
