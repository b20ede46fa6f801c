"""What drift may know of a request and its answer: numbers and classes, never their text.

No clock, no network, no logging: same arguments, same answer. FEATURES is the whole list, and
docs/privacy.md shows it. Whoever changes what a feature means, adds or removes one raises
FEATURES_VERSION: a reference is only comparable within one version.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from tidegauge.traffic.texts.feature_numbers import (
    NumbersReader,
    optional_number,
    text_numbers,
    vector_numbers,
)
from tidegauge.traffic.texts.refusals import refuses
from tidegauge.traffic.texts.repetition import loop_ratio
from tidegauge.traffic.texts.text_features import TextFeatures, seen_of, text_features

FEATURES_VERSION = "2"


@dataclass(frozen=True, slots=True)
class Feature:
    """A line of the list: its unit ("" for a pure number), what it means, and whose it is."""

    name: str
    unit: Literal["", "characters", "ratio", "class", "yes or no", "seconds", "vector"]
    meaning: str
    of: Literal["prompt", "answer", "both"]


FEATURES: tuple[Feature, ...] = (
    Feature("characters", "characters", "length of the whole text", "both"),
    Feature("tokens_log", "", "ln(1 + tokens), as the engine counted them or estimated", "both"),
    Feature("characters_per_token", "characters", "length of the text by its tokens", "both"),
    Feature("lower_ratio", "ratio", "share of a to z", "both"),
    Feature("upper_ratio", "ratio", "share of A to Z", "both"),
    Feature("digit_ratio", "ratio", "share of 0 to 9", "both"),
    Feature("space_ratio", "ratio", "share of blanks and line ends", "both"),
    Feature("punctuation_ratio", "ratio", "share of ASCII punctuation", "both"),
    Feature("other_ratio", "ratio", "share of every other character", "both"),
    Feature("non_ascii_ratio", "ratio", "share of characters beyond ASCII", "both"),
    Feature("newline_ratio", "ratio", "share of newlines", "both"),
    Feature("compression_ratio", "ratio", "deflated size by size, of its last KiB", "both"),
    Feature("script", "class", "the script of most characters, by Unicode blocks", "both"),
    Feature("language", "class", "a guess, by script and some ten common words each", "both"),
    Feature("refusal", "yes or no", "begins with one of a closed list of phrases", "answer"),
    Feature("loop_ratio", "ratio", "share at its end that is one passage repeated", "answer"),
    Feature("finish_reason", "class", "why the engine stopped, of a fixed list", "answer"),
    Feature("seconds_per_token", "seconds", "time between tokens, or per token", "answer"),
    Feature(
        "semantic",
        "vector",
        "its embedding, by default the mean of its tokens' static ones; off by default",
        "prompt",
    ),
    Feature("style", "vector", "hashed byte 4-grams; off by default", "answer"),
)
"""Everything that is made of texts. Tokens, finish reason and times are the Exchange's own; they
are listed since drift takes all of it together, from feature_vector.py."""


@dataclass(frozen=True, slots=True)
class Features:
    """One request and its answer; None is what could not be told: an empty or unread text.

    `semantic` is of the prompt and `style` of the answer, both as vectors.py rounds them.
    """

    prompt: TextFeatures | None = None
    answer: TextFeatures | None = None
    refusal: bool | None = None
    loop_ratio: float | None = None
    semantic: bytes | None = field(default=None, repr=False)
    style: bytes | None = field(default=None, repr=False)

    def to_numbers(self) -> tuple[float, ...]:
        """All of it as finite numbers, their version first: at most 29, and 256 a vector."""
        return (
            float(FEATURES_VERSION),
            *text_numbers(self.prompt),
            *text_numbers(self.answer),
            *optional_number(self.refusal),
            *optional_number(self.loop_ratio),
            *vector_numbers(self.semantic),
            *vector_numbers(self.style),
        )

    @classmethod
    def from_numbers(cls, numbers: Iterable[object]) -> "Features":
        """What `to_numbers` gave; it may have been through JSON or single precision.

        Raises:
            ValueError: they are no features, or of another version.
        """
        reader = NumbersReader(numbers)
        version = reader.number()
        if version != float(FEATURES_VERSION):
            raise ValueError(f"features: version {version:g}, and ours is {FEATURES_VERSION}")
        read = cls(
            prompt=reader.text(),
            answer=reader.text(),
            refusal=reader.optional_truth(),
            loop_ratio=reader.optional_ratio(),
            semantic=reader.vector(),
            style=reader.vector(),
        )
        reader.end()
        return read


def features(
    prompt: str,
    answer: str,
    *,
    prompt_chars: int | None = None,
    answer_chars: int | None = None,
) -> Features | None:
    """The features of two texts; None if both are empty.

    Lengths of the whole texts are given where these are only their beginnings. Vectors are for
    others to add: they cost more.
    """
    if not prompt and not answer:
        return None
    ended = seen_of(answer) if answer else None
    return Features(
        prompt=text_features(prompt, prompt_chars),
        answer=text_features(answer, answer_chars),
        refusal=None if ended is None else refuses(ended),
        loop_ratio=None if ended is None else loop_ratio(ended),
    )


def prompt_features(texts: Iterable[str]) -> Features | None:
    """The features of a prompt that came in pieces, its answer unknown; None for an empty one."""
    return features("".join(texts), "")
