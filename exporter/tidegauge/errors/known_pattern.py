"""What a known pattern is: a name, what it means, what to do, and by what it is found.

No clock, no network, no logging: same arguments, same answer.
"""

from dataclasses import dataclass
from typing import Literal, get_args

Class = Literal[
    "communication", "engine", "gpu", "host", "memory", "model", "request", "scheduling"
]
CLASSES: tuple[Class, ...] = get_args(Class)
KnownSeverity = Literal["warning", "error", "fatal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A row of KNOWN.

    Attributes:
        name: the pattern's id, wherever it shows.
        cls: what it belongs to.
        severity: of the pattern; the line's own level is another matter. fatal: the engine, or
            one of its ranks, can't be expected to go on.
        shows: how the pattern is written where patterns are listed.
        phrases: each a choice: all of its parts, in lower case, stand in one record.
        at_any_level: also a line of level info or debug is taken, if it begins with the phrase.
        meaning, action: for docs/known-errors.md.
        examples: lines that engines write, as they come.
    """

    name: str
    cls: Class
    severity: KnownSeverity
    shows: str
    phrases: tuple[tuple[str, ...], ...]
    at_any_level: bool = False
    meaning: str
    action: str
    examples: tuple[str, ...]

    @property
    def runbook(self) -> str:
        return f"docs/known-errors.md#{self.name}"
