"""Which rows of the sample are held out of the reference while they are measured by the rest.

No clock, no network, no logging: same arguments, same answer. A row that helped to make a basis
lies nearer to its middle than a new one will; rows that are held out lie as far as new ones.
"""

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int64]

_FEW = 4
_FOLDS = 5


def folds(rows: int, *, of: int) -> tuple[Places, ...]:
    """Of a sample of `rows` out of `of`: all at once if the rest is 3/4 and more, else fifths."""
    places = np.arange(rows)
    if rows * _FEW <= of:
        return (places,)
    return tuple(places[start::_FOLDS] for start in range(min(_FOLDS, rows)))
