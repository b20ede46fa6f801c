"""Stands before every page: rate limit, who the client is, and headers on the answer.

The order is that of Prometheus's exporter-toolkit: a request over the limit costs no bcrypt, and
no path is exempt from the password.
"""

import binascii
import ipaddress
import ssl
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from tidegauge.web.passwords import BusyError, Passwords
from tidegauge.web.rate import TokenBucket

AUTHENTICATED = web.RequestKey("authenticated", bool)
"""Set on a request whose password or client certificate the gate has checked."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a web configuration file asks for, ready for use; without one, nothing.

    `users` are bcrypt hashes by name. `files` are what it was read from: when they change, the
    rules may have.
    """

    tls: ssl.SSLContext | None = None
    allowed_sans: frozenset[str] | None = None
    users: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    interval_seconds: float = 0.0
    burst: int = 0
    files: tuple[Path, ...] = ()


class Gate:
    """Lets a request through to its page, or answers 401, 403 or 429 itself."""

    def __init__(self, rules: Rules, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.rules = rules
        self._clock = clock
        self._passwords = Passwords(rules.users)
        self._bucket = TokenBucket(rules.interval_seconds, rules.burst)

    def adopt(self, rules: Rules) -> None:
        """Go by other rules from now on; what did not change keeps its memory."""
        before, self.rules = self.rules, rules
        if rules.users != before.users:
            self._passwords = Passwords(rules.users)
        if (rules.interval_seconds, rules.burst) != (before.interval_seconds, before.burst):
            self._bucket = TokenBucket(rules.interval_seconds, rules.burst)

    async def pass_on(self, request: web.Request, page: Handler) -> web.StreamResponse:
        """The page's answer, or why there is none."""
        if not self._bucket.take(self._clock()):
            return web.Response(status=429, text="Too many requests.\n")
        if self.rules.allowed_sans is not None and not self._is_allowed(request):
            response = web.Response(status=403, text="This certificate is of nobody known here.\n")
            response.force_close()
            return response
        if self.rules.users:
            try:
                known = await self._is_known(request)
            except BusyError:
                return web.Response(status=429, text="Too many passwords to check.\n")
            if not known:
                asks = {"WWW-Authenticate": "Basic"}
                return web.Response(status=401, text="Unauthorized.\n", headers=asks)
        # A certificate is handed on once its chain is verified, whether one is required or not.
        request[AUTHENTICATED] = bool(self.rules.users or request.get_extra_info("peercert"))
        return await page(request)

    async def _is_known(self, request: web.Request) -> bool:
        credentials = _credentials(request.headers.get("Authorization", ""))
        return credentials is not None and await self._passwords.right(*credentials)

    def _is_allowed(self, request: web.Request) -> bool:
        certificate = request.get_extra_info("peercert") or {}
        allowed = {_plain(name) for name in self.rules.allowed_sans or ()}
        return any(_plain(name) in allowed for _, name in certificate.get("subjectAltName", ()))


def _credentials(authorization: str) -> tuple[str, str] | None:
    """User and password of a Basic Authorization header."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = b64decode(encoded.strip(), validate=True).decode(errors="surrogateescape")
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _plain(name: str) -> str:
    """An IP address in its one shortest form; any other name as it is."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
