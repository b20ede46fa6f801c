"""One bounded GET: the body of a 200 answer, or a SourceError that says what came instead."""

import aiohttp

from tidegauge.sources.source import SourceError

_CHUNK_BYTES = 64 * 1024
_ACCEPT = "text/plain;version=0.0.4;q=1,*/*;q=0.1"


class BoundedGet:
    """Fetches one URL again and again, never more than `max_bytes` of it.

    Each request has a connection of its own: llama.cpp closes its connections without saying so,
    and a kept one would fail now and then. Proxies of the environment are not used.
    """

    def __init__(self, url: str, *, max_bytes: int) -> None:
        self._url = url
        self._max_bytes = max_bytes
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self) -> bytes:
        """The answer's body, decompressed. The caller limits the time.

        Raises:
            SourceError: "http_status", "too_large" or "unavailable"; the message names the URL.
        """
        try:
            async with self._open().get(self._url, max_redirects=3) as response:
                return await self._body(response)
        except (aiohttp.ClientError, ConnectionError) as error:
            # Some of aiohttp's errors say nothing; their class does.
            reason = str(error) or type(error).__name__
            raise SourceError("unavailable", f"{self._url}: {reason}") from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        # Made at the first request, because a session belongs to the running event loop.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept": _ACCEPT, "Accept-Encoding": "gzip"},
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        if response.status != 200:  # noqa: PLR2004 -- OK; http.HTTPStatus says no more
            raise SourceError("http_status", f"{self._url} answered {response.status}")
        if (response.content_length or 0) > self._max_bytes:
            raise self._too_large()
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_bytes:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> SourceError:
        # Leaving the response unread hangs up: the rest is never fetched.
        return SourceError("too_large", f"{self._url}: more than {self._max_bytes} bytes")
