"""The engine beside us: its /metrics, read through its dialect."""

import asyncio
import threading
from collections.abc import Callable, Iterable, Sequence

from tidegauge.catalog.inference import ENGINE_INFO, ENGINE_UP
from tidegauge.engines import Dialect, RawFamily, detect, translate
from tidegauge.samples import Sample
from tidegauge.sources.engine_http import BoundedGet
from tidegauge.sources.engine_text import parse
from tidegauge.sources.source import SourceError

MAX_BYTES = 16 * 1024 * 1024
MAX_SERIES = 2000  # an engine of one model has some fifty; its labels must not swamp Prometheus

_NAMES_SHOWN = 5
_EVERYBODYS = ("python_", "process_", "http_")


class EngineSource:
    """Reads `url`/metrics and says it in our vocabulary.

    `engine` pins the dialect; None recognises it anew at each read, so that another engine may
    take over the port. `model` is the model's name where the engine does not say it. A read takes
    at most `timeout_seconds`, parsing included, and at most `max_bytes` of the answer.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        timeout_seconds: float,
        engine: Dialect | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._url = f"{url.rstrip('/')}/metrics"
        self._fetch = BoundedGet(self._url, max_bytes=max_bytes)
        self._model = model
        self._pinned = engine
        self._timeout_seconds = timeout_seconds
        self._label = "unknown" if engine is None else engine.name

    @property
    def name(self) -> str:
        return "engine"

    async def read(self) -> Sequence[Sample]:
        """`llm_engine_up 1`, `llm_engine_info`, and what the engine says of itself.

        Raises:
            SourceError: nothing is known; every reason but "lost" may occur.
        """
        stop = threading.Event()
        try:
            async with asyncio.timeout(self._timeout_seconds):
                body = await self._fetch()
                # Off the event loop: a large exposition takes a second or more to parse.
                dialect, samples = await asyncio.to_thread(self._understand, body, stop.is_set)
        except TimeoutError as error:
            message = f"{self._url}: no complete answer within {self._timeout_seconds} s"
            raise SourceError("timeout", message) from error
        finally:
            stop.set()  # a thread can't be cancelled, and must not go on for nothing
        self._label = dialect.name
        return (*self._state(up=1), Sample(ENGINE_INFO, 1, (dialect.name,)), *samples)

    def unread(self) -> Sequence[Sample]:
        """`llm_engine_up 0`, under the name by which the engine was last known."""
        return self._state(up=0)

    async def close(self) -> None:
        await self._fetch.close()

    def _state(self, *, up: int) -> tuple[Sample, ...]:
        return (Sample(ENGINE_UP, up, (self._label,)),)

    def _understand(
        self, body: bytes, stopped: Callable[[], bool]
    ) -> tuple[Dialect, tuple[Sample, ...]]:
        families = self._parsed(body, stopped)
        dialect = self._pinned or detect(row.name for family in families for row in family.series)
        if dialect is None:
            raise self._unknown(families, "no known engine has these series")
        samples = translate(families, dialect, model=self._model)
        if not samples:
            raise self._unknown(families, f"none of the series of {dialect.name}")
        if len(samples) > MAX_SERIES:
            message = f"{self._url}: {len(samples)} series, more than {MAX_SERIES}; see its labels"
            raise SourceError("too_large", message)
        return dialect, samples

    def _parsed(self, body: bytes, stopped: Callable[[], bool]) -> tuple[RawFamily, ...]:
        try:
            return parse(body, stopped=stopped)
        except SourceError as error:
            raise SourceError(error.reason, f"{self._url}: {error}") from error

    def _unknown(self, families: Iterable[RawFamily], problem: str) -> SourceError:
        names = sorted({family.name for family in families})
        telling = [name for name in names if not name.startswith(_EVERYBODYS)] or names
        more = ", …" if len(telling) > _NAMES_SHOWN else ""
        seen = ", ".join(telling[:_NAMES_SHOWN]) or "nothing"
        return SourceError("unknown_engine", f"{self._url}: {problem}; saw {seen}{more}")
