"""An embedding of any number of dimensions, brought to the 256 of a vector.

No clock, no network, no logging: same arguments, same answer, on every machine. Whoever changes
what is made of an embedding raises FEATURES_VERSION in features.py.

Fewer dimensions are filled up with zeros: cosines stay what they are. More are projected: signs
that are fixed for good, then the first 256 rows of an orthonormal cosine transform (DCT-II),

    y_k = sum_n s_n x_n c_k cos(pi (2 n + 1) k / (2 d)),  c_0 = sqrt(1 / d), else sqrt(2 / d)

which is a subsampled randomised trigonometric transform: a Johnson-Lindenstrauss map with exactly
orthonormal rows (Ailon and Chazelle, 2009; Tropp, 2011). It needs no generator of random numbers,
whose stream a later NumPy may change, and no decomposition, whose signs differ between libraries.
"""

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tidegauge.traffic.texts.vectors import DIMENSIONS

DIMENSIONS_MAX = 8192
"""A projection from that many is 8 MB; models in use have up to 4,096."""


def fitted(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """`vector`, of shape (d,) with d up to DIMENSIONS_MAX, as one of shape (256,).

    >>> fitted(np.array([3.0, 4.0]))[:3]
    array([3., 4., 0.])
    """
    if vector.size <= DIMENSIONS:
        return np.pad(vector, (0, DIMENSIONS - vector.size))
    largest = float(np.abs(vector).max())
    if not 0 < largest < np.inf:
        return np.full(DIMENSIONS, largest)  # without a direction, which `rounded` tells
    scaled = (vector / largest).astype(np.float32)  # single precision is ten times as fast
    return np.asarray(_projection(vector.size) @ scaled, np.float64)


@lru_cache(maxsize=1)  # one embedding is in use at a time
def _projection(dimensions: int) -> NDArray[np.float32]:
    """Of shape (256, dimensions); its rows are orthonormal."""
    rows, columns = np.arange(DIMENSIONS)[:, None], np.arange(dimensions)
    turned = np.cos(np.pi / (2 * dimensions) * ((2 * columns + 1) * rows))
    turned *= np.sqrt(np.where(rows == 0, 1, 2) / dimensions)
    return np.asarray(turned * _signs(dimensions), np.float32)


def _signs(count: int) -> NDArray[np.float64]:
    """1 or -1 for each, from the bits of SHA-256 over a running number."""
    blocks = (hashlib.sha256(b"tidegauge %d" % n).digest() for n in range(-(-count // 256)))
    bits = np.unpackbits(np.frombuffer(b"".join(blocks), np.uint8))
    return np.where(bits[:count] == 1, -1.0, 1.0)
