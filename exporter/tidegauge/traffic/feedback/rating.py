"""What a user thought of an answer, in three words; and how a rating or a thumb says it.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Verdict = Literal["bad", "neutral", "good"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

THUMBS: Mapping[str, Verdict] = {"down": "bad", "up": "good"}


@dataclass(frozen=True, slots=True)
class Scale:
    """Ratings from `low` to `high`: up to `bad` are bad, from `good` on good.

    >>> stars = Scale(low=1, high=5, bad=2, good=4)
    >>> [stars.verdict(rating) for rating in (1, 2, 3, 4.5, 5)]
    ['bad', 'bad', 'neutral', 'good', 'good']
    """

    low: float
    high: float
    bad: float
    good: float

    def verdict(self, rating: float) -> Verdict:
        """What a rating within the scale means."""
        if rating <= self.bad:
            return "bad"
        return "good" if rating >= self.good else "neutral"
