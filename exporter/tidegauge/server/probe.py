"""`/probe?target=&module=`: one of the configured engines, read now.

No request of a client makes us ask an address that the configuration does not list. Probes of one
engine that overlap share one read, and so many engines at most are read at the same time.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from aiohttp import web

from tidegauge.catalog import own
from tidegauge.samples import Sample
from tidegauge.server.plan import ProbeModule, ProbePlan
from tidegauge.sources.source import Source, SourceError
from tidegauge.web.negotiation import seconds_left
from tidegauge.web.scrape import Exposition

logger = logging.getLogger(__name__)

_TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"
_OFFSET_SECONDS = 0.5  # for the answer to reach the scraper before it gives up

_Key = tuple[str, str]


class Prober:
    """Answers probes of `plan`'s targets, and keeps each one's source for the next time."""

    def __init__(self, plan: ProbePlan, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.plan = plan
        self._clock = clock
        self._exposition = Exposition()
        self._sources: dict[_Key, Source] = {}
        self._reads: dict[_Key, asyncio.Task[tuple[Sample, ...]]] = {}
        self._turns = asyncio.Semaphore(plan.max_reads)

    async def page(self, request: web.Request) -> web.Response:
        """The engine's series and whether it could be read; 400 or 403 if it is not ours to ask."""
        target = request.query.get("target", "").rstrip("/")
        name = request.query.get("module") or self.plan.default_module
        module = self.plan.modules.get(name)
        if not target:
            return _refusal(400, "target is missing; ask /probe?target=URL")
        if target not in self.plan.targets:
            return _refusal(403, "this target is not one of serve.probe.targets")
        if module is None:
            return _refusal(400, "this module is not one of serve.probe.modules")
        left = seconds_left(request.headers.get(_TIMEOUT_HEADER, ""))
        return self._exposition.answer(request, await self._probe((target, name), module, left))

    async def close(self) -> None:
        """Let the reads end that somebody waits for, then let go of the sources."""
        await asyncio.gather(*self._reads.values(), return_exceptions=True)
        await asyncio.gather(*(source.close() for source in self._sources.values()))

    async def _probe(
        self, key: _Key, module: ProbeModule, left: float | None
    ) -> tuple[Sample, ...]:
        began = self._clock()
        source = self._source(key, module)
        try:
            samples = await self._read(key, source, module, _patience(module, left))
            success = 1.0
        except SourceError as error:
            details = {"target": key[0], "reason": error.reason, "error": str(error)}
            logger.info("probe failed", extra=details)
            samples, success = tuple(source.unread()), 0.0
        return (
            *samples,
            Sample(own.PROBE_SUCCESS, success),
            Sample(own.PROBE_DURATION, self._clock() - began),
        )

    def _source(self, key: _Key, module: ProbeModule) -> Source:
        if key not in self._sources:
            self._sources[key] = module.make(key[0])
        return self._sources[key]

    async def _read(
        self, key: _Key, source: Source, module: ProbeModule, patience_seconds: float
    ) -> tuple[Sample, ...]:
        reading = self._reads.get(key)
        if reading is None:
            reading = self._reads[key] = asyncio.create_task(self._in_turn(source, module))
            reading.add_done_callback(lambda _: self._reads.pop(key))
        # Not wait_for: a probe that gives up must not take the read from another that waits.
        await asyncio.wait([reading], timeout=patience_seconds)
        if not reading.done():
            raise SourceError("timeout", f"no answer within {patience_seconds:g} s")
        return reading.result()

    async def _in_turn(self, source: Source, module: ProbeModule) -> tuple[Sample, ...]:
        async with self._turns:
            try:
                async with asyncio.timeout(module.timeout_seconds):
                    return tuple(await source.read())
            except TimeoutError:
                message = f"no answer within {module.timeout_seconds:g} s"
                raise SourceError("timeout", message) from None
            except SourceError:
                raise
            except Exception as error:  # a bug in a source must not cost more than its probe
                logger.exception("source broken", extra={"source": source.name})
                raise SourceError("internal", repr(error)) from error


def _patience(module: ProbeModule, left: float | None) -> float:
    if left is None:
        return module.timeout_seconds
    return min(module.timeout_seconds, max(left - _OFFSET_SECONDS, left / 2))


def _refusal(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")
