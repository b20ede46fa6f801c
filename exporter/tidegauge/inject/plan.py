"""What is to be sent and when: arrivals joined with prompts.

No clock, no network, no logging: same arguments, same answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from numpy.random import Generator

from tidegauge.inject.prompts import PROMPT_KINDS, Prompt, PromptSchedule


@dataclass(frozen=True, slots=True)
class Planned:
    """One request to come: `at_seconds` from the start, whatever became of those before it."""

    at_seconds: float
    kind: str
    prompt: Prompt
    stream: bool


def plan(
    arrivals: Iterable[float], kinds: PromptSchedule, *, rng: Generator, stream_share: float
) -> Iterator[Planned]:
    """One request per arrival, lazily; `stream_share` of them ask for a streamed answer."""
    for at in arrivals:
        kind = kinds.kind(at)
        stream = bool(rng.random() < stream_share)
        yield Planned(at, kind, prompt=PROMPT_KINDS[kind](rng), stream=stream)
