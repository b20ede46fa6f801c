"""Counters that a new child begins anew with the driver's bare number, shown so that they go on.

No clock, no network, no logging: same arguments, same answer. The driver's PCIe counters have 32
bits; a child follows them over their end, and what it has added up is lost with it. What was
counted between two children is left out: a lower bound, as it was before.
"""

from tidegauge.catalog import gpu_links
from tidegauge.samples import Distribution, Sample

FOLLOWED = frozenset({gpu_links.PCIE_BYTES})


class Onward:
    """Remembers what was last shown of each series, whatever index its device has."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, ...], float] = {}
        self._ahead: dict[tuple[str, ...], float] = {}  # of the present child

    def follow(self, sample: Sample) -> Sample:
        """The sample as it is to be shown: never below what was shown before."""
        if sample.metric not in FOLLOWED or isinstance(sample.value, Distribution):
            return sample
        key = (sample.metric.name, *sample.labels[1:])
        if key not in self._ahead:
            self._ahead[key] = max(self._shown.get(key, 0.0) - sample.value, 0.0)
        value = self._shown[key] = sample.value + self._ahead[key]
        return Sample(sample.metric, value, sample.labels)

    def turn(self) -> None:
        """The child has ended; the next one begins anew."""
        self._ahead.clear()
