"""What requests ask: kinds of prompts, each a small generator of text that means nothing.

Same generator state, same text. A kind is one function and one row of PROMPT_KINDS.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from numpy.random import Generator

from tidegauge.inject.schedule import ScheduleError, parse_points


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt, and how many tokens may answer it."""

    text: str
    max_tokens: int


_OPENINGS = (
    "Could you tell me", "Please explain", "I would like to know", "Can you help me understand",
    "What is the best way to say", "My friend asked me", "I keep wondering",
)  # fmt: skip
_TOPICS = (
    "how the bus to the station runs", "why bread rises in the oven", "where to plant tomatoes",
    "what to cook for four people", "how a river finds the sea", "when the museum opens",
    "which shoes suit a long walk", "how to write to a landlord", "why the sky turns red",
)  # fmt: skip
_ENDINGS = ("", " on a rainy day", " in a small town", " before the weekend", ", in simple words")

_NAMES = ("total", "rows", "index", "buffer", "user_id", "retry_count", "payload", "cache", "delta")
_STATEMENTS = (
    "{a} = {b}[{n}] * {m};",
    "if ({a} > {n}) {{ {b} += {m}; }}",
    'for (int {a} = 0; {a} < {n}; {a}++) {{ {b}[{a}] = "{m}"; }}',
    "return {a}({b}, {n}) != 0x{m:04x};",
    "assert {a}['{b}'] == {n}.{m}",
)

_PHRASES = (
    "今日は天気がいいですね", "この電車は何時に着きますか", "请告诉我怎么去火车站", "我想学做面条",
    "где находится библиотека", "как приготовить борщ", "πού είναι το λιμάνι", "كيف حالك اليوم",
    "오늘 저녁은 무엇을 먹을까요", "où se trouve la forêt enchantée", "wie spät fährt der Zug früh",
)  # fmt: skip


def chat(rng: Generator) -> Prompt:
    """A short English question of about 30 to 120 characters."""
    sentence = f"{_one(rng, _OPENINGS)} {_one(rng, _TOPICS)}{_one(rng, _ENDINGS)}"
    if rng.random() < 0.3:  # noqa: PLR2004 - about a third ask two things
        sentence += f", and {_one(rng, _TOPICS)}"
    return Prompt(f"{sentence}?", max_tokens=_between(rng, 8, 16))


def code(rng: Generator) -> Prompt:
    """Statements with digits and punctuation, about 120 to 240 characters."""
    length = _between(rng, 110, 180)
    text = "fix:\n"
    while len(text) < length:
        text += f"{_statement(rng)}\n"
    return Prompt(text, max_tokens=_between(rng, 16, 28))


def multilingual(rng: Generator) -> Prompt:
    """Two to four phrases in scripts and accents beyond ASCII."""
    phrases = (_one(rng, _PHRASES) for _ in range(_between(rng, 2, 4)))
    return Prompt(" ".join(phrases), max_tokens=_between(rng, 8, 16))


PROMPT_KINDS: Mapping[str, Callable[[Generator], Prompt]] = MappingProxyType(
    {"chat": chat, "code": code, "multilingual": multilingual}
)


@dataclass(frozen=True, slots=True)
class PromptSchedule:
    """Which kind is asked from when on: points of (seconds, kind), the first at 0."""

    points: tuple[tuple[float, str], ...]

    def kind(self, at: float) -> str:
        return self.points[bisect_right(self.points, at, key=lambda point: point[0]) - 1][1]


def parse_kinds(text: str) -> PromptSchedule:
    """The schedule that `0s:chat,80s:code` or a bare `chat` says.

    Raises:
        ScheduleError: it says none, or a kind is unknown.
    """
    points = parse_points(text)
    for _, kind in points:
        if kind not in PROMPT_KINDS:
            raise ScheduleError(
                f"{kind!r} is no kind of prompt; known are {', '.join(PROMPT_KINDS)}"
            )
    return PromptSchedule(points)


def _statement(rng: Generator) -> str:
    return _one(rng, _STATEMENTS).format(
        a=_one(rng, _NAMES), b=_one(rng, _NAMES), n=_between(rng, 0, 99), m=_between(rng, 0, 9999)
    )


def _one(rng: Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _between(rng: Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))
