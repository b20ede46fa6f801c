"""The table of known patterns, and how a record is found to be one of them.

No clock, no network, no logging: same arguments, same answer. A record is searched only up to the
first of its texts that is not the engine's own (in quotation marks, or behind "prompt:"), so that
a user who asks about an error raises none.
"""

import re

from tidegauge.errors.known_engine import ENGINE
from tidegauge.errors.known_gpu import GPU
from tidegauge.errors.known_host import HOST
from tidegauge.errors.known_pattern import Known
from tidegauge.errors.masking import FREE, without_quotes
from tidegauge.errors.severity import Level

KNOWN: tuple[Known, ...] = (*GPU, *ENGINE, *HOST)  # the first that fits is it

_PHRASES = tuple((choice, known) for known in KNOWN for choice in known.phrases)
_QUIET = frozenset({"debug", "info"})
_FREE_TEXT = re.compile(rf"\b(?:{'|'.join(sorted(FREE))})\s?[:=]")


def known_as(text: str, level: Level) -> Known | None:
    """The row that a record's text shows; lines of level debug and info must begin with it."""
    lowered = text.lower()
    for choice, known in _PHRASES:
        if choice[0] in lowered and all(part in lowered for part in choice):
            quiet = level in _QUIET
            if quiet and not (known.at_any_level and lowered.startswith(choice[0])):
                continue
            own = _engines_own(lowered)
            if all(part in own for part in choice):
                return known
    return None


def _engines_own(lowered: str) -> str:
    text = without_quotes(lowered)
    free = _FREE_TEXT.search(text)
    return text[: free.start()] if free else text
