"""Whether a body is signed by who shares a secret with us: HMAC with SHA-256, as webhooks do it.

Services differ in what they sign and how they write it, so both are configured. The secret's file
is read for each request: there is no moment at which an old secret is taken.
"""

import hashlib
import hmac
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from tidegauge.web.inputs_tokens import TokenFileError, read_lines

_PARTS = 16  # of a header, which lists a signature for each secret while those are changed
_MILLISECONDS = 10**11  # a Unix time above this is not in seconds


@dataclass(frozen=True, slots=True)
class Signature:
    """How a service signs.

    Attributes:
        secret_file: holds the secret, or several, one a line.
        header: holds the signature, in hexadecimal or base64; after `name=`, or bare.
        message: what is signed; {body} and {timestamp} stand for those of the request.
        timestamp_header: holds the Unix time; None if `t=` in `header` does.
        max_age_seconds: a timestamp that is further from now is that of an old request.
    """

    secret_file: Path
    header: str
    message: str = "{body}"
    timestamp_header: str | None = None
    max_age_seconds: float = 300.0

    def is_right(
        self, request: web.Request, body: bytes, *, clock: Callable[[], float] = time.time
    ) -> bool:
        """Whether the request bears a signature of its body, and one that is not too old."""
        parts = [part.strip() for part in request.headers.get(self.header, "").split(",")][:_PARTS]
        timestamp = ""
        if "{timestamp}" in self.message:
            timestamp = self._timestamp(request, parts)
            if not _is_near(timestamp, clock(), self.max_age_seconds):
                return False
        before, _, after = self.message.replace("{timestamp}", timestamp).partition("{body}")
        signed = before.encode() + body + after.encode()
        try:
            secrets = read_lines(self.secret_file)
        except TokenFileError:
            return False
        given = [part.partition("=")[2] for part in parts] + parts
        return any(_is_of(secret, signed, given) for secret in secrets)

    def _timestamp(self, request: web.Request, parts: list[str]) -> str:
        if self.timestamp_header:
            return request.headers.get(self.timestamp_header, "").strip()
        return next((part[2:] for part in parts if part.startswith("t=")), "")


def _is_near(timestamp: str, now: float, seconds: float) -> bool:
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 16:  # noqa: PLR2004
        return False
    at = int(timestamp)
    return abs(now - (at / 1000 if at > _MILLISECONDS else at)) <= seconds


def _is_of(secret: bytes, signed: bytes, given: list[str]) -> bool:
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    known = (digest.hex().encode(), b64encode(digest))
    written = [text.encode("utf-8", "surrogateescape") for text in given]
    same = [hmac.compare_digest(text, form) for text in written for form in known]
    lower = [hmac.compare_digest(text.lower(), known[0]) for text in written]
    return any((*same, *lower))
