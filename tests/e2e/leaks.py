"""A marker that no text of ours has, and the search for it however it is spelled."""

import base64
from collections.abc import Iterable

MARK = "quixoticmarmalade"
_PIECE = 7  # letters of it that give it away: who keeps "the first words only" keeps those


def mark(where: str) -> str:
    """A marker word that says where it was planted."""
    return f"{MARK}{where}"


def _base64_of(text: bytes) -> Iterable[bytes]:
    """What base64 makes of it wherever it stands, less what depends on its neighbours."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + text)
        yield coded[4 if before else 0 : len(coded) - 4]


def _spellings() -> Iterable[bytes]:
    word = MARK.encode()
    for first in range(len(word) - _PIECE + 1):
        piece = word[first : first + _PIECE]
        yield from (piece, piece[::-1], piece.hex().encode(), b"\0".join(bytes([c]) for c in piece))
        yield b"".join(b"%%%02x" % letter for letter in piece)
        yield b"".join(b"\\u%04x" % letter for letter in piece)
        yield b",".join(b"%d" % letter for letter in piece)
        yield b", ".join(b"%d" % letter for letter in piece)


_ANY_CASE = tuple(each.lower() for each in _spellings())
_THIS_CASE = tuple(
    coded
    for word in (MARK, MARK.upper(), MARK.capitalize(), MARK[::-1])
    for coded in _base64_of(word.encode())
)


def leaks(heard: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where a marker shows, and the line that it is in."""
    lines = {line: where for where, said in heard for line in said.split(b"\n")}
    whole = b"\n".join(lines)
    low = whole.lower()
    found = (
        *(each for each in _ANY_CASE if each in low),
        *(each for each in _THIS_CASE if each in whole),
    )
    return [
        f"{where}: {line[:300]!r}"
        for line, where in lines.items()
        if any(each in line or each in line.lower() for each in found)
    ]
