"""One request as drift sees it: a cell per channel, and its vectors. No number of it is kept.

No clock, no network, no logging: same arguments, same answer.
"""

from bisect import bisect_right
from dataclasses import dataclass, field

from tidegauge.drift.cells import CHANNELS, VECTORS
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.texts.feature_vector import COLUMNS, feature_vector

_FROM = tuple((COLUMNS.index(c.column), c.first, c.grid.edges) for c in CHANNELS)


@dataclass(frozen=True, slots=True)
class Row:
    """`cells` are places in a row of counts, rising: one for each channel that is known.

    `vectors` are in the order of VECTORS; None is a vector that was not made.
    """

    cells: tuple[int, ...]
    vectors: tuple[bytes | None, ...] = field(default=(None,) * len(VECTORS), repr=False)


def row_of(exchange: Exchange) -> Row:
    """The row of an exchange that has ended."""
    values = feature_vector(exchange)
    # Grid.cell, spelled out: of each request there are two dozen.
    cells = tuple(
        first + bisect_right(edges, value)
        for column, first, edges in _FROM
        if (value := values[column]) is not None
    )
    features = exchange.features
    return Row(cells, (None, None) if features is None else (features.semantic, features.style))
