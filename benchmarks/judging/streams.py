"""Streams of requests with and without a change, drawn from prompts, and what we say of them.

Each split cuts the base in two at random: a reference, laid at RATE requests a second, and a pool
that runs are drawn from. A run is places in the split's rows; those of a null run are all of the
base, of a changed one a share is of a domain from sample CHANGE on.
"""

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.judging.prompts import MODEL
from tidegauge.drift.block import UNIT, Block, directions
from tidegauge.drift.reference import Reference
from tidegauge.drift.row import Row
from tidegauge.drift.sequence import Sequence as Sequential
from tidegauge.drift.sketch import Sketch

REFERENCE = 1000  # the product's default `warmup_requests`, and what alibi-detect keeps in memory
NULL_RUNS, NULL_SAMPLES = 12, 1200  # of each split
CHANGE, CAP = 200, 500  # samples before, and after
CHANGED_RUNS = 2  # of each split, domain and share
TICK_SECONDS = 10
RATE = 10  # requests a second, as of a busy engine
BEGIN = 1_700_000_000  # of the reference: any multiple of the tick

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Change:
    """A run of a domain mixed in at a share."""

    domain: str
    share: float
    places: Places


@dataclass(frozen=True, slots=True)
class Split:
    """`rows` are the pool's, base and domains; `reference` those that detectors learn."""

    reference: Sequence[Row]
    rows: Sequence[Row]
    nulls: Sequence[Places]
    changes: Sequence[Change]

    @property
    def runs(self) -> list[Places]:
        """All, null ones first."""
        return [*self.nulls, *(change.places for change in self.changes)]


@dataclass(frozen=True, slots=True)
class Said:
    """A score a sample of each run, 1 or more an alarm at the detector's own threshold."""

    scores: Sequence[Numbers]
    sample_us: float
    setup_s: float


def split(
    base: Sequence[Row],
    domains: Mapping[str, Sequence[Row]],
    shares: Sequence[float],
    *,
    seed: int,
) -> Split:
    """One of many. Half of a base of less than 2 REFERENCE is the reference."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(base)).tolist()
    size = min(REFERENCE, len(base) // 2)
    reference, rows = [base[i] for i in order[:size]], [base[i] for i in order[size:]]
    ordinary, changes = len(rows), list[Change]()
    for name, of_domain in domains.items():
        first = len(rows)
        rows += of_domain
        for share in shares:
            for _ in range(CHANGED_RUNS):
                places = random.integers(0, ordinary, CHANGE + CAP)
                mixed = random.random(CHANGE + CAP) < share
                mixed[:CHANGE] = False
                places[mixed] = random.integers(first, len(rows), int(mixed.sum()))
                changes.append(Change(name, share, places))
    nulls = [random.integers(0, ordinary, NULL_SAMPLES) for _ in range(NULL_RUNS)]
    return Split(reference, rows, nulls, changes)


def vectors(rows: Sequence[Row]) -> Numbers:
    """(rows, 256) semantic vectors of length 1, as peers get them."""
    return directions(b"".join(row.vectors[0] or b"" for row in rows)).astype(np.float64) / UNIT


def ours(of: Split, *, run_length: float) -> Said:
    """The product's detector, its budget one alarm in `run_length` samples for the inputs."""
    began = time.process_time()
    sketch = Sketch(MODEL)
    for place, row in enumerate(of.reference):
        sketch.add(row, at=BEGIN + place / RATE)
    learned = Sequential(
        Reference.of(sketch, made_by="benchmark"),
        tick_seconds=TICK_SECONDS,
        budget_seconds=run_length / RATE,
    )
    setup = time.process_time() - began
    scores, costs = list[Numbers](), list[float]()
    for places in of.runs:
        sequence = copy.deepcopy(learned)
        rows = [of.rows[place] for place in places.tolist()]
        began = time.process_time()
        scores.append(_followed(sequence, rows))
        costs.append((time.process_time() - began) / len(rows))
    return Said(scores, 1e6 * float(np.median(costs)), setup)


def _followed(sequence: Sequential, rows: Sequence[Row]) -> Numbers:
    """RATE requests a second; between ticks the score is 0, since nothing can alarm."""
    scores, block = np.zeros(len(rows)), Block()
    for sample, row in enumerate(rows, 1):
        block.add(row)
        if sample % (TICK_SECONDS * RATE) == 0:
            sequence.tick(block, now=sample / RATE)
            scores[sample - 1] = sequence.sides["inputs"].ratio
            block = Block()
    return scores
