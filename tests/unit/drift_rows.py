"""Rows of requests for tests of drift."""

import numpy as np

from tidegauge.drift.cells import CHANNELS
from tidegauge.drift.row import Row
from tidegauge.traffic.texts.vectors import DIMENSIONS


def random_rows(requests: int, *, seed: int = 1) -> list[Row]:
    """Every channel known, each cell as likely as another; both vectors."""
    rng = np.random.default_rng(seed)
    return [
        Row(
            tuple(int(c.first + rng.integers(c.grid.cells)) for c in CHANNELS),
            (_vector(rng), _vector(rng)),
        )
        for _ in range(requests)
    ]


def _vector(rng: np.random.Generator) -> bytes:
    return rng.integers(-127, 128, DIMENSIONS).astype(np.int8).tobytes()
