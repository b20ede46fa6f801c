"""How the means of ordinary traffic wander: their covariance beyond what chance alone gives.

No clock, no network, no logging: same arguments, same answer. The covariance of moving means is
that of the traffic's own wandering, B, plus that of so many independent requests. B is what is left
when the second is taken away, made as large as a mean of so little time may hide, and drawn towards
one that is the same in all directions, by as much as the time is short:

    B = (e (1 + 1/e) [C - i P]+ + r d P) / (e + r)        d = tr [C - i P]+ (1 + 1/e) / r

with C the second moment of the deviations, i the mean inverse number of requests, P the identity of
the r dimensions, e how many independent times the scale fits in, half the time by the scale.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

LEAST_REQUESTS = 5.0
"""A mean that is worth fewer requests says nothing yet."""


def enough(inverse: Numbers) -> NDArray[np.bool_]:
    """Whether the means are worth so many."""
    return inverse <= 1 / LEAST_REQUESTS


def wander(
    deviations: Numbers, inverse: Numbers, *, identity: Numbers, independent: Numbers
) -> tuple[Numbers, Numbers]:
    """Its axes (S, M, D, D), in columns, and its variances along them (S, M, D).

    `deviations`: (S, M, T, D) in standard deviations of one request, all D independent within
    `identity`, (M, D, D); `inverse`: (S, M, T); `independent`: (S,).
    """
    weights = enough(inverse).astype(np.float64)
    known = np.maximum(weights.sum(axis=-1), 1.0)
    weighed = deviations * weights[..., None]
    moments = np.swapaxes(weighed, -1, -2) @ deviations / known[..., None, None]
    chance = (weights * inverse).sum(axis=-1) / known
    values, axes = np.linalg.eigh(moments - chance[..., None, None] * identity)
    left = np.maximum(values, 0.0)
    between = (axes * left[..., None, :]) @ np.swapaxes(axes, -1, -2)
    rank = np.trace(identity, axis1=-2, axis2=-1)
    times = independent[:, None]
    more = 1 + 1 / times
    even = left.sum(axis=-1) * more / rank
    shrunken = (times * more)[..., None, None] * between
    shrunken += (rank * even)[..., None, None] * identity
    shrunken /= (times + rank)[..., None, None]
    variances, axes = np.linalg.eigh(shrunken)
    return axes, np.maximum(variances, 0.0)


def wander_of_each(
    deviations: Numbers, inverse: Numbers, *, chances: Numbers, independent: Numbers
) -> Numbers:
    """(S, M, D) variances of each number by itself, in those of one request.

    `chances`: (M, D), the variances of one request's numbers. Each is drawn towards the mean of all
    as if that were known from two independent times more.
    """
    weights = enough(inverse).astype(np.float64)
    known = np.maximum(weights.sum(axis=-1), 1.0)
    moments = np.einsum("smt,smtd,smtd->smd", weights, deviations, deviations)
    chance = (weights * inverse).sum(axis=-1) / known
    left = moments / known[..., None] / chances - chance[..., None]
    times = independent[:, None, None]
    even = np.average(left, axis=-1, weights=np.broadcast_to(chances, left.shape))[..., None]
    shrunken = (times * left + 2 * np.maximum(even, 0.0)) / (times + 2) * (1 + 1 / times)
    wandered: Numbers = np.maximum(shrunken, 0.0)
    return wandered
