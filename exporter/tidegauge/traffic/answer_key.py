"""By what an answer is known: a digest of its id, since an id may be any text that an app likes.

No clock, no network, no logging: same arguments, same answer.
"""

from hashlib import blake2b


def answer_key(identifier: str) -> int:
    """64 bits of the id that an answer carries, such as "chatcmpl-1".

    >>> answer_key("chatcmpl-1") == answer_key("chatcmpl-1") != answer_key("chatcmpl-2")
    True
    """
    text = identifier.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
