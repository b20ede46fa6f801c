"""CPU time of one window that is scored by itself, as Evidently scores one."""

import statistics
import time
from collections.abc import Sequence
from math import nan

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.drift_parts import MICRO, ROUNDS, SETTINGS, learned_from
from tidegauge.drift.basis import Basis
from tidegauge.drift.block import Block
from tidegauge.drift.cells import CHANNELS, SIDES
from tidegauge.drift.joint import Joint
from tidegauge.drift.registry import DRIFT_TESTS
from tidegauge.drift.row import row_of
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.texts.feature_vector import COLUMNS, feature_vector

_PLACES = tuple(COLUMNS.index(channel.column) for channel in CHANNELS)


def table(exchanges: Sequence[Exchange]) -> NDArray[np.float64]:
    """(exchanges, channels) numbers, as a peer gets them; NaN is not known."""
    rows = [feature_vector(exchange) for exchange in exchanges]
    return np.array([[_number(row[place]) for place in _PLACES] for row in rows])


def window_us(reference: Sequence[Exchange], windows: Sequence[Sequence[Exchange]]) -> float:
    """Of the median window, from exchanges to a score of each channel and side."""
    learned = learned_from(reference)
    total = learned.sketch.total
    tests = [DRIFT_TESTS[SETTINGS.test](channel, total) for channel in CHANNELS]
    joint = Joint(Basis(learned.sketch))
    times = list[float]()
    for turn in range(ROUNDS + 1):
        for window in windows:
            began = time.thread_time()
            block = Block()
            for exchange in window:
                block.add(row_of(exchange))
            for test in tests:
                test.effect(block)
            for side in SIDES:
                joint.score(side, block, outside=None)
            if turn:
                times.append(time.thread_time() - began)
    return MICRO * statistics.median(times)


def _number(value: float | None) -> float:
    return nan if value is None else value
