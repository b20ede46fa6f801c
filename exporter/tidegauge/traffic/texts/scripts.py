"""Which script a text is written in, by the Unicode blocks of its characters.

No clock, no network, no logging: same arguments, same answer. Blocks, not properties: a table of
16 characters a step is two lookups in C, and exact where it matters. Marks, punctuation, digits
and symbols belong to no script; whoever adds a script raises FEATURES_VERSION.
"""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Script = Literal[
    "none",
    "latin",
    "cyrillic",
    "greek",
    "arabic",
    "hebrew",
    "indic",
    "thai",
    "han",
    "kana",
    "hangul",
    "emoji",
    "other",
]
SCRIPTS: tuple[Script, ...] = get_args(Script)

# First and last character of each; later rows overrule earlier ones.
_BLOCKS: tuple[tuple[Script, int, int], ...] = (
    ("other", 0x0530, 0x10FFFF),
    ("latin", 0x00C0, 0x02AF),
    ("greek", 0x0370, 0x03FF),
    ("cyrillic", 0x0400, 0x052F),
    ("hebrew", 0x0590, 0x05FF),
    ("arabic", 0x0600, 0x06FF),
    ("arabic", 0x0750, 0x077F),
    ("arabic", 0x08A0, 0x08FF),
    ("indic", 0x0900, 0x0DFF),
    ("thai", 0x0E00, 0x0E7F),
    ("hangul", 0x1100, 0x11FF),
    ("cyrillic", 0x1C80, 0x1C8F),
    ("latin", 0x1E00, 0x1EFF),
    ("greek", 0x1F00, 0x1FFF),
    ("none", 0x2000, 0x2BFF),
    ("emoji", 0x2600, 0x27BF),
    ("cyrillic", 0x2DE0, 0x2DFF),
    ("none", 0x2E00, 0x2E7F),
    ("han", 0x2E80, 0x2FDF),
    ("none", 0x2FE0, 0x303F),
    ("kana", 0x3040, 0x30FF),
    ("hangul", 0x3130, 0x318F),
    ("none", 0x3190, 0x319F),
    ("kana", 0x31F0, 0x31FF),
    ("none", 0x3200, 0x33FF),
    ("han", 0x3400, 0x4DBF),
    ("han", 0x4E00, 0x9FFF),
    ("cyrillic", 0xA640, 0xA69F),
    ("hangul", 0xA960, 0xA97F),
    ("hangul", 0xAC00, 0xD7FF),
    ("none", 0xD800, 0xF8FF),  # surrogates and private use
    ("han", 0xF900, 0xFAFF),
    ("arabic", 0xFB50, 0xFDFF),
    ("none", 0xFE00, 0xFE6F),
    ("arabic", 0xFE70, 0xFEFF),
    ("none", 0xFF00, 0xFF1F),
    ("latin", 0xFF20, 0xFF5F),
    ("kana", 0xFF60, 0xFF9F),
    ("hangul", 0xFFA0, 0xFFDF),
    ("none", 0xFFE0, 0xFFFF),
    ("emoji", 0x1F000, 0x1FAFF),
    ("han", 0x20000, 0x3FFFF),
    ("none", 0xE0000, 0x10FFFF),
)
_STEP_BITS = 4


def script_counts(text: str, *, ascii_letters: int) -> tuple[int, ...]:
    """How many characters of `text` are of each of SCRIPTS. Its ASCII letters are counted already.

    >>> dict(zip(SCRIPTS, script_counts("Tide 潮汐", ascii_letters=4)))["han"]
    2
    """
    if text.isascii():
        latin_only = [0] * len(SCRIPTS)
        latin_only[0] = len(text) - ascii_letters
        latin_only[_LATIN] = ascii_letters
        return tuple(latin_only)
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    counts = np.bincount(_TABLE[points >> _STEP_BITS], minlength=len(SCRIPTS)).tolist()
    counts[0] -= ascii_letters
    counts[_LATIN] += ascii_letters
    return tuple(counts)


def script(counts: tuple[int, ...]) -> Script:
    """The script of most characters; of several the first in SCRIPTS. "none" if there is none."""
    most = max(counts[1:])
    return SCRIPTS[1 + counts[1:].index(most)] if most else "none"


def _table() -> NDArray[np.intp]:
    # Of the type that bincount wants, which saves it a cast at every call.
    table = np.zeros((0x10FFFF >> _STEP_BITS) + 1, np.intp)
    for name, first, last in _BLOCKS:
        table[first >> _STEP_BITS : (last >> _STEP_BITS) + 1] = SCRIPTS.index(name)
    return table


_LATIN = SCRIPTS.index("latin")
_TABLE = _table()
