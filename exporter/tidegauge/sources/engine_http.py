"""One bounded GET: the body of a 200 answer, or a SourceError that says what came instead."""

from dataclasses import dataclass
from typing import Protocol

import aiohttp
from yarl import URL

from tidegauge import __version__
from tidegauge.sources.engine_access import Access, Trust, request_headers
from tidegauge.sources.source import SourceError

_CHUNK_BYTES = 64 * 1024
# OpenMetrics has a `_created` row beside each counter that we would read for nothing.
_ACCEPT = "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"
_REDIRECTS = 3
_REDIRECTING = frozenset({301, 302, 303, 307, 308})
_NOT_THERE = frozenset({404, 405, 410})
_UNKNOWN, _REFUSED = 401, 403
_HINTS = {501: "; llama.cpp answers so without --metrics"}


class NotThereError(SourceError):
    """Nothing is at that path; another one may do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a good answer brought, decompressed, and what it calls itself."""

    body: bytes
    content_type: str = ""


class Fetch(Protocol):
    """Gets what is at a path of one engine."""

    async def __call__(self, path: str) -> Answer:
        """A good answer.

        Raises:
            SourceError: there is none; a NotThereError if another path may have one.
        """

    async def close(self) -> None:
        """Let go of connections."""


class BoundedGet:
    """Fetches paths below one URL again and again, never more than `max_bytes` of an answer.

    Each request has a connection of its own: llama.cpp closes its connections without saying so
    and uvicorn after 5 s, which is how often we ask, so that a kept one would fail now and then.
    Proxies of the environment are not used, and secrets follow no redirect to another host.
    """

    def __init__(self, access: Access, *, max_bytes: int) -> None:
        self._access = access
        self._trust = Trust(access.tls)
        self._max_bytes = max_bytes
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, path: str) -> Answer:
        """The answer, if it is a good one. The caller limits the time.

        Raises:
            NotThereError: the path is not there.
            SourceError: "http_status", "too_large", "secret" or "unavailable"; the message names
                the URL, without its query, or the file.
        """
        shown = f"{self._access.url}{path}"
        try:
            return await self._get(URL(shown).with_query(self._access.params), shown)
        except (aiohttp.ClientError, ConnectionError) as error:
            raise SourceError("unavailable", f"{shown}: {_told(error)}") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _get(self, url: URL, shown: str) -> Answer:
        headers = request_headers(self._access)
        trust = await self._trust.context() if url.scheme == "https" else True
        for _ in range(_REDIRECTS + 1):
            request = self._open().get(
                url,
                headers=headers,
                allow_redirects=False,
                ssl=trust,
                server_hostname=self._access.tls.server_name,
            )
            async with request as response:
                if response.status not in _REDIRECTING:
                    body = await self._body(response, shown)
                    return Answer(body, response.headers.get("Content-Type", ""))
                url = _same_origin(url, response, shown)
        raise SourceError("http_status", f"{shown} redirects more than {_REDIRECTS} times")

    def _open(self) -> aiohttp.ClientSession:
        # Made at the first request, because a session belongs to the running event loop.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={
                    "Accept": _ACCEPT,
                    "Accept-Encoding": "gzip",
                    "User-Agent": f"tidegauge/{__version__}",
                },
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    async def _body(self, response: aiohttp.ClientResponse, shown: str) -> bytes:
        if response.status != 200:  # noqa: PLR2004 -- OK; http.HTTPStatus says no more
            raise self._refusal(response.status, shown)
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large(shown)
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_bytes:
                raise self._too_large(shown)
        return bytes(body)

    def _refusal(self, status: int, shown: str) -> SourceError:
        hint = _HINTS.get(status, "")
        if status in {_UNKNOWN, _REFUSED}:
            known = self._access.names_somebody
            hint = " to our credentials" if known else ": set authorization or basic_auth"
        error = NotThereError if status in _NOT_THERE else SourceError
        return error("http_status", f"{shown} answered {status}{hint}")

    def _too_large(self, shown: str) -> SourceError:
        # Leaving the response unread hangs up: the rest is never fetched.
        return SourceError("too_large", f"{shown}: more than {self._max_bytes} bytes")


def _told(error: aiohttp.ClientError | ConnectionError) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is refused: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {error.os_error}"
    # Some of aiohttp's errors say nothing; their class does.
    return str(error) or type(error).__name__


def _same_origin(url: URL, response: aiohttp.ClientResponse, shown: str) -> URL:
    try:
        target = url.join(URL(response.headers.get("Location", "")))
        origin = target.origin()
    except ValueError:
        message = f"{shown} answered {response.status} without a place to go to"
        raise SourceError("http_status", message) from None
    if origin != url.origin():
        message = f"{shown} redirects to {origin}, which is not followed; give that URL instead"
        raise SourceError("http_status", message)
    return target
