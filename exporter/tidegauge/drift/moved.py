"""Which channels of a side moved, and which way: the name beside a score.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass
from math import hypot
from typing import Literal

from tidegauge.drift.basis import SideBasis
from tidegauge.drift.block import Block
from tidegauge.drift.cells import VECTORS
from tidegauge.drift.departure import ChannelDeparture, scalar_departure, vector_departure
from tidegauge.drift.tail import deviation_of, log_cauchy_mean

Direction = Literal["higher", "lower", ""]

_SURE = 2.0  # standard deviations from which on a mean is said to be higher or lower


@dataclass(frozen=True, slots=True)
class Moved:
    """A channel, by how many standard deviations of chance, 0 and above, and which way.

    The direction is "" where there is none: of classes, of vectors, and where it is not the middle
    that moved but rare values that came.
    """

    channel: str
    deviations: float
    direction: Direction


def moved(basis: SideBasis, window: Block) -> tuple[Moved, ...]:
    """The channels that both have, the one that moved most first."""
    found = list[Moved]()
    if basis.scalars is not None and (seen := scalar_departure(basis.scalars, window)) is not None:
        found += (_scalar(name, channel) for name, channel in seen.channels.items())
    if basis.vector is not None and (away := vector_departure(basis.vector, window)) is not None:
        deviations = max(0.0, deviation_of(log_cauchy_mean(away.log_tails)))
        found.append(Moved(VECTORS[basis.vector.place].name, deviations, ""))
    return tuple(sorted(found, key=lambda channel: -channel.deviations))


def _scalar(name: str, channel: ChannelDeparture) -> Moved:
    rare = max(0.0, deviation_of(channel.surprise_log_tail))
    sure = abs(channel.location) >= _SURE
    direction: Direction = ("higher" if channel.location > 0 else "lower") if sure else ""
    return Moved(name, hypot(channel.location, rare), direction)
