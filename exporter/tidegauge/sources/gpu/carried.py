"""Counters that outlive the child which counts them: each new child goes on where the last ended.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable

from tidegauge.catalog import Metric
from tidegauge.samples import Distribution, Sample

_Key = tuple[str, tuple[str, ...]]
_Value = float | Distribution


class Carried:
    """The sums over all children. A device is known by its uuid, whatever index it has now.

    Counters and histograms add up; a gauge keeps its last value.
    """

    def __init__(self) -> None:
        self._bases: dict[_Key, _Value] = {}
        self._now: dict[_Key, Sample] = {}

    def update(self, kept: Iterable[Sample]) -> None:
        """What the present child says since its start; may leave out what has not changed."""
        for sample in kept:
            key = _key(sample)
            base = self._bases.get(key)
            value = sample.value if base is None else _sum(base, sample.value)
            self._now[key] = Sample(sample.metric, value, sample.labels)

    def turn(self) -> None:
        """The child has ended: the next one starts from zero."""
        self._bases = {
            key: sample.value for key, sample in self._now.items() if sample.metric.kind != "gauge"
        }

    def forget(self, metric: Metric) -> None:
        """Let go of the metric's series."""
        self._now = {key: s for key, s in self._now.items() if s.metric is not metric}

    def samples(self) -> tuple[Sample, ...]:
        return tuple(self._now.values())


def _key(sample: Sample) -> _Key:
    names, labels = sample.metric.labels, sample.labels
    known = names[:2] == ("gpu", "uuid") and labels[1]
    return sample.metric.name, labels[1:] if known else labels


def _sum(base: _Value, value: _Value) -> _Value:
    if isinstance(base, Distribution) and isinstance(value, Distribution):
        pairs = zip(base.buckets, value.buckets, strict=True)
        buckets = tuple((bound, before + now) for (bound, before), (_, now) in pairs)
        return Distribution(buckets, base.sum + value.sum)
    if isinstance(base, Distribution) or isinstance(value, Distribution):
        raise TypeError(f"{base!r} and {value!r} do not add up")
    return base + value
