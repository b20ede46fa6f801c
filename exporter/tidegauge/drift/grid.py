"""A channel's grid: the fixed cells that one of its values falls into, the same everywhere.

No clock, no network, no logging: same arguments, same answer. A grid never depends on the traffic,
so that counts of different sidecars, and of different days, can be added up. Whoever changes a grid
raises GRIDS_VERSION in cells.py.
"""

from bisect import bisect_right
from dataclasses import dataclass
from math import expm1, log
from typing import Literal

MAX_CELLS = 64

Unit = Literal["tokens", "ratio", "characters", "seconds", "class"]


@dataclass(frozen=True, slots=True)
class Grid:
    """Cell i holds what is at least edges[i-1] and below edges[i]; first and last are open.

    `names` are those of the cells where they are classes; the value is then a class's place.

    >>> Grid("ratio", (0.25, 0.5)).cell(0.25)
    1

    Raises:
        ValueError: edges do not rise, or there are more than MAX_CELLS cells.
    """

    unit: Unit
    edges: tuple[float, ...]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(a >= b for a, b in zip(self.edges, self.edges[1:], strict=False)):
            raise ValueError(f"edges {self.edges}: must rise")
        if len(self.edges) >= MAX_CELLS:
            raise ValueError(f"{len(self.edges) + 1} cells: a grid has at most {MAX_CELLS}")

    @property
    def cells(self) -> int:
        """How many there are."""
        return len(self.edges) + 1

    def cell(self, value: float) -> int:
        """Which one holds the value, from 0."""
        return bisect_right(self.edges, value)


def classes(names: tuple[str, ...]) -> Grid:
    """One cell for each class.

    >>> classes(("stop", "length", "other")).cell(1.0)
    1
    """
    return Grid("class", tuple(place - 0.5 for place in range(1, len(names))), names)


def shares(octaves: int, per_octave: int) -> Grid:
    """Ratios from 0 to 1: 0 by itself, then `per_octave` steps to a doubling, up to 1.

    A share that is small as a rule is known to its size, not to its distance from 1: what is
    foreign in a text is a change of size.

    >>> [round(edge, 4) for edge in shares(2, 2).edges]
    [0.0, 0.25, 0.3536, 0.5, 0.7071, 1.0]
    """
    tiny = 1e-9
    steps = (2.0 ** (place / per_octave - octaves) for place in range(octaves * per_octave + 1))
    return Grid("ratio", (tiny, *steps))


def lengths(step: float, most: float) -> Grid:
    """ln(1 + n) of whole numbers n, in even steps; a cell that no whole number falls into is none.

    >>> [round(expm1(edge), 1) for edge in lengths(0.5, 20).edges]
    [0.6, 1.7, 3.5, 6.4, 11.2, 19.1]
    """
    edges = (step * place for place in range(1, int(log(1 + most) / step) + 1))
    kept, whole = list[float](), -1
    for edge in edges:
        if int(expm1(edge)) > whole:
            kept.append(edge)
            whole = int(expm1(edge))
    return Grid("tokens", tuple(kept))


def powers(unit: Unit, least: float, ratio: float, cells: int) -> Grid:
    """Positive numbers, each cell `ratio` times as wide as the one before.

    >>> powers("seconds", 0.001, 10, 4).edges
    (0.001, 0.01, 0.1)
    """
    return Grid(unit, tuple(least * ratio**place for place in range(cells - 1)))


def steps(unit: Unit, step: float, cells: int) -> Grid:
    """Numbers from 0 on in even steps.

    >>> steps("ratio", 0.25, 3).edges
    (0.25, 0.5)
    """
    return Grid(unit, tuple(step * place for place in range(1, cells)))
