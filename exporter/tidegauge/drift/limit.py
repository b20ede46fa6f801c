"""How far from the reference a request must lie to be called outside of it.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

QUANTILE = 0.99


@dataclass(frozen=True, slots=True)
class Limit:
    """Of `held` requests that had been held out, `beyond` lay above the threshold."""

    threshold: float
    held: int
    beyond: int


def limit_of(distances: Numbers, *, least: float = 0.0, scale: float = 1.0) -> Limit:
    """The QUANTILE of the distances of rows held out, times `scale`, and at least `least`.

    >>> limit_of(np.arange(200.0))
    Limit(threshold=197.01, held=200, beyond=2)
    """
    quantile = float(np.quantile(distances, QUANTILE))
    beyond = int((distances > quantile).sum())
    return Limit(max(float(quantile * scale), least), len(distances), beyond)
