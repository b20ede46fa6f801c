"""One score for a side of a window: is there anything that chance does not explain?

No clock, no network, no logging: same arguments, same answer. Five statistics, each with its own
chance of at least so much without a shift, made one by Cauchy's mean of p (Liu and Xie, 2020):

- plain: n |x|^2 of the mean direction of the vectors, each component in standard deviations;
- white: n |y|^2 in whitened coordinates, a regularised Hotelling's T^2 (vector_basis.py);
- location: n times the sum of squares of the channels' mean locations (scores.py);
- surprise: the sum of the channels' mean surprises: only more of it counts;
- outside: how many requests lie outside of the reference, by a beta-binomial distribution.

With n requests and m of the reference, n is 1 / (1/n + 1/m) where means are compared: the reference
is a sample, too. The score is -log10 p: 2 is one window in a hundred by chance. That takes requests
as independent; real ones come in bursts, for which drift's evidence over time is calibrated.
"""

from collections.abc import Iterator, Mapping
from math import e, log, log10

from tidegauge.drift.basis import Basis, SideBasis
from tidegauge.drift.block import Block
from tidegauge.drift.cells import Side
from tidegauge.drift.departure import scalar_tails, vector_tails
from tidegauge.drift.tail import log_beta_binomial_tail, log_cauchy_mean

MOST_SCORE = 300.0
"""Beyond it a chance is none: further digits would only hide lesser scores on a dashboard."""

SCORE_BY_CHANCE = log10(e)
"""What the score is on average without a shift: a p-value's -ln is 1 on average."""


class Joint:
    """Scores windows of one model against its reference. Memory: the basis, no more."""

    def __init__(self, basis: Basis) -> None:
        self._sides: Mapping[Side, SideBasis] = basis.sides

    def score(
        self, side: Side, window: Block, *, outside: tuple[int, int] | None = None
    ) -> float | None:
        """-log10 p, 0 to MOST_SCORE; None where window or reference say nothing of the side.

        `outside` are how many of the window's requests could be held against the limit, and how
        many of them lie beyond it (outside.py).
        """
        logs = list(_log_tails(self._sides[side], window, outside))
        return min(max(0.0, -log_cauchy_mean(logs) / log(10)), MOST_SCORE) if logs else None


def _log_tails(basis: SideBasis, window: Block, outside: tuple[int, int] | None) -> Iterator[float]:
    if basis.vector is not None:
        yield from vector_tails(basis.vector, window)
    if basis.scalars is not None:
        yield from scalar_tails(basis.scalars, window)
    limit = basis.limit
    if limit is not None and outside is not None and outside[0]:
        known, beyond = outside
        yield log_beta_binomial_tail(beyond, known, seen=limit.beyond, seen_of=limit.held)
