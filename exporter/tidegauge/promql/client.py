"""Asks a Prometheus-compatible HTTP API, and raises only PromqlError.

Secrets are read from their files for each query, so that a rotated token is used at once.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tidegauge.promql.decode import Answer, PromqlError, decode
from tidegauge.promql.decode_range import RangeBody
from tidegauge.promql.span import Span

MAX_BYTES = 8 * 1024 * 1024  # an instant query that aggregates needs a few hundred
MAX_RANGE_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach and authenticate with a Prometheus."""

    url: str
    timeout_seconds: float = 5.0
    bearer_token_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    header_files: Mapping[str, Path] = field(default_factory=dict)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure_skip_verify: bool = False


class Prometheus:
    """A client for one server; `close()` it."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._session: aiohttp.ClientSession | None = None

    async def query(self, expression: str, *, at: float | None = None) -> Answer:
        """The answer to an instant query, evaluated at a Unix time or now, by the server's clock.

        Raises:
            PromqlError: there is no answer that may be trusted.
        """
        moment = {} if at is None else {"time": _time(at)}
        form = {"query": expression, **moment}
        return decode(*await self._answer("query", form, MAX_BYTES))

    async def query_range(self, expression: str, span: Span) -> RangeBody:
        """The answer to a range query of at most MAX_POINTS points, for `decode_range`.

        Raises:
            PromqlError: unreachable, timeout, secret or too_large.
        """
        times = {"start": span.start, "end": span.end, "step": span.step_seconds}
        form = {"query": expression, **{name: _time(value) for name, value in times.items()}}
        return RangeBody(*await self._answer("query_range", form, MAX_RANGE_BYTES))

    async def close(self) -> None:
        """Close open connections."""
        if self._session:
            await self._session.close()

    async def _answer(self, call: str, form: Mapping[str, str], most: int) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(self._access.timeout_seconds):
                return await self._post(call, form, most)
        except TimeoutError:
            message = f"{self._access.url} has not answered in {self._access.timeout_seconds:g} s"
            raise PromqlError("timeout", message) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # ValueError: no such URL
            raise PromqlError("unreachable", f"{self._access.url}: {error}") from None

    async def _post(self, call: str, asked: Mapping[str, str], most: int) -> tuple[int, bytes]:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=_tls(self._access))
            self._session = aiohttp.ClientSession(connector=connector)
        # The server gives up when we do: a slow query must not pile up behind us.
        form = {**asked, "timeout": f"{self._access.timeout_seconds:g}s"}
        url, headers = f"{self._access.url}/api/v1/{call}", _headers(self._access)
        # A redirect would carry the secrets to whoever it names.
        post = self._session.post(url, data=form, headers=headers, allow_redirects=False)
        async with post as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise PromqlError("too_large", f"the answer is larger than {most} bytes")
            return response.status, bytes(body)


def _time(value: float) -> str:
    """As Prometheus reads times and steps; milliseconds are what it counts in."""
    return f"{value:.3f}"


def _headers(access: Access) -> dict[str, str]:
    headers = dict(access.headers)
    headers |= {name: _secret(path) for name, path in access.header_files.items()}
    if access.bearer_token_file:
        headers["Authorization"] = f"Bearer {_secret(access.bearer_token_file)}"
    elif access.username is not None and access.password_file:
        pair = f"{access.username}:{_secret(access.password_file)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _secret(path: Path) -> str:
    """The file's content, without blanks around it; never part of a message.

    Raises:
        PromqlError: it cannot be read, or cannot stand in a header.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise PromqlError("secret", f"{path}: cannot be read: {reason}") from None
    if not text or not text.isprintable():
        raise PromqlError("secret", f"{path}: must hold one line that is not empty")
    return text


def _tls(access: Access) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=access.ca_file)
    if access.cert_file:
        context.load_cert_chain(access.cert_file, access.key_file)
    if access.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
