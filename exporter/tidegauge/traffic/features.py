"""What drift may know of a prompt: its length and its mix of character classes, never its text.

No clock, no network, no logging: same arguments, same answer. Whoever changes what a feature
means raises FEATURES_VERSION: a reference is only comparable within one version.
"""

import string
from collections.abc import Iterable
from dataclasses import dataclass

FEATURES_VERSION = "1"
CLASSES = ("lower", "upper", "digit", "space", "punctuation", "other")

_MEMBERS = (
    string.ascii_lowercase,
    string.ascii_uppercase,
    string.digits,
    string.whitespace,
    string.punctuation,
)


@dataclass(frozen=True, slots=True)
class Features:
    """One prompt: its length in characters (at least 1), and the share of each of CLASSES.

    `prompt_mix` is in the order of CLASSES and sums to 1. Classes are those of ASCII; every
    other character, control characters included, is "other".
    """

    prompt_chars: int
    prompt_mix: tuple[float, ...]

    def to_numbers(self) -> tuple[float, ...]:
        """All of them as numbers, for the socket."""
        return (float(self.prompt_chars), *self.prompt_mix)

    @classmethod
    def from_numbers(cls, numbers: tuple[float, ...]) -> "Features":
        """What `to_numbers` gave.

        Raises:
            ValueError: these are no features.
        """
        if len(numbers) != 1 + len(CLASSES) or numbers[0] < 1:
            raise ValueError(f"{len(numbers)} numbers are no features")
        return cls(int(numbers[0]), numbers[1:])


def prompt_features(texts: Iterable[str]) -> Features | None:
    """The features of a prompt that came in pieces; None for an empty one, which has no mix.

    >>> prompt_features(["Tide ", "42é!"])
    Features(prompt_chars=9, prompt_mix=(0.3333333333333333, 0.1111111111111111, \
0.2222222222222222, 0.1111111111111111, 0.1111111111111111, 0.1111111111111111))
    """
    text = "".join(texts)
    if not text:
        return None
    counts = _class_counts(text)
    return Features(len(text), tuple(count / len(text) for count in counts))


def _class_table() -> bytes:
    table = bytearray([len(_MEMBERS)]) * 256
    for index, members in enumerate(_MEMBERS):
        for character in members:
            table[ord(character)] = index
    return bytes(table)


_CLASS_OF_BYTE = _class_table()


def _class_counts(text: str) -> tuple[int, ...]:
    # Two passes in C (translate, then count) instead of a Python step per character. A character
    # beyond ASCII becomes several bytes, none of them ASCII, so "other" is what is left.
    classes = text.encode("utf-8", "surrogatepass").translate(_CLASS_OF_BYTE)
    known = tuple(classes.count(index) for index in range(len(_MEMBERS)))
    return (*known, len(text) - sum(known))
