"""The rows that a sketch keeps of single requests, as arrays.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import directions
from tidegauge.drift.cells import CHANNELS, VECTORS
from tidegauge.drift.row import Row
from tidegauge.traffic.texts.vectors import DIMENSIONS

Numbers = NDArray[np.float64]

MISSING = -1
_CHANNEL_OF = np.repeat(np.arange(len(CHANNELS)), [channel.grid.cells for channel in CHANNELS])


class Sampled:
    """`cells`: (rows, channels), the place of each row's cell within its channel, or MISSING.

    `directions` has for each of VECTORS those of the rows that have one, (some rows, 256).
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        first = np.array([channel.first for channel in CHANNELS])
        places = np.array([cell for row in rows for cell in row.cells], np.int64)
        owners = np.repeat(np.arange(len(rows)), [len(row.cells) for row in rows])
        self.cells = np.full((len(rows), len(CHANNELS)), MISSING, np.int64)
        self.cells[owners, _CHANNEL_OF[places]] = places - first[_CHANNEL_OF[places]]
        self.directions: tuple[Numbers, ...] = tuple(
            _directions([v for row in rows if (v := row.vectors[place]) is not None])
            for place in range(len(VECTORS))
        )


def _directions(vectors: Sequence[bytes]) -> Numbers:
    if not vectors:
        return np.zeros((0, DIMENSIONS))
    return directions(b"".join(vectors)).astype(np.float64)
