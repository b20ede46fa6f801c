"""One model against its reference: what came since the last tick, scored in every way.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np

from tidegauge.catalog import drift as catalog
from tidegauge.drift.basis import Basis
from tidegauge.drift.bins import AllBins
from tidegauge.drift.block import Block, Counts
from tidegauge.drift.cells import CHANNELS, FIRSTS, NAMES, SIDES, VECTORS
from tidegauge.drift.centroid import Centroid
from tidegauge.drift.joint import SCORE_BY_CHANCE, Joint
from tidegauge.drift.outside import BATCH, Outside
from tidegauge.drift.outside_window import OutsideWindow
from tidegauge.drift.reference import Reference
from tidegauge.drift.registry import DRIFT_TESTS
from tidegauge.drift.row import Row
from tidegauge.drift.sequence import Sequence, State
from tidegauge.drift.settings import DriftSettings
from tidegauge.drift.shares import smoothed_shares
from tidegauge.drift.test import DriftTest
from tidegauge.drift.window import Window
from tidegauge.samples import Sample

Origin = Literal["file", "learned"]
"""Whether all replicas were given it, or this one has learned it."""


class Watched:
    """Made from a reference, which takes some tenths of a second; a tick takes a millisecond."""

    def __init__(
        self, reference: Reference, settings: DriftSettings, *, origin: Origin = "learned"
    ) -> None:
        total = reference.sketch.total
        self.reference = reference
        self.origin = origin
        self._tests = _tests(reference, total, settings.test)
        self._known = _known(total)
        basis = Basis(reference.sketch)
        self._joint = Joint(basis)
        self._sequence = Sequence(
            reference,
            tick_seconds=settings.tick_seconds,
            budget_seconds=settings.budget_seconds * len(SIDES),
        )
        self._outside = Outside(basis)
        self._outside_window = OutsideWindow(settings.limits)
        self._window = Window(settings.limits, interval=settings.tick_seconds)
        self._bins = AllBins(total.counts)
        self._counts: Counts = np.zeros(self._bins.size, np.int64)
        self._fresh, self._rows = Block(), list[Row]()
        self._since_tick: tuple[Sample, ...] | None = None
        info = (reference.model, reference.digest, reference.features, origin)
        self._still = (
            Sample(catalog.REFERENCE_INFO, 1.0, info),
            *_still(reference, self._bins, total, known=self._known),
        )

    @property
    def alarms(self) -> bool:
        """Whether a side is over its threshold."""
        return any(evidence.ratio >= 1.0 for evidence in self._sequence.sides.values())

    @property
    def has_alarmed(self) -> bool:
        """Whether a side ever was, by this reference; also before a restart."""
        return any(self._sequence.alarms_ever.values())

    def state(self) -> State:
        """What was counted since the start to make thresholds of."""
        return self._sequence.state()

    def restore(self, state: State) -> None:
        """Go on where a sidecar before us was, if it had the same reference and budget."""
        self._sequence.restore(state)
        self._since_tick = None

    def observe(self, row: Row) -> None:
        """A request that has just ended."""
        self._fresh.add(row)
        self._rows.append(row)
        if len(self._rows) >= BATCH:
            self._look_outside()

    def tick(self, *, now: float) -> None:
        """Score all that came since the last tick. `now`: seconds, of a clock that only rises."""
        self._look_outside()
        self._outside_window.close(now=now)
        fresh, self._fresh = self._fresh, Block()
        self._counts += self._bins.counts(fresh.counts)
        self._window.push(fresh, now=now)
        self._sequence.tick(fresh, now=now)
        self._since_tick = None

    def samples(self, *, at: float) -> Iterator[Sample]:
        """Every series of the model. `at`: seconds of the wall clock."""
        yield from self._still
        end = self.reference.sketch.end
        if end is not None and self.reference.timed:
            yield Sample(catalog.REFERENCE_AGE, max(0.0, at - end), (self.reference.model,))
        if self._since_tick is None:
            self._since_tick = (
                *self._window_samples(),
                *self._sequence_samples(),
                *self._bin_samples(),
            )
        yield from self._since_tick

    def _look_outside(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._outside_window.add(self._outside.counted(rows))

    def _window_samples(self) -> Iterator[Sample]:
        model, window = self.reference.model, self._window.total
        for name, known in _known(window).items():
            if name in self._known:
                yield Sample(catalog.WINDOW_REQUESTS, float(known), (model, name))
        if not self._window.enough:
            return
        for name, test in self._tests.items():
            effect = test.effect(window)
            if effect is not None:
                yield Sample(catalog.SCORE, effect.size, (model, name))
                yield Sample(catalog.SCORE_BY_CHANCE, effect.by_chance, (model, name))
        for side in SIDES:
            share = self._outside_window.ratio(side)
            if share is not None:
                yield Sample(catalog.OUTSIDE_RATIO, share, (model, side))
            joint = self._joint.score(side, window, outside=self._outside_window.counts(side))
            if joint is not None:
                yield Sample(catalog.SCORE, joint, (model, side))
                yield Sample(catalog.SCORE_BY_CHANCE, SCORE_BY_CHANCE, (model, side))

    def _sequence_samples(self) -> Iterator[Sample]:
        model = self.reference.model
        for side, calibration in self._sequence.calibrations.items():
            yield Sample(catalog.ALARMS, float(self._sequence.alarms[side]), (model, side))
            yield Sample(catalog.BUDGET, calibration.budget_seconds, (model, side))
            yield Sample(catalog.REFERENCE_ALARMS, float(calibration.alarms), (model, side))
        evidences = (*self._sequence.sides.items(), *self._sequence.channels.items())
        for name, evidence in evidences:
            yield Sample(catalog.THRESHOLD, evidence.threshold, (model, name))
        if not self._window.requests:
            return  # evidence is of requests of late: of none, it would stand where it was for ever
        for name, evidence in evidences:
            yield Sample(catalog.EVIDENCE, evidence.value, (model, name))
            yield Sample(catalog.RATIO, evidence.ratio, (model, name))
        for side, top in self._sequence.tops.items():
            yield Sample(catalog.TOP_CHANNEL, 1.0, (model, side, top.channel, top.direction))

    def _bin_samples(self) -> Iterator[Sample]:
        for name, bins in self._bins.channels.items():
            counts = self._counts[self._bins.place(name)]
            for label, count in zip(bins.labels, counts, strict=True):
                labels = (self.reference.model, name, label)
                yield Sample(catalog.BIN_REQUESTS, float(count), labels)


def _tests(reference: Reference, total: Block, test: str) -> Mapping[str, DriftTest]:
    """One for each channel; those that the reference says nothing of give no effect."""
    make = DRIFT_TESTS[test]
    return {
        **{channel.name: make(channel, total) for channel in CHANNELS},
        **{vector.name: Centroid(vector, reference.sketch) for vector in VECTORS},
    }


def _known(block: Block) -> Mapping[str, int]:
    """How many requests say something of each channel, where any does."""
    known = (*np.add.reduceat(block.counts, FIRSTS).tolist(), *block.vectors.tolist())
    return {name: requests for name, requests in zip(NAMES, known, strict=True) if requests}


def _still(
    reference: Reference, bins: AllBins, total: Block, *, known: Mapping[str, int]
) -> tuple[Sample, ...]:
    """What does not change while the reference stays."""
    model = reference.model
    blocks = sum(1 for _ in reference.sketch.blocks())
    counts = bins.counts(total.counts)
    shares = (
        Sample(catalog.REFERENCE_RATIO, share, (model, name, label))
        for name, of_channel in bins.channels.items()
        for label, share in zip(
            of_channel.labels, smoothed_shares(counts[bins.place(name)].tolist()), strict=True
        )
    )
    return (
        Sample(catalog.REFERENCE_BLOCKS, float(blocks), (model,)),
        *(Sample(catalog.REFERENCE_REQUESTS, float(n), (model, name)) for name, n in known.items()),
        *shares,
    )
