"""Asks replicas whether they can serve."""

import asyncio
import errno
from collections.abc import Iterable

import aiohttp

from tidegauge.control.pools.pool import PoolError

_PATIENCE_SECONDS = 3.0
_OUR_OWN_TROUBLE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS)


class Checks:
    """Health checks over HTTP; `close()` it."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def all_pass(self, urls: Iterable[str]) -> bool:
        """Whether every URL answers 200 soon, asked at the same time.

        Raises:
            PoolError: we cannot ask, which says nothing of who would have been asked.
        """
        return all(await asyncio.gather(*(self._passes(url) for url in urls)))

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
