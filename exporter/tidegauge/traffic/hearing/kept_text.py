"""The beginning of a text that comes in pieces, and its whole length.

No clock, no network, no logging: same arguments, same answer.
"""

from tidegauge.traffic.ended import TEXT_MAX

_PIECES_MAX = 256  # then they are joined: small strings cost ten times their length


class KeptText:
    """At most TEXT_MAX characters are held, however many come."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._kept = 0
        self.chars = 0

    def add(self, piece: str) -> None:
        """The text goes on."""
        self.chars += len(piece)
        room = TEXT_MAX - self._kept
        if not room:
            return
        self._pieces.append(piece[:room])
        self._kept += min(room, len(piece))
        if len(self._pieces) >= _PIECES_MAX:
            self._pieces = ["".join(self._pieces)]

    def text(self) -> str:
        """What is held."""
        return "".join(self._pieces)
