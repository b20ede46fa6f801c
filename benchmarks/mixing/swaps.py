"""Windows of another model's answers to the same kind of prompts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.mixing.detected import FALSE_ALARMS
from benchmarks.mixing.ours import Ours, Scores
from benchmarks.mixing.pool import Pool

SIZE = 200
STATED = 2.0  # the score of a window in a hundred
_BASES = 180  # references that are made in all
_WINDOWS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Swaps:
    """By the models of reference and of window, of which pairs of the same are without a shift."""

    scores: Mapping[tuple[str, str], Scores]
    splits: int

    def detected(self) -> Mapping[str, float]:
        """Of each pair: the share of windows above what 1 % of its reference's own are above."""
        return {
            f"{reference} to {model}": float((scores > self._threshold(reference)).mean())
            for (reference, model), scores in self.scores.items()
            if reference != model
        }

    def false_alarms(self) -> float:
        """The share of windows of the same model with a score that 1 % should have."""
        own = [scores for (reference, model), scores in self.scores.items() if reference == model]
        return float((np.concatenate(own) > STATED).mean())

    def _threshold(self, reference: str) -> float:
        return float(np.quantile(self.scores[reference, reference], 1 - FALSE_ALARMS))


def swaps(models: Mapping[str, Pool], rng: np.random.Generator) -> Swaps:
    """Half of the prompts are the reference's, windows are of the other half."""
    splits = max(20, _BASES // len(models))
    found = dict[tuple[str, str], list[Scores]]()
    for _ in range(splits):
        for pair, scores in _split(models, rng):
            found.setdefault(pair, []).append(scores)
    return Swaps({pair: np.concatenate(scores) for pair, scores in found.items()}, splits)


def _split(
    models: Mapping[str, Pool], rng: np.random.Generator
) -> Iterator[tuple[tuple[str, str], Scores]]:
    texts = len(next(iter(models.values())))
    order = rng.permutation(texts)
    reference, rest = order[: texts // 2], order[texts // 2 :]
    size = min(SIZE, len(rest))
    windows = [rng.choice(rest, size, replace=False) for _ in range(_WINDOWS)]
    for name, texts_of in models.items():
        ours = Ours(texts_of.sketch(reference))
        for other, theirs in models.items():
            yield (name, other), ours.scores(theirs, windows)
