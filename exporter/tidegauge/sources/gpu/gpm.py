"""GPU performance monitoring: the metrics of the time between this read and the one before.

Hopper and later. A sample is memory of NVML's, so what is taken is given back by `close`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidegauge.catalog import Metric
from tidegauge.catalog import gpu_opt_in as catalog
from tidegauge.sources.gpu import nvml_gpm as nvml
from tidegauge.sources.gpu.asking import Asker
from tidegauge.sources.gpu.nvml import Handle
from tidegauge.sources.gpu.nvml_gpm import GpmSample
from tidegauge.sources.gpu.question import Value

APART_SECONDS = 0.1
"""NVML says nothing of samples that are closer together."""

_PERCENT = 0.01
_MIB = 2.0**20

METRICS: tuple[tuple[int, Metric, tuple[str, ...], float], ...] = (
    (2, catalog.SM_ACTIVE, (), _PERCENT),
    (3, catalog.SM_OCCUPANCY, (), _PERCENT),
    (5, catalog.TENSOR_ACTIVE, (), _PERCENT),
    (10, catalog.DRAM_ACTIVE, (), _PERCENT),
    (20, catalog.PCIE_RATE, ("tx",), _MIB),
    (21, catalog.PCIE_RATE, ("rx",), _MIB),
    (61, catalog.NVLINK_RATE, ("tx",), _MIB),
    (60, catalog.NVLINK_RATE, ("rx",), _MIB),
)
"""nvmlGpmMetricId_t, series, labels, and what makes a base unit of its percent or MiB/s."""

_IDS = tuple(number for number, *_ in METRICS)


@dataclass(slots=True)
class _Pair:
    """Two samples that take turns: `older` was filled at `taken_at`, and `values` came of both."""

    older: GpmSample
    newer: GpmSample
    taken_at: float
    values: tuple[Value, ...] = ()


class Gpm:
    """One device's samples. A target is a GPU instance's id, or None for the whole device."""

    def __init__(self, asker: Asker, *, clock: Callable[[], float]) -> None:
        self._asker = asker
        self._clock = clock
        self._pairs: dict[int | None, _Pair] = {}
        self._is_supported: bool | None = None

    def values(
        self, device: Handle, targets: Sequence[int | None]
    ) -> dict[int | None, tuple[Value, ...]]:
        """By target; nothing at the first read, and what was there before if asked too soon.

        Raises:
            NvmlError: a sample could not be taken or compared.
        """
        if not self._supported(device):
            return {}
        for target in set(self._pairs).difference(targets):
            self._free(self._pairs.pop(target))
        return {target: self._values(device, target) for target in targets}

    def close(self) -> None:
        """Give the samples back; the next read begins anew."""
        while self._pairs:
            self._free(self._pairs.popitem()[1])
        self._is_supported = None

    def _supported(self, device: Handle) -> bool:
        if self._is_supported is None:
            query = "nvmlGpmQueryDeviceSupport"
            self._is_supported = self._asker.optional(
                query, lambda: nvml.gpm_supported(device), default=False
            )
        return self._is_supported

    def _values(self, device: Handle, target: int | None) -> tuple[Value, ...]:
        pair = self._pairs.get(target)
        if pair is None:
            self._pairs[target] = self._begun(device, target)
            return ()
        if self._clock() - pair.taken_at < APART_SECONDS:
            return pair.values
        self._take(device, pair.newer, target)
        older, newer = pair.older, pair.newer
        pair.older, pair.newer, pair.values = newer, older, ()
        pair.taken_at = self._clock()
        seen = self._asker.timed("nvmlGpmMetricsGet", lambda: nvml.metrics(older, newer, _IDS))
        pair.values = _values_of(seen)
        return pair.values

    def _begun(self, device: Handle, target: int | None) -> _Pair:
        pair = _Pair(nvml.new_sample(), nvml.new_sample(), self._clock())
        try:
            self._take(device, pair.older, target)
            pair.taken_at = self._clock()
        except BaseException:
            self._free(pair)
            raise
        return pair

    def _take(self, device: Handle, sample: GpmSample, target: int | None) -> None:
        function = "nvmlGpmSampleGet" if target is None else "nvmlGpmMigSampleGet"
        self._asker.timed(function, lambda: nvml.take_sample(device, sample, target))

    @staticmethod
    def _free(pair: _Pair) -> None:
        nvml.free_sample(pair.older)
        nvml.free_sample(pair.newer)


def _values_of(seen: Sequence[float | None]) -> tuple[Value, ...]:
    return tuple(
        Value(metric, number * scale, labels)
        for (_, metric, labels, scale), number in zip(METRICS, seen, strict=True)
        if number is not None
    )
