"""How many items the inputs took and refused, whichever they are: counts that only grow."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from tidegauge.catalog import inputs
from tidegauge.samples import Sample

Result = Literal["accepted", "rejected", "ignored"]


class Items:
    """Counts by input; every input is to be opened before it is counted."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Result]] = Counter()

    def open(self, names: Iterable[str]) -> None:
        """Show these inputs from 0 on, if they were not there."""
        for name in names:
            self._counts[name, "accepted"] += 0
            self._counts[name, "rejected"] += 0

    def add(self, name: str, result: Result, count: int = 1) -> None:
        """So many more."""
        self._counts[name, result] += count

    def samples(self) -> tuple[Sample, ...]:
        """`tidegauge_input_items_total`."""
        return tuple(Sample(inputs.ITEMS, n, labels) for labels, n in self._counts.items())
