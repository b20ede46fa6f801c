"""A reference made ready to score against: everything here is a function of its sketch.

No clock, no network, no logging: same arguments, same answer. Made once for each reference, in
about 0.1 s, and shared by all that scores.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tidegauge.drift.cells import VECTORS, Side
from tidegauge.drift.limit import Limit
from tidegauge.drift.sampled import Sampled
from tidegauge.drift.scalar_basis import ScalarBasis, scalar_basis
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.vector_basis import VectorBasis, vector_basis


@dataclass(frozen=True, slots=True, eq=False)
class SideBasis:
    """Of one side's requests: numbers and classes, and its vector. None is what too few have."""

    scalars: ScalarBasis | None
    vector: VectorBasis | None

    @property
    def limit(self) -> Limit | None:
        """Beyond which a request is outside: by its vector, or by its cells where it has none."""
        if self.vector is not None:
            return self.vector.limit
        return None if self.scalars is None else self.scalars.limit


VECTOR_OF: Mapping[Side, int] = {vector.side: place for place, vector in enumerate(VECTORS)}
"""Which of VECTORS a side has."""


class Basis:
    """`sides` has both. Memory: 0.6 MB with both vectors."""

    def __init__(self, sketch: Sketch) -> None:
        total, sampled = sketch.total, Sampled([row for _, row in sketch.sample])
        self.requests = sketch.requests
        self.sides: Mapping[Side, SideBasis] = {
            side: SideBasis(
                scalar_basis(side, total.counts, sampled.cells),
                vector_basis(
                    place,
                    total=total,
                    moments=sketch.moments(place),
                    sampled=sampled.directions[place],
                ),
            )
            for side, place in VECTOR_OF.items()
        }
