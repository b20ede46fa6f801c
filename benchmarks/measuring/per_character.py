"""The same shares of characters in plain Python, a step a character, as text descriptors are made.

Evidently's, for one, count with comprehensions over a text's characters. No script, language,
packing, refusal or loop: this peer does less than we do.
"""

import string

_PUNCTUATION = frozenset(string.punctuation)
_SPACE = frozenset(string.whitespace)


def shares(text: str) -> tuple[float, ...]:
    """Lower, upper, digit, space, punctuation; beyond ASCII; newlines."""
    counts = (
        sum(character.isascii() and character.islower() for character in text),
        sum(character.isascii() and character.isupper() for character in text),
        sum(character.isascii() and character.isdigit() for character in text),
        sum(character in _SPACE for character in text),
        sum(character in _PUNCTUATION for character in text),
        sum(not character.isascii() for character in text),
        sum(character == "\n" for character in text),
    )
    return tuple(count / len(text) for count in counts)
