"""How many exchanges were pushed, as a source: it reads memory only, so a read never fails."""

from collections.abc import Callable, Sequence

from tidegauge.samples import Sample
from tidegauge.sources.items import Items


class PushSource:
    """Says how many `items` were taken and refused. `let_go` ends what measures them."""

    name = "push"

    def __init__(self, items: Items, let_go: Callable[[], None]) -> None:
        self.items = items
        self._let_go = let_go

    async def read(self) -> Sequence[Sample]:
        return self.items.samples()

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        self._let_go()
