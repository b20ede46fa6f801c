"""One engine's paths, fetched now and then."""

from tidegauge.sources.engine_access import Access
from tidegauge.sources.engine_http import BoundedGet

MAX_BYTES = 1024 * 1024  # llama.cpp's /props carries the chat template


class Asking:
    """GETs any path of an engine, a connection each: what is asked once a minute needs no pool."""

    def __init__(self, engine: str | Access, *, max_bytes: int = MAX_BYTES) -> None:
        self._access = engine if isinstance(engine, Access) else Access(engine.rstrip("/"))
        self._max_bytes = max_bytes

    async def __call__(self, path: str) -> bytes:
        """The answer's body.

        Raises:
            SourceError: as BoundedGet does.
        """
        get = BoundedGet(self._access, max_bytes=self._max_bytes)
        try:
            return (await get(path)).body
        finally:
            await get.close()
