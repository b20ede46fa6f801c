"""Bearer tokens out of a file, one a line: read again when it changes, compared in constant time.

Only digests are held. A file that can't be read later changes nothing, and is said once.
"""

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

LEAST_CHARACTERS = 16  # of a token: what can be guessed is none
_LOOK_SECONDS = 1.0
_LIMIT_BYTES = 64 * 1024

_State = tuple[int, int, int]


class TokenFileError(Exception):
    """A file of secrets can't be used. The message says why, and repeats none."""


def read_tokens(path: Path) -> frozenset[bytes]:
    """Digests of the tokens in the file.

    Raises:
        TokenFileError: as `read_lines`.
    """
    return frozenset(map(_digest, read_lines(path)))


def read_lines(path: Path) -> tuple[bytes, ...]:
    """The secrets in the file, one a line; empty lines and those that begin with # are none.

    Raises:
        TokenFileError: it can't be read, holds none, or one that is too short.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_LIMIT_BYTES + 1)
    except OSError as error:
        raise TokenFileError(f"cannot be read: {error.strerror}") from None
    if len(raw) > _LIMIT_BYTES:
        raise TokenFileError(f"is larger than {_LIMIT_BYTES} bytes; write one secret a line")
    lines = tuple(line.strip() for line in raw.splitlines())
    found = tuple(line for line in lines if line and not line.startswith(b"#"))
    if not found:
        raise TokenFileError("holds no secret; write one a line")
    if min(map(len, found)) < LEAST_CHARACTERS:
        raise TokenFileError(f"holds a line that is shorter than {LEAST_CHARACTERS} characters")
    return found


class Tokens:
    """The tokens in `path` now. `clock` is monotonic."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._digests: frozenset[bytes] = frozenset()
        self._seen: _State | None = None
        self._looked_at: float | None = None
        self._said: str | None = None
        self._lock = asyncio.Lock()

    async def right(self, token: str) -> bool:
        """Whether this is one of them. The file is looked at once a second at most."""
        async with self._lock:
            now = self._clock()
            if self._looked_at is None or now - self._looked_at >= _LOOK_SECONDS:
                self._looked_at = now
                await asyncio.to_thread(self._look)
        given = _digest(token.encode("utf-8", "surrogateescape"))
        # Every one is compared, so that time says nothing of which one is near.
        return sum(hmac.compare_digest(given, known) for known in self._digests) > 0

    def _look(self) -> None:
        try:
            found = self._path.stat()
            state = (found.st_mtime_ns, found.st_size, found.st_ino)
            if state == self._seen:
                return
            self._digests, self._seen, self._said = read_tokens(self._path), state, None
        except (OSError, TokenFileError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            if said != self._said:
                details = {"file": str(self._path), "error": said}
                logger.error("token file not read again", extra=details)  # noqa: TRY400
            self._said = said


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()
