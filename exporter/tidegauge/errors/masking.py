"""A message cut down to the words that may be shown; everything else is `<*>`.

No clock, no network, no logging: same arguments, same answer. Whatever comes out of here is made
of the vocabulary's own strings, never of slices of the message: see docs/adr/0028.
"""

import re
from collections.abc import Iterator, Mapping

from tidegauge.errors.vocabulary import COMMON

GAP = "<*>"
MOST_WORDS = 24  # of a pattern; what follows is cut off
# Words that no engine wrote, in a row of arguments: then it is somebody's text, and all of the rest
# is masked. Numbers, paths and identifiers don't count.
MOST_STRANGE = 3

# What stands behind one of these and a colon, an equals sign or an unknown word is free text.
_FREE = """
    answer arguments args assistant body chat completion completions content contents conversation
    data document documents generated generation generated_text input inputs input_text instruction
    instructions kwargs message messages output outputs output_text params payload prompt prompts
    prompt_text query question raw received request response string system text token_ids tokens
    user value
    """
FREE = frozenset(_FREE.split())

# Quotation marks of other keyboards. Which of them closes differs by language, so none does.
_OPENING = (
    "\N{LEFT SINGLE QUOTATION MARK}\N{SINGLE LOW-9 QUOTATION MARK}"
    "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
    "\N{DOUBLE LOW-9 QUOTATION MARK}"
    "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}"
    "\N{LEFT CORNER BRACKET}\N{LEFT WHITE CORNER BRACKET}\N{FULLWIDTH QUOTATION MARK}"
)
_QUOTED = re.compile(
    r'"(?:[^"\\]|\\.?)*(?:"|$)'
    r"|(?<!\w)'(?:[^'\\]|\\.?)*(?:'|$)"  # not the one in doesn't
    r"|`[^`]*(?:`|$)"
    f"|[{_OPENING}].*"
    r"|[{<].*",  # a mapping, or markup: whatever it holds
    re.DOTALL,
)
_QUOTE = re.compile(f"[\"'`{{<{_OPENING}]")
_MASKED = " \0 "
_AROUND = ".,;!?()[]|*#~-<>\t\r\v\f\"'"
_PARTS = re.compile(r"[:=]+")


def without_quotes(message: str) -> str:
    """The message with a blank instead of what stands in quotation marks, braces or markup."""
    return _QUOTED.sub(_MASKED, message) if _QUOTE.search(message) else message


class Mask:
    """Masks by a vocabulary: `words` are what may be shown, by their lower case."""

    def __init__(self, words: Mapping[str, str]) -> None:
        self._words = words

    def tokens(self, message: str) -> tuple[str, ...]:
        """At most MOST_WORDS words of the vocabulary and gaps, never two gaps in a row.

        A message without a word of the trade is one gap; an empty one is ().
        """
        if not message:
            return ()
        shown = tuple(self._shown(without_quotes(message)))
        if all(token == GAP or token in COMMON for token in shown):
            return (GAP,) if shown else ()
        return shown

    def _shown(self, message: str) -> Iterator[str]:
        count, strange, gap, free = 0, 0, False, False
        for word, separated in _words_of(message):
            known = self._words.get(word.lower())
            if separated and free:  # "prompt: …": no more is read
                break
            if known is None:
                if free or (_is_plain(word) and (strange := strange + 1) > MOST_STRANGE):
                    break
                if not gap:
                    yield GAP
                gap = True
                continue
            yield known
            gap, free = False, known in FREE
            if (count := count + 1) >= MOST_WORDS:
                break
        else:
            return
        if not gap:
            yield GAP


def _words_of(message: str) -> Iterator[tuple[str, bool]]:
    """Words, and whether a colon or an equals sign stands before each."""
    separated = False
    for piece in message.split():
        if piece == "\0" or "/" in piece or "\\" in piece or "@" in piece:
            yield "\0", separated
            separated = False
            continue
        parts = _PARTS.split(piece) if ":" in piece or "=" in piece else (piece,)
        for number, part in enumerate(parts):
            separated = separated or number > 0
            word = part.strip(_AROUND)
            if word:
                yield (_unqualified(word) if "." in word else word), separated
                separated = False


def _unqualified(word: str) -> str:
    """The class of `torch.cuda.OutOfMemoryError`; other words with a dot are arguments."""
    head, _, name = word.rpartition(".")
    return name if name[:1].isupper() and head.replace(".", "").isidentifier() else word


def _is_plain(word: str) -> bool:
    return word.replace("'", "").replace("-", "").isalpha()
