"""What a container runtime wraps around a line of the engine: CRI's, and Docker's json-file.

No clock, no network, no logging: same arguments, same answer.
"""

import json
import re
from dataclasses import dataclass

# CRI: 2026-07-11T12:00:00.123456789Z stderr F text; P says that the line goes on in the next.
_CRI = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]{8,18}(?:Z|[+-]\d\d:\d\d) std(?:out|err) ([FP])(?::\w+)? "
)
_DOCKER = '{"log":"'


@dataclass(frozen=True, slots=True)
class Piece:
    """Text of the engine. `whole` is whether a line ends here."""

    text: str
    whole: bool = True

    def __repr__(self) -> str:
        return f"Piece({len(self.text)} characters)"


def unwrapped(line: str) -> Piece:
    """The engine's own text of a line; the line itself where nothing is wrapped around it."""
    if line[:1].isdigit() and (found := _CRI.match(line)):
        return Piece(line[found.end() :], found[1] == "F")
    if line.startswith(_DOCKER):
        return _from_docker(line)
    return Piece(line)


def _from_docker(line: str) -> Piece:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return Piece(line)
    text = said.get("log") if isinstance(said, dict) else None
    if not isinstance(text, str):
        return Piece(line)
    return Piece(text.removesuffix("\n"), text.endswith("\n"))
