"""What is left of a request and its answer once they have ended: numbers, and their text once.

No clock, no network, no logging: same arguments, same answer. Text leaves the wire parser here and
nowhere else; whoever takes it makes features of it and lets it go. No `repr` shows any of it.
"""

from dataclasses import dataclass, field

from tidegauge.traffic.exchange import Exchange

TEXT_MAX = 65_536
"""Characters that are kept of a prompt, and of an answer, until both have ended."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The beginning of each text, up to TEXT_MAX characters; "" where it is not known.

    The answer is what its first choice says to the user: no reasoning, no calls of tools. The
    prompt is all its messages or texts. `prompt_chars` and `answer_chars` are the lengths of the
    whole texts, in characters.
    """

    prompt: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)
    prompt_chars: int = 0
    answer_chars: int = 0


NO_TEXTS = Texts()


@dataclass(frozen=True, slots=True)
class Ended:
    """One exchange, whose `features` are None as yet, and the texts to make them of."""

    exchange: Exchange
    texts: Texts
