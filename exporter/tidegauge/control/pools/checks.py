"""Asks replicas whether they can serve."""

import asyncio
import errno
from collections.abc import Mapping

import aiohttp

from tidegauge.control.pools.pool import PoolError

_PATIENCE_SECONDS = 3.0
_OUR_OWN_TROUBLE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class Checks:
    """Health checks over HTTP; `close()` it."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def failing(self, urls: Mapping[str, str]) -> frozenset[str]:
        """The names of those URLs that do not answer 200 soon, asked at the same time.

        Raises:
            PoolError: we cannot ask, which says nothing of who would have been asked.
        """
        passes = await asyncio.gather(*(self._passes(url) for url in urls.values()))
        return frozenset(name for name, well in zip(urls, passes, strict=True) if not well)

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def _passes(self, url: str) -> bool:
        if self._session is None:
            connector = aiohttp.TCPConnector(force_close=True, limit=0)
            timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        try:
            async with self._session.get(url) as response:
                return response.ok
        except OSError as error:
            if error.errno in _OUR_OWN_TROUBLE:
                raise PoolError(f"cannot check replicas: {error.strerror}") from error
            return False
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return False
