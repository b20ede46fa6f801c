"""What one text shows: its length, its mix of characters, how well it packs, script and language.

No clock, no network, no logging: same arguments, same answer. Whoever changes what a feature
means raises FEATURES_VERSION in features.py.

However long a text is, at most SEEN_CHARS characters of it are looked at: its first half of that
and its last; packing looks at the last PACKED_BYTES of those, language at the last WORDS_CHARS.
Only the length is that of the whole.
"""

import string
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidegauge.traffic.texts.languages import LANGUAGES, Language, language
from tidegauge.traffic.texts.scripts import SCRIPTS, Script, script, script_counts

CLASSES = ("lower", "upper", "digit", "space", "punctuation", "other")
SEEN_CHARS = 16_384
PACKED_BYTES = 1024
WORDS_CHARS = 512

_MEMBERS = (
    string.ascii_lowercase,
    string.ascii_uppercase,
    string.digits,
    string.whitespace,
    string.punctuation,
)
_LEAD_BYTES = 0xC0  # UTF-8: every character beyond ASCII has exactly one byte from here on


@dataclass(frozen=True, slots=True)
class TextFeatures:
    """One text that is not empty. FEATURES says what each means; CLASSES are those of ASCII.

    `characters` is the length of the whole text, at least 1. The shares of the six classes sum
    to 1; every character beyond ASCII, and every control character, is "other".
    """

    characters: int
    lower_ratio: float
    upper_ratio: float
    digit_ratio: float
    space_ratio: float
    punctuation_ratio: float
    other_ratio: float
    non_ascii_ratio: float
    newline_ratio: float
    compression_ratio: float
    script: Script
    language: Language

    @property
    def mix(self) -> tuple[float, ...]:
        """The share of each of CLASSES, in their order."""
        return (
            self.lower_ratio,
            self.upper_ratio,
            self.digit_ratio,
            self.space_ratio,
            self.punctuation_ratio,
            self.other_ratio,
        )

    def numbers(self) -> tuple[float, ...]:
        """All of it, in the order above; a class is its place in SCRIPTS or LANGUAGES."""
        return (
            float(self.characters),
            *self.mix,
            self.non_ascii_ratio,
            self.newline_ratio,
            self.compression_ratio,
            float(SCRIPTS.index(self.script)),
            float(LANGUAGES.index(self.language)),
        )


def text_features(text: str, characters: int | None = None) -> TextFeatures | None:
    """The features of a text; None for an empty one, which has none.

    `characters` is the length of the whole where `text` is only its beginning.
    """
    if not text:
        return None
    seen = seen_of(text)
    size = len(seen)
    encoded = seen.encode("utf-8", "surrogatepass")
    bytes_of = np.bincount(np.frombuffer(encoded, np.uint8), minlength=256)
    lower, upper, digit, space, punctuation, beyond = (bytes_of @ _COLUMNS).tolist()
    known = lower + upper + digit + space + punctuation
    scripts = script_counts(seen, ascii_letters=lower + upper)
    return TextFeatures(
        characters=len(text) if characters is None else max(characters, len(text)),
        lower_ratio=lower / size,
        upper_ratio=upper / size,
        digit_ratio=digit / size,
        space_ratio=space / size,
        punctuation_ratio=punctuation / size,
        other_ratio=(size - known) / size,
        non_ascii_ratio=beyond / size,
        newline_ratio=int(bytes_of[ord("\n")]) / size,
        compression_ratio=_compression_ratio(encoded[-PACKED_BYTES:]),
        script=script(scripts),
        language=language(seen[-WORDS_CHARS:], scripts),
    )


def seen_of(text: str) -> str:
    """What is looked at of a text: all of it, or its first and last SEEN_CHARS / 2 characters."""
    if len(text) <= SEEN_CHARS:
        return text
    return text[: SEEN_CHARS // 2] + text[-(SEEN_CHARS // 2) :]


def _compression_ratio(window: bytes) -> float:
    """Raw deflate, since a header of 6 bytes would be most of a short text's size."""
    return len(zlib.compress(window, 1, -15)) / len(window)


def _columns() -> NDArray[np.intp]:
    """Per byte: is it of this class? The last column counts the characters beyond ASCII."""
    columns = np.zeros((256, len(_MEMBERS) + 1), np.intp)
    for column, members in enumerate(_MEMBERS):
        columns[list(members.encode()), column] = 1
    columns[_LEAD_BYTES:, -1] = 1
    return columns


# One pass over the text in C counts its bytes; every share is a sum over those 256 counts.
_COLUMNS = _columns()
