"""How many exchanges were pushed, as a source: it reads memory only, so a read never fails."""

from collections.abc import Sequence

from tidegauge.samples import Sample
from tidegauge.sources.items import Items


class PushSource:
    """Says how many `items` were taken and refused."""

    name = "push"

    def __init__(self, items: Items) -> None:
        self.items = items

    async def read(self) -> Sequence[Sample]:
        return self.items.samples()

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        return
