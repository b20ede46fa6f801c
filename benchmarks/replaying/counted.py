"""Requests as the product counts them: the cells of two channels, in blocks of a tick.

A request is two cells, of its prompt's and its answer's tokens; what a trace does not hold is not
known of any request, as of an engine that says no more. Cells, blocks and sketches are the
product's; only the counting goes over all requests at once, as a row at a time takes hours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block
from tidegauge.drift.cells import CELLS, CHANNELS, VECTORS
from tidegauge.drift.sketch import BLOCK_SECONDS, Sketch
from tidegauge.traffic.texts.vectors import DIMENSIONS

TICK_SECONDS = BLOCK_SECONDS
DAY_SECONDS = 86_400.0
START = 20_458 * DAY_SECONDS  # 2026-01-05; any would do

Whole = NDArray[np.int64]
_NAMED = {channel.name: channel for channel in CHANNELS}
_PROMPTS, _ANSWERS = _NAMED["prompt_tokens"], _NAMED["answer_tokens"]


@dataclass(frozen=True, slots=True)
class Requests:
    """In order of time: the tick of each from some first one on, and its two cells."""

    ticks: Whole
    prompts: Whole
    answers: Whole

    def __len__(self) -> int:
        return len(self.ticks)

    def chosen(self, which: NDArray[np.bool_] | Whole) -> "Requests":
        """Some of them."""
        return Requests(self.ticks[which], self.prompts[which], self.answers[which])

    def between(self, first: int, end: int) -> "Requests":
        """Those of ticks first … end - 1, of which `first` becomes 0."""
        low, high = np.searchsorted(self.ticks, (first, end))
        at = slice(low, high)
        return Requests(self.ticks[at] - first, self.prompts[at], self.answers[at])


def requests(
    times: NDArray[np.float64], prompts: NDArray[np.float64], answers: NDArray[np.float64]
) -> Requests:
    """Of seconds and tokens."""
    return Requests(
        (times // TICK_SECONDS).astype(np.int64),
        np.searchsorted(_PROMPTS.grid.edges, np.log1p(prompts), side="right"),
        np.searchsorted(_ANSWERS.grid.edges, np.log1p(answers), side="right"),
    )


class Counted:
    """`ticks` blocks of requests, made when they are asked for."""

    def __init__(self, of: Requests, ticks: int) -> None:
        self.ticks = ticks
        self._requests = np.bincount(of.ticks, minlength=ticks)
        self._prompts = _table(of.ticks, of.prompts, ticks, _PROMPTS.grid.cells)
        self._answers = _table(of.ticks, of.answers, ticks, _ANSWERS.grid.cells)

    def block(self, tick: int) -> Block:
        counts = np.zeros(CELLS, np.int64)
        counts[_PROMPTS.place] = self._prompts[tick]
        counts[_ANSWERS.place] = self._answers[tick]
        sums = np.zeros((len(VECTORS), DIMENSIONS), np.int64)
        vectors = np.zeros(len(VECTORS), np.int64)
        return Block.of(int(self._requests[tick]), counts=counts, vectors=vectors, sums=sums)

    def sketch(self, ticks: int) -> Sketch:
        """Of the first so many of them, from START on."""
        whole = Sketch("a model")
        for tick in np.flatnonzero(self._requests[:ticks]).tolist():
            whole.restore_block(START + tick * TICK_SECONDS, self.block(tick))
        whole.restore_span(START, START + ticks * TICK_SECONDS)
        return whole


def _table(ticks: Whole, cells: Whole, rows: int, columns: int) -> Whole:
    table: Whole = np.bincount(ticks * columns + cells, minlength=rows * columns)
    return table.reshape(rows, columns)
