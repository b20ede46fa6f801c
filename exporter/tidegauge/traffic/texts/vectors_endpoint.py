"""The semantic vector from an OpenAI-compatible endpoint, `/v1/embeddings`.

The standard library alone, since the middleware asks one from inside of an engine. It runs in
threads of its own: nobody waits for it. Text goes to that URL and nowhere else: no redirect is
followed, no proxy of the environment is used, and no message quotes what is sent or answered.
"""

import http.client
import json
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from tidegauge.traffic.texts.embedding import EmbeddingError, Endpoint
from tidegauge.traffic.texts.fitting import DIMENSIONS_MAX, fitted
from tidegauge.traffic.texts.vectors import Embed, rounded

ANSWER_BYTES = 1 << 20
PAUSE_SECONDS = 5.0
"""How long a worker leaves an endpoint alone that has failed it."""

_CHUNK_BYTES = 1 << 16
_OK = 200
_OF_THE_TEXT = (400, 413, 422)
"""What is wrong with one text says nothing about the next."""


def load(endpoint: Endpoint, *, clock: Callable[[], float] = time.monotonic) -> Embed:
    """What embeds by asking `endpoint`; for one thread. Connects with the first text.

    It raises EmbeddingError.
    """
    return _Asking(endpoint, clock).embed


class _UnreachableError(EmbeddingError):
    """It failed as it would for any other text."""


class _Asking:
    """One connection, kept as long as the endpoint keeps it."""

    def __init__(self, endpoint: Endpoint, clock: Callable[[], float]) -> None:
        parts = urlsplit(endpoint.url)
        self._endpoint = endpoint
        self._clock = clock
        self._is_tls = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._connection: http.client.HTTPConnection | None = None
        self._dimensions: int | None = None
        self._paused: str = ""
        self._paused_until = 0.0

    def __del__(self) -> None:
        self._hang_up()  # its thread has ended

    def embed(self, text: str) -> bytes | None:
        if self._clock() < self._paused_until:
            raise EmbeddingError(self._paused)
        try:
            body = self._answer(_question(self._endpoint, text))
        except _UnreachableError as error:
            self._paused, self._paused_until = str(error), self._clock() + PAUSE_SECONDS
            raise
        vector = _embedding(body)
        self._dimensions = self._dimensions or vector.size
        if vector.size != self._dimensions:  # another model: not comparable with what was before
            raise EmbeddingError(f"endpoint: {vector.size} dimensions, were {self._dimensions}")
        return rounded(fitted(vector))

    def _answer(self, question: bytes) -> bytes:
        kept = self._connection is not None
        deadline = self._clock() + self._endpoint.timeout_seconds
        try:
            return self._exchanged(question, deadline)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self._hang_up()
            if not kept:
                raise _UnreachableError("endpoint: it hung up") from None
        except TimeoutError:
            self._hang_up()
            raise _UnreachableError("endpoint: no answer in time") from None
        except ssl.SSLError:
            self._hang_up()
            raise _UnreachableError("endpoint: TLS failed") from None
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            raise _UnreachableError(f"endpoint: {type(error).__name__}") from None
        except BaseException:
            self._hang_up()  # an answer that is half read would be the next one's
            raise
        return self._answer(question)  # a connection that was kept too long is no failure

    def _exchanged(self, question: bytes, deadline: float) -> bytes:
        connection = self._connection = self._connection or self._connected()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        connection.request("POST", self._target, question, headers | _key(self._endpoint))
        with connection.getresponse() as response:
            body = self._body(connection, response, deadline)
            if response.will_close:
                self._hang_up()
        if response.status == _OK:
            return body
        failed = EmbeddingError if response.status in _OF_THE_TEXT else _UnreachableError
        raise failed(f"endpoint: status {response.status}")

    def _connected(self) -> http.client.HTTPConnection:
        seconds = self._endpoint.timeout_seconds
        if not self._is_tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=seconds)
        trust = ssl.create_default_context(cafile=self._endpoint.ca_file)
        return http.client.HTTPSConnection(self._host, self._port, timeout=seconds, context=trust)

    def _body(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        deadline: float,
    ) -> bytes:
        body = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            body += chunk
            left = deadline - self._clock()
            if left <= 0:
                raise TimeoutError
            if len(body) > ANSWER_BYTES:
                raise _UnreachableError(f"endpoint: more than {ANSWER_BYTES} bytes")
            if connection.sock:
                connection.sock.settimeout(left)
        if connection.sock:
            connection.sock.settimeout(self._endpoint.timeout_seconds)
        return bytes(body)

    def _hang_up(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


def _question(endpoint: Endpoint, text: str) -> bytes:
    # A lone surrogate, which JSON can spell, is nothing that a server need take.
    asked: dict[str, str | int] = {
        "model": endpoint.model,
        "input": text.encode("utf-8", "replace").decode(),
        "encoding_format": "float",
    }
    if endpoint.dimensions:
        asked["dimensions"] = endpoint.dimensions
    return json.dumps(asked).encode()


def _key(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.api_key_file is None:
        return {}
    try:
        key = endpoint.api_key_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise _UnreachableError("endpoint: api_key_file cannot be read") from None
    if not key or not key.isascii() or not key.isprintable():
        raise _UnreachableError("endpoint: api_key_file must hold one line of ASCII")
    return {"Authorization": f"Bearer {key}"}


def _embedding(body: bytes) -> NDArray[np.float64]:
    """The numbers of an answer, of shape (d,): finite, and at least one."""
    try:
        numbers = json.loads(body)["data"][0]["embedding"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise EmbeddingError("endpoint: the answer is no list of embeddings") from None
    if not isinstance(numbers, list) or not 0 < len(numbers) <= DIMENSIONS_MAX:
        raise EmbeddingError(f"endpoint: an embedding is 1 to {DIMENSIONS_MAX} numbers")
    if not all(type(number) in {int, float} for number in numbers):
        raise EmbeddingError("endpoint: an embedding is of numbers alone")
    try:
        vector = np.array(numbers, np.float64)
    except OverflowError:
        vector = np.array([np.inf])
    if not np.isfinite(vector).all():
        raise EmbeddingError("endpoint: an embedding that is not finite")
    return vector
