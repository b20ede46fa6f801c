"""Windows of ordinary texts, and such with a share of another kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.mixing.pool import Places

SHARES = (0.05, 0.1, 0.3)
SIZES = (200, 500, 1000)


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """`windows` of `size` texts, of which a `share` is of the `domain`."""

    size: int
    share: float
    domain: str
    windows: Sequence[Places]


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A random half of the ordinary texts is the reference; windows are drawn of the other half."""

    reference: Places
    rest: Places

    @classmethod
    def of(cls, texts: int, rng: np.random.Generator) -> "Split":
        """Of texts 0 to `texts`."""
        order = rng.permutation(texts)
        return cls(order[: texts // 2], order[texts // 2 :])

    def ordinary(self, rng: np.random.Generator, *, size: int, windows: int) -> Sequence[Places]:
        """Windows without a shift, each of different texts."""
        return [_drawn(rng, self.rest, size) for _ in range(windows)]

    def mixed(
        self,
        rng: np.random.Generator,
        domains: Mapping[str, Places],
        *,
        size: int,
        share: float,
        windows: int,
    ) -> Sequence[Mixed]:
        """Of each domain so many; one with too few texts is drawn from with replacement."""
        foreign = round(share * size)
        return [
            Mixed(
                size,
                share,
                domain,
                [
                    np.concatenate(
                        (_drawn(rng, self.rest, size - foreign), _drawn(rng, places, foreign))
                    )
                    for _ in range(windows)
                ],
            )
            for domain, places in domains.items()
        ]


def _drawn(rng: np.random.Generator, places: Places, size: int) -> Places:
    return rng.choice(places, size, replace=size > len(places))
