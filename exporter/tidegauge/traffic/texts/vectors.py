"""A text as 256 numbers, rounded to one byte each: what drift compares beyond single features.

No clock, no network, no logging: same arguments, same answer. Whoever changes what a vector means
raises FEATURES_VERSION in features.py.

The style vector counts 4-grams of bytes in hashed buckets: it tells how something is written
(models differ in that), in any language, without a model.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

VectorKind = Literal["style", "semantic"]
VECTOR_KINDS: tuple[VectorKind, ...] = get_args(VectorKind)
DIMENSIONS = 256
STEPS = 127
"""A component is a whole number from -STEPS to STEPS; the largest of a vector is one of the two."""

STYLE_BYTES = 8192

# Knuth's multiplicative hash: the upper bits of a product with 2^32 / golden ratio are well mixed.
_MULTIPLIER = np.uint32(2_654_435_769)
_SHIFT = np.uint32(24)

Embed = Callable[[str], bytes | None]
"""A text's vector, `rounded`; None where the text has none."""


def style_vector(text: str) -> bytes | None:
    """Hashed byte 4-grams of the first STYLE_BYTES; None for a text of less than 4 bytes.

    The square root of each count: a gram that comes 100 times says little more than one that
    comes 50 times.
    """
    encoded = text[:STYLE_BYTES].encode("utf-8", "surrogatepass")[:STYLE_BYTES]
    if len(encoded) < 4:  # noqa: PLR2004  # a 4-gram
        return None
    grams = np.ndarray((len(encoded) - 3,), "<u4", encoded, strides=(1,))
    buckets = (grams * _MULTIPLIER) >> _SHIFT
    return rounded(np.sqrt(np.bincount(buckets, minlength=DIMENSIONS)))


def rounded(vector: NDArray[np.float64]) -> bytes | None:
    """The vector's direction, one signed byte a component; None if it has none.

    >>> rounded(np.array([0.5, -1.0, 0.2])).hex()
    '408119'
    """
    largest = float(np.abs(vector).max())
    if not 0 < largest < np.inf:
        return None
    steps: NDArray[np.int8] = np.rint(vector * (STEPS / largest)).astype(np.int8)
    return steps.tobytes()


def direction(vector: bytes) -> NDArray[np.float32]:
    """What `rounded` gave, as a vector of length 1."""
    components = np.frombuffer(vector, np.int8).astype(np.float32)
    return components / np.linalg.norm(components)
