"""Exchanges in, drift samples out: one window and one set of bin counters per model and channel.

The counters only ever grow and start at 0 for every bin, so that Prometheus can add up what the
replicas of a model saw and score them as one; the window's score is this replica's own.
"""

from collections.abc import Iterable

from tidegauge.catalog import drift as catalog
from tidegauge.drift.bins import Value
from tidegauge.drift.channels import CHANNELS, Channel, Observation
from tidegauge.drift.reference import ChannelReference, Reference
from tidegauge.drift.registry import DRIFT_TESTS
from tidegauge.drift.test import DriftTest
from tidegauge.drift.window import WindowLimits
from tidegauge.samples import Sample
from tidegauge.traffic.exchange import Exchange


class DriftMonitor:
    """Scores each model against its reference; models without one are passed over.

    Raises:
        ValueError: two references for one model, or no such test.
    """

    def __init__(
        self, references: Iterable[Reference], limits: WindowLimits, *, test: str = "psi"
    ) -> None:
        if test not in DRIFT_TESTS:
            raise ValueError(f"drift test {test!r}: known are {', '.join(DRIFT_TESTS)}")
        self._models: dict[str, _Model] = {}
        for reference in references:
            if reference.model in self._models:
                raise ValueError(f"model {reference.model!r}: two references for it")
            self._models[reference.model] = _Model(reference, limits, test)

    def observe(self, exchange: Exchange, *, now: float) -> None:
        """Count an exchange if it ended well. `now`: seconds of a clock that never goes back."""
        model = self._models.get(exchange.model)
        if model is None or exchange.outcome != "ok":
            return
        model.observe(Observation(exchange.features, exchange.generation_tokens), now=now)

    def samples(self, *, now: float) -> tuple[Sample, ...]:
        """Every drift series; requests that grew too old leave the windows first."""
        return tuple(sample for model in self._models.values() for sample in model.samples(now=now))


class _Model:
    def __init__(self, reference: Reference, limits: WindowLimits, test: str) -> None:
        channels = {channel.name: channel for channel in CHANNELS}
        self._channels = tuple(
            _WatchedChannel(
                reference.model,
                channel=channels[channel.channel],
                reference=channel,
                test=DRIFT_TESTS[test](channel, limits),
            )
            for channel in reference.channels
        )
        labels = (reference.model, reference.digest, reference.features)
        self._info = Sample(catalog.REFERENCE_INFO, 1.0, labels)

    def observe(self, seen: Observation, *, now: float) -> None:
        for channel in self._channels:
            channel.observe(seen, now=now)

    def samples(self, *, now: float) -> Iterable[Sample]:
        yield self._info
        for channel in self._channels:
            yield from channel.samples(now=now)


class _WatchedChannel:
    def __init__(
        self, model: str, *, channel: Channel, reference: ChannelReference, test: DriftTest
    ) -> None:
        self._channel = channel
        self._bins = reference.bins
        self._test = test
        self._labels = (model, reference.channel)
        self._counts = [0.0] * len(reference.bins.labels)
        self._reference_samples = tuple(
            Sample(catalog.REFERENCE_RATIO, share, (*self._labels, label))
            for label, share in zip(reference.bins.labels, reference.shares, strict=True)
        )

    def observe(self, seen: Observation, *, now: float) -> None:
        value = self._channel.value(seen)
        if value is None:
            return
        self._count(value)
        self._test.update((value,), now=now)

    def samples(self, *, now: float) -> Iterable[Sample]:
        verdict = self._test.update((), now=now)
        requests = float(verdict.evidence_requests)
        yield Sample(catalog.WINDOW_REQUESTS, requests, self._labels)
        if verdict.effect_size is not None:
            yield Sample(catalog.SCORE, verdict.effect_size, self._labels)
        if verdict.effect_by_chance is not None:
            yield Sample(catalog.SCORE_BY_CHANCE, verdict.effect_by_chance, self._labels)
        for label, count in zip(self._bins.labels, self._counts, strict=True):
            yield Sample(catalog.BIN_REQUESTS, count, (*self._labels, label))
        yield from self._reference_samples

    def _count(self, value: Value) -> None:
        for index, weight in enumerate(self._bins.spread(value)):
            self._counts[index] += weight
