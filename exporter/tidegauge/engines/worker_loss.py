"""What a group of sibling rows has lost so far, one reading after the other.

No clock, no network, no logging: same arguments, same answer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidegauge.engines.exposition import RawSeries
from tidegauge.engines.siblings import Group

_Labels = tuple[str, ...]
_Values = tuple[float, ...]

_GONE = 8  # siblings that have vanished and may come back; older ones are lost for good
_JITTER = 1e-9  # an engine that adds floats up in changing order falls by less than this share


@dataclass(frozen=True, slots=True)
class Carried:
    """A group after a reading; each value stands for the cell of the group at its place.

    `last` are the latest values of the siblings that are there, `gone` of those that vanished,
    `base` what is lost for good. `usable` names the siblings whose rows are numbers now.
    """

    cells: tuple[tuple[str, str], ...]
    last: Mapping[_Labels, _Values]
    base: _Values
    gone: Mapping[_Labels, _Values]
    usable: frozenset[_Labels]

    @property
    def extra(self) -> _Values:
        """What has to be added to the siblings that are there."""
        return _added(self.base, *self.gone.values()) if self.gone else self.base


def carried_on(before: Carried | None, group: Group, rows: Sequence[RawSeries]) -> Carried:
    """The group's state after a reading.

    A sibling whose rows are no numbers now is neither lost nor heard. What came back as high as
    it was had never been lost. Sums of fractions depend on their order in the last digits, unlike
    those of whole numbers, so at each loss the carried part grows by as much: better that than a
    dip, after which Prometheus counts all again.
    """
    live = {key: tuple(rows[place].value for place in unit) for key, unit in group.units.items()}
    usable = {key: values for key, values in live.items() if _sane(values)}
    if before is None or before.cells != group.cells:
        nothing = (0.0,) * len(group.cells)
        return Carried(group.cells, usable, nothing, {}, frozenset(usable))
    fallen = {k for k, was in before.last.items() if k in usable and _fell(was, usable[k], group)}
    vanished = before.last.keys() - live.keys()
    back = {k: was for k, was in before.gone.items() if k in usable}
    lower = {k for k, was in back.items() if _fell(was, usable[k], group)}
    known = {**before.last, **back}
    lost = fallen | vanished | lower
    if (fallen or vanished) and not any(any(known[k]) for k in known.keys() - lost):
        return carried_on(None, group, rows)
    base = _added(before.base, *(known[k] for k in sorted(fallen | lower)))
    gone = {k: was for k, was in before.gone.items() if k not in back}
    gone |= {k: before.last[k] for k in sorted(vanished) if any(before.last[k])}
    while len(gone) > _GONE:
        base = _added(base, gone.pop(next(iter(gone))))
    # Another row may carry it, even if none that ever counted came or went.
    moved = any(before.extra) and before.usable != usable.keys()
    if fallen or vanished or back or moved:
        base = _added(base, _margin(before, group))
    last = {k: usable.get(k, before.last.get(k)) for k in live}
    remembered = {k: values for k, values in last.items() if values is not None}
    return Carried(group.cells, remembered, base, gone, frozenset(usable))


def _sane(values: _Values) -> bool:
    return all(math.isfinite(value) and value >= 0 for value in values)


def _fell(before: _Values, now: _Values, group: Group) -> bool:
    return any(now[place] < before[place] * (1 - _JITTER) for place in group.telling)


def _added(first: _Values, *more: _Values) -> _Values:
    return tuple(map(sum, zip(first, *more, strict=True))) if more else first


def _margin(before: Carried, group: Group) -> _Values:
    columns = zip(before.extra, *before.last.values(), strict=True)
    endings = (ending for ending, _ in group.cells)
    return tuple(
        _last_digits(column)
        if any(v % 1 for v in column) or (group.scaled and end == "_sum")
        else 0.0
        for end, column in zip(endings, columns, strict=True)
    )


def _last_digits(column: Sequence[float]) -> float:
    return (2 * len(column) + 4) * math.ulp(sum(column))
