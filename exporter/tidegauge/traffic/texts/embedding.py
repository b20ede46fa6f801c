"""Which embedding makes the semantic vector, and the name that it goes by in references.

No clock, no network, no logging: same arguments, same answer. Two vectors are only comparable if
their embeddings have the same `identity`: a reference made with another one is refused.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path


class EmbeddingError(Exception):
    """A text has no embedding now. The message is for a log: it quotes no text and no secret."""


class EmbeddingMissingError(Exception):
    """What an embedding is made with is missing or wrong; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Static:
    """WordLlama's table, which its wheel brings."""

    @property
    def identity(self) -> str:
        """As references and sidecars say it."""
        return "wordllama l2_supercat_256"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An OpenAI-compatible `/v1/embeddings`: `url` is the whole of it, asked by `workers` threads.

    `dimensions` is asked for only if given. Files are read when they are needed.
    """

    url: str
    model: str
    dimensions: int | None = None
    api_key_file: Path | None = None
    ca_file: Path | None = None
    timeout_seconds: float = 2.0
    workers: int = 4

    @property
    def identity(self) -> str:
        """By the model's name, not its address: replicas may each have one beside them."""
        asked = f", {self.dimensions} dimensions" if self.dimensions else ""
        return f"endpoint {self.model}{asked}"


@dataclass(frozen=True, slots=True)
class Onnx:
    """A sentence model in a file, and its tokenizer's; a text is cut to `max_tokens`.

    Digests are the SHA-256 of the files, in hexadecimal.
    """

    model: Path
    tokenizer: Path
    model_digest: str
    tokenizer_digest: str
    max_tokens: int = 256

    @property
    def identity(self) -> str:
        """By what the files hold, not where they are."""
        files = f"onnx {self.model_digest[:12]}, tokenizer {self.tokenizer_digest[:12]}"
        return f"{files}, {self.max_tokens} tokens"


Embedding = Static | Endpoint | Onnx
STATIC = Static()


def mark(embedding: Embedding) -> int:
    """The identity in 64 bits, never 0: what the middleware tells of it over its socket.

    >>> mark(STATIC) == mark(Static()), mark(STATIC) == mark(Endpoint("http://a/", "e5"))
    (True, False)
    """
    return int.from_bytes(hashlib.sha256(embedding.identity.encode()).digest()[:8]) or 1
