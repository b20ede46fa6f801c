"""The engine that nobody configured: looked for at the usual ports of this machine.

Nothing is wrong with a machine that has no engine, so finding none is no error. An engine that was
found and then fails is an error, and stays one until it, or another one, answers.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidegauge.catalog.inference import ENGINE_INFO
from tidegauge.catalog.own import ENGINE_DISCOVERED
from tidegauge.samples import Sample
from tidegauge.sources.source import Source, SourceError

logger = logging.getLogger(__name__)

USUAL_PORTS = (
    8000,  # vLLM, trtllm-serve, NIM, Ray Serve
    30000,  # SGLang
    8080,  # llama.cpp
    8002,  # Triton's metrics
    3000,  # TGI's launcher
    23333,  # LMDeploy
)

_LOOPBACK = "http://127.0.0.1"
_LOOK_SECONDS = 1.0  # a port that takes longer is asked again at the next look
_PATIENCE = 3  # failed reads in a row, after which another engine may take the place


@dataclass(frozen=True, slots=True)
class _Found:
    url: str
    engine: Source


class DiscoveredEngine:
    """Keeps to the first of `ports` that has a known engine's metrics.

    `open_engine` makes the source for a base URL. While none is known, or the known one has failed
    three times in a row, all ports are asked at once, every `interval_seconds` by `clock`; the
    first in order that answers is taken.
    """

    def __init__(
        self,
        ports: Sequence[int],
        open_engine: Callable[[str], Source],
        *,
        interval_seconds: float,
        clock: Callable[[], float],
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._urls = tuple(f"{_LOOPBACK}:{port}" for port in ports)
        self._open = open_engine
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._look_seconds = look_seconds
        self._looked: float | None = None
        self._found: _Found | None = None
        self._failures = 0
        self.outages = 0
        """Reads at which the engine that was found was not there."""

    @property
    def name(self) -> str:
        return "engine"

    @property
    def url(self) -> str | None:
        """Base URL of the engine that was found; None until then."""
        return self._found.url if self._found else None

    async def read(self) -> Sequence[Sample]:
        """What the engine says, or nothing where none was found.

        Raises:
            SourceError: an engine was found earlier, and fails.
        """
        if self._found is None:
            return await self._look(()) or ()
        try:
            samples = await self._found.engine.read()
        except SourceError as error:
            self._failures += 1
            self.outages += error.reason == "unavailable"
            if self._failures >= _PATIENCE and (other := await self._look((self._found.url,))):
                return other
            raise
        self._failures = 0
        return _introduced(self._found.url, samples)

    def unread(self) -> Sequence[Sample]:
        """`llm_engine_up 0` once an engine was found."""
        return self._found.engine.unread() if self._found else ()

    async def close(self) -> None:
        if self._found:
            await self._found.engine.close()

    async def _look(self, without: Sequence[str]) -> Sequence[Sample] | None:
        """The samples of the first engine that answers, which is kept; None if it is not due."""
        now = self._clock()
        if self._looked is not None and now - self._looked < self._interval_seconds:
            return None
        first, self._looked = self._looked is None, now
        urls = [url for url in self._urls if url not in without]
        answers = await asyncio.gather(*(self._ask(url) for url in urls))
        engines = [answer for answer in answers if not isinstance(answer, str)]
        if first and not engines:
            refusals = "; ".join(answer for answer in answers if isinstance(answer, str) and answer)
            facts = {"asked": ", ".join(urls)} | ({"refused": refusals} if refusals else {})
            logger.info("no engine found yet; see serve.engine", extra=facts)
        for found, _ in engines[1:]:
            await found.engine.close()
        return await self._keep(*engines[0]) if engines else None

    async def _keep(self, found: _Found, samples: Sequence[Sample]) -> Sequence[Sample]:
        await self.close()
        self._found, self._failures = found, 0
        logger.info("engine found", extra={"url": found.url, "engine": _engine(samples)})
        return _introduced(found.url, samples)

    async def _ask(self, url: str) -> tuple[_Found, Sequence[Sample]] | str:
        """An engine and its samples; else what somebody said who is there and refuses, or ""."""
        engine, kept = self._open(url), False
        try:
            async with asyncio.timeout(self._look_seconds):
                samples = await engine.read()
            kept = True
        except (SourceError, TimeoutError) as error:
            logger.debug("no engine here", extra={"url": url, "error": str(error)})
            # It may well be an engine without --metrics, or one that wants a key.
            refused = isinstance(error, SourceError) and error.reason == "http_status"
            return str(error) if refused else ""
        finally:
            if not kept:
                await engine.close()
        return _Found(url, engine), samples


def _introduced(url: str, samples: Sequence[Sample]) -> Sequence[Sample]:
    return (*samples, Sample(ENGINE_DISCOVERED, 1, (url, _engine(samples))))


def _engine(samples: Sequence[Sample]) -> str:
    return next((s.labels[0] for s in samples if s.metric is ENGINE_INFO), "")
