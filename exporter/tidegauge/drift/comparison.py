"""What changed from one reference to another, channel by channel, the largest change first.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tidegauge.drift.bins import bins_of
from tidegauge.drift.block import Block, Counts
from tidegauge.drift.cells import CHANNELS, VECTORS, Channel
from tidegauge.drift.centroid import Centroid
from tidegauge.drift.psi import PopulationStability
from tidegauge.drift.reference import Reference

Measure = Literal["psi", "distance"]
"""psi: of the bins of the first; distance: of the means of vectors, in the spread of the first."""


@dataclass(frozen=True, slots=True)
class Step:
    """The bin whose share changed most."""

    bin: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Change:
    """Of one channel. `by_chance` is what `size` is on average where nothing has changed.

    `direction` is of channels that are numbers, `step` of all but vectors; both where something
    has moved.
    """

    channel: str
    measure: Measure
    size: float
    by_chance: float
    direction: Literal["higher", "lower", ""] = ""
    step: Step | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`only_before` and `only_after` are channels that one of the two says nothing of."""

    changes: tuple[Change, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]


def compared(before: Reference, after: Reference) -> Comparison:
    """What changed; vectors of different embeddings are not compared."""
    first, second = before.sketch.total, after.sketch.total
    changes = (*_changes(first, second), *_vector_changes(before, after, second))
    known, now = set(_said(first)), set(_said(second))
    return Comparison(
        tuple(sorted(changes, key=lambda change: change.size, reverse=True)),
        tuple(name for name in _said(first) if name not in now),
        tuple(name for name in _said(second) if name not in known),
    )


def _said(total: Block) -> list[str]:
    """Names of what there are values of."""
    numbers = [channel.name for channel in CHANNELS if total.counts[channel.place].any()]
    vectors = zip(VECTORS, total.vectors, strict=True)
    return [*numbers, *(vector.name for vector, number in vectors if number)]


def _changes(before: Block, after: Block) -> Iterator[Change]:
    for channel in CHANNELS:
        effect = PopulationStability(channel, before).effect(after)
        if effect is not None:
            old, new = (block.counts[channel.place] for block in (before, after))
            yield Change(
                channel.name,
                "psi",
                effect.size,
                effect.by_chance,
                _direction(channel, old, new),
                _step(channel, old, new),
            )


def _direction(channel: Channel, before: Counts, after: Counts) -> Literal["higher", "lower", ""]:
    if channel.grid.names:
        return ""
    cells = np.arange(channel.grid.cells)
    moved = float(cells @ after / after.sum() - cells @ before / before.sum())
    if not moved:
        return ""
    return "higher" if moved > 0 else "lower"


def _step(channel: Channel, before: Counts, after: Counts) -> Step | None:
    bins = bins_of(channel.grid, before)
    old, new = bins.counts(before) / before.sum(), bins.counts(after) / after.sum()
    most = int(np.abs(new - old).argmax())
    if old[most] == new[most]:
        return None
    return Step(bins.labels[most], float(old[most]), float(new[most]))


def _vector_changes(before: Reference, after: Reference, second: Block) -> Iterator[Change]:
    for vector in VECTORS:
        if vector.kind == "semantic" and before.semantic != after.semantic:
            continue
        effect = Centroid(vector, before.sketch).effect(second)
        if effect is not None:
            yield Change(vector.name, "distance", effect.size, effect.by_chance)
