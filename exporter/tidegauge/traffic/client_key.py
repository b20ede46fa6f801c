"""By what clients are told apart, and the keyed hash that is all that is kept of it.

No clock, no network, no logging: same arguments, same answer. Whoever knows a label value cannot
find the client that it stands for by trying names, unless they know the secret too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

# Twelve digits of a hash: among a million clients, two share one with a chance of 0.2 %.
_DIGEST_BYTES = 6

# A secret that could be guessed would be none.
SHORTEST_SECRET_BYTES = 16

# Characters of a value that are looked at; API keys and tokens are shorter.
LONGEST = 4096


@dataclass(frozen=True, slots=True)
class ClientKey:
    """One of `header` (any case) and `field` says where a request names its client.

    `field` is a key of the request's JSON document. `secret` may have any length.
    """

    secret: bytes = field(repr=False)
    header: str | None = None
    field: str | None = None

    def hashed(self, value: str) -> str:
        """The label value for a client: twelve hexadecimal digits, or "" for no client.

        >>> key = ClientKey(b"secret", header="X-Api-Key")
        >>> key.hashed("alice") == key.hashed(" alice") != ClientKey(b"other").hashed("alice")
        True
        >>> key.hashed("alice"), key.hashed("")
        ('00be711ffee8', '')
        """
        name = value.strip()[:LONGEST]
        if not name:
            return ""
        key = blake2b(self.secret).digest()
        text = name.encode("utf-8", "surrogatepass")
        return blake2b(text, key=key, digest_size=_DIGEST_BYTES).hexdigest()

    def hashed_in(self, document: Mapping[str, object] | None) -> str:
        """The label value for the client that a request's document names, if it is to name one."""
        value = document.get(self.field) if document and self.field else None
        return self.hashed(value) if isinstance(value, str) else ""
