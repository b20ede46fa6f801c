"""How often windows with a shift score above what windows without one do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from benchmarks.mixing.ours import Scores
from benchmarks.mixing.pool import Places, Pool
from benchmarks.mixing.windows import Mixed

FALSE_ALARMS = 0.01


class Scoring(Protocol):
    """Made of a reference; more is more drift."""

    def scores(self, of: Pool, windows: Sequence[Places]) -> Scores:
        """Of each window, which are places in the pool."""


@dataclass(frozen=True, slots=True)
class Case:
    """A size of windows, and the share of texts of another kind in them."""

    size: int
    share: float


@dataclass(frozen=True, slots=True)
class Detected:
    """Shares of windows that scored above the threshold, of each case and domain, a split each."""

    found: dict[Case, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, ordinary: Scores, mixed: Sequence[tuple[Mixed, Scores]]) -> None:
        """One split; the threshold is what FALSE_ALARMS of its ordinary windows are above."""
        threshold = np.quantile(ordinary, 1 - FALSE_ALARMS)
        for each, scores in mixed:
            domains = self.found.setdefault(Case(each.size, each.share), {})
            domains.setdefault(each.domain, []).append(float((scores > threshold).mean()))

    def domains(self, case: Case) -> Mapping[str, float]:
        """Of each domain, the mean of splits."""
        return {name: float(np.mean(shares)) for name, shares in self.found[case].items()}

    def mean(self, case: Case) -> float:
        """Of domains."""
        return float(np.mean(list(self.domains(case).values())))
