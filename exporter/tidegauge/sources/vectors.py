"""What became of vectors, as a source: it reads memory only, so a read never fails."""

from collections.abc import Sequence

from tidegauge.samples import Sample
from tidegauge.traffic.texts.vector_settings import VectorTallies


class VectorSource:
    """The tallies that the doors keep."""

    name = "vectors"

    def __init__(self, tallies: VectorTallies) -> None:
        self._tallies = tallies

    async def read(self) -> Sequence[Sample]:
        return self._tallies.samples()

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
