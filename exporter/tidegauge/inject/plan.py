"""What is to be sent and when, and as whose: arrivals joined with prompts and users.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat

from numpy.random import Generator

from tidegauge.inject.prompts import PROMPT_KINDS, Prompt, PromptSchedule


@dataclass(frozen=True, slots=True)
class Planned:
    """One request to come: `at_seconds` from the start, whatever became of those before it.

    `user` is whose it is to be; None: nobody's.
    """

    at_seconds: float
    kind: str
    prompt: Prompt
    stream: bool
    user: str | None = None


def plan(
    arrivals: Iterable[float],
    kinds: PromptSchedule,
    *,
    rng: Generator,
    stream_share: float,
    users: Iterable[str | None] = repeat(None),
) -> Iterator[Planned]:
    """One request per arrival, lazily; `stream_share` of them ask for a streamed answer."""
    for at, user in zip(arrivals, users, strict=False):
        kind = kinds.kind(at)
        stream = bool(rng.random() < stream_share)
        yield Planned(at, kind, prompt=PROMPT_KINDS[kind](rng), stream=stream, user=user)


def users_by_rank(count: int, rng: Generator) -> Iterator[str]:
    """Users without end, out of `count`: the fourth asks half as often as the first, and so on.

    >>> import numpy as np
    >>> users = users_by_rank(3, np.random.default_rng(1))
    >>> [next(users) for _ in range(5)]
    ['user-2', 'user-3', 'user-1', 'user-3', 'user-1']
    """
    weights = [rank**-0.5 for rank in range(1, count + 1)]
    shares = [weight / sum(weights) for weight in weights]
    while True:
        yield f"user-{rng.choice(count, p=shares) + 1}"
