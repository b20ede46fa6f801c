"""The engine beside us: its metrics, wherever it serves them, read through its dialect."""

import asyncio
import logging
import threading
from collections.abc import Iterator, Sequence

from tidegauge.catalog.inference import ENGINE_INFO, ENGINE_UP
from tidegauge.catalog.own import ENGINE_UNMAPPED
from tidegauge.engines import ENGINES, Dialect
from tidegauge.engines.continuity import Continuity
from tidegauge.samples import Sample
from tidegauge.sources.engine_access import Access
from tidegauge.sources.engine_http import Answer, BoundedGet, Fetch, NotThereError
from tidegauge.sources.engine_reading import Understood, understand
from tidegauge.sources.engine_text import ExpositionParser
from tidegauge.sources.source import SourceError

logger = logging.getLogger(__name__)

MAX_BYTES = 16 * 1024 * 1024

_SMALL_BYTES = 8 * 1024  # understood within milliseconds whatever it says: no thread is worth it
_LISTED_CHARACTERS = 8000  # some two hundred names: more than any release has renamed


class EngineSource:
    """Reads an engine's metrics and says them in our vocabulary.

    `access` is how the engine is reached, or just its URL. `engine` pins the dialect; None
    recognises it anew at each read, so that another engine may take over the port. `paths` are
    where its metrics may be, by default where the dialect, or any that we know, has them; the one
    that worked is kept for as long as it is there. `model` is the model's name where the engine
    does not say it. A read takes at most `timeout_seconds`, parsing included, and at most
    `max_bytes` of the answer. `fetch` stands in for HTTP.
    """

    def __init__(
        self,
        access: Access | str,
        *,
        model: str,
        timeout_seconds: float,
        engine: Dialect | None = None,
        paths: Sequence[str] | None = None,
        max_bytes: int = MAX_BYTES,
        fetch: Fetch | None = None,
    ) -> None:
        known = access if isinstance(access, Access) else Access(access.rstrip("/"))
        self._url = known.url
        self._fetch = fetch or BoundedGet(known, max_bytes=max_bytes)
        self._model = model
        self._pinned = engine
        self._paths = tuple(paths or _usual_paths(engine))
        self._path: str | None = None  # the one that has worked
        self._timeout_seconds = timeout_seconds
        self._label = "unknown" if engine is None else engine.name
        self._parser = ExpositionParser()
        self._continuity = Continuity()
        self._unmapped: tuple[str, ...] = ()
        self.outages = 0
        """Reads at which nobody was there: between two of them another engine may have come up."""

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
                self._path, understood = await self._first(stop)
        except TimeoutError as error:
            message = f"{self._url}: no complete answer within {self._timeout_seconds} s"
            raise SourceError("timeout", message) from error
        except SourceError as error:
            self.outages += error.reason == "unavailable"
            raise
        finally:
            stop.set()  # a thread can't be cancelled, and must not go on for nothing
        self._remember(understood)
        name = understood.dialect.name
        return (
            *self._state(up=1),
            Sample(ENGINE_INFO, 1, (name,)),
            Sample(ENGINE_UNMAPPED, len(understood.unmapped), (name,)),
            *understood.samples,
        )

    def unread(self) -> Sequence[Sample]:
        """`llm_engine_up 0`, under the name by which the engine was last known."""
        return self._state(up=0)

    async def close(self) -> None:
        await self._fetch.close()

    def _state(self, *, up: int) -> tuple[Sample, ...]:
        return (Sample(ENGINE_UP, up, (self._label,)),)

    async def _first(self, stop: threading.Event) -> tuple[str, Understood]:
        """The first path that has an engine's metrics, and what they say."""
        errors: list[SourceError] = []
        for path in self._order():
            try:
                return path, await self._at(path, stop)
            except SourceError as error:
                if not self._may_be_elsewhere(error):
                    raise
                errors.append(error)
        # What spoke of something else tells more than what was not there.
        if told := next((e for e in errors if not isinstance(e, NotThereError)), None):
            raise told
        raise SourceError(errors[0].reason, f"{errors[0]}; are the engine's metrics on?")

    def _order(self) -> Iterator[str]:
        known = (self._path,) if self._path else ()
        return iter(dict.fromkeys((*known, *self._paths)))

    def _may_be_elsewhere(self, error: SourceError) -> bool:
        if isinstance(error, NotThereError) or error.reason == "unknown_engine":
            return True
        # trtllm-serve answers JSON at /metrics; but one bad answer of a good path is just that.
        return error.reason == "parse" and self._path is None

    async def _at(self, path: str, stop: threading.Event) -> Understood:
        answer = await self._fetch(path)
        try:
            if len(answer.body) <= _SMALL_BYTES:
                return self._understand(answer, stop)
            # Off the event loop: the largest exposition takes a second or more to parse.
            return await asyncio.to_thread(self._understand, answer, stop)
        except SourceError as error:
            raise SourceError(error.reason, f"{self._url}{path}: {error}") from error

    def _understand(self, answer: Answer, stop: threading.Event) -> Understood:
        return understand(
            answer,
            parser=self._parser,
            pinned=self._pinned,
            model=self._model,
            before=self._continuity,
            stopped=stop.is_set,
        )

    def _remember(self, understood: Understood) -> None:
        self._label = understood.dialect.name
        self._continuity = understood.continuity
        names = understood.unmapped
        if names and names != self._unmapped:
            facts = {"engine": self._label, "count": len(names), "names": _listed(names)}
            logger.warning("engine series unmapped; see docs/engines.md", extra=facts)
        self._unmapped = names


def _listed(names: Sequence[str]) -> str:
    whole = ", ".join(names)
    if len(whole) <= _LISTED_CHARACTERS:
        return whole
    return whole[:_LISTED_CHARACTERS].rpartition(", ")[0] + ", …"


def _usual_paths(engine: Dialect | None) -> tuple[str, ...]:
    dialects = ENGINES if engine is None else (engine,)
    paths = dict.fromkeys(path for dialect in dialects for path in dialect.paths)
    # The path of most engines first: who it doesn't belong to is asked for nothing else.
    return tuple(sorted(paths, key=lambda path: path != "/metrics"))
