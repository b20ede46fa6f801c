"""Kept samples, of which the parent is told only what has changed since it was last told.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable

from tidegauge.samples import Sample


class Ledger:
    """The last value of each kept series."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, tuple[str, ...]], object] = {}

    def news(self, samples: Iterable[Sample]) -> tuple[Sample, ...]:
        """Those whose value differs from what was told before; they count as told now."""
        new = []
        for sample in samples:
            key = (sample.metric.name, sample.labels)
            if self._told.get(key) != sample.value:
                self._told[key] = sample.value
                new.append(sample)
        return tuple(new)
