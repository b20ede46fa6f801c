"""How the components of directions vary, each and together: what every whitening begins with.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import UNIT
from tidegauge.traffic.texts.vectors import DIMENSIONS, STEPS

Numbers = NDArray[np.float64]

ROUNDING = (UNIT / STEPS) ** 2 / 12
"""Variance that the rounding to a byte leaves of a component at most: none is without any."""


@dataclass(frozen=True, slots=True, eq=False)
class Correlations:
    """Of `vectors` directions: `mean` and `deviations`, (256,), and `matrix`, (256, 256)."""

    vectors: int
    mean: Numbers
    deviations: Numbers
    matrix: Numbers


def correlations(vectors: int, sums: Numbers, moments: Numbers) -> Correlations:
    """Of two directions or more, from their sum, (256,), and the sum of their u uᵀ."""
    mean = sums / vectors
    covariance = (moments / vectors - np.outer(mean, mean)) * (vectors / (vectors - 1))
    diagonal = np.diag_indices(DIMENSIONS)
    covariance[diagonal] = np.maximum(covariance[diagonal], 0.0) + ROUNDING
    deviations = np.sqrt(covariance[diagonal])
    return Correlations(vectors, mean, deviations, covariance / np.outer(deviations, deviations))
