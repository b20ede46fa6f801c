"""How many tokens a text has, where nobody counted them.

No clock, no network, no logging: same arguments, same answer.
"""

# OpenAI's rule of thumb is 4 characters of English a token (platform.openai.com/tokenizer), and
# English has a byte a character. Today's vocabularies are of byte pairs, so that other scripts
# are better told by their bytes: a Chinese character has 3, and is most of a token.
BYTES_PER_TOKEN = 4


def utf8_bytes(text: str) -> int:
    """The length of a text in UTF-8; half a surrogate pair counts as three bytes."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def estimated_tokens(text_bytes: int) -> int:
    """The tokens of a text of so many bytes of UTF-8, rounded up.

    What a chat template adds to each message, and images, are not in it.

    >>> estimated_tokens(0), estimated_tokens(1), estimated_tokens(4), estimated_tokens(17)
    (0, 1, 1, 5)
    """
    return -(-text_bytes // BYTES_PER_TOKEN)
