"""Which vectors are made, for how many exchanges, at what cost; and what became of each.

No clock, no network, no logging.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tidegauge.catalog import vectors as catalog
from tidegauge.samples import Sample
from tidegauge.traffic.texts.embedding import STATIC, Embedding
from tidegauge.traffic.texts.vectors import VectorKind

Result = Literal["made", "sampled_out", "over_budget", "queue_full", "late", "failed"]
RESULTS: tuple[Result, ...] = get_args(Result)


@dataclass(frozen=True, slots=True)
class VectorSettings:
    """No `kinds`, no vectors. `budget_ratio` is of one core, `sample_ratio` of the exchanges.

    `embedding.identity` is what a reference has to be made with.
    """

    kinds: tuple[VectorKind, ...] = ()
    sample_ratio: float = 1.0
    budget_ratio: float = 0.05
    embedding: Embedding = STATIC


NO_VECTORS = VectorSettings()


class VectorTallies:
    """Counts exchanges that had a text to make a vector of, by what became of it."""

    def __init__(self) -> None:
        self._results: Counter[Result] = Counter()
        self._cpu_seconds = 0.0

    def count(self, result: Result) -> None:
        self._results[result] += 1

    def spend(self, cpu_seconds: float) -> None:
        self._cpu_seconds += cpu_seconds

    def samples(self) -> Sequence[Sample]:
        """Every result from the start, at 0."""
        return (
            *(Sample(catalog.VECTORS, self._results[result], (result,)) for result in RESULTS),
            Sample(catalog.VECTORS_CPU, self._cpu_seconds),
        )
