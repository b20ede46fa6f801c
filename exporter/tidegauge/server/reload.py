"""Loads the configuration again: all of it is taken over, or nothing, and every mistake is said."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from aiohttp import web

from tidegauge.catalog import own
from tidegauge.samples import Sample
from tidegauge.server.plan import Plan, PlanError
from tidegauge.web import State

logger = logging.getLogger(__name__)

Stage = Literal["ready", "reloading"]


class Reload:
    """`replan` reads the configuration in a thread; `adopt` takes it over, or raises OSError.

    `tell` hears "reloading" and then "ready", whatever comes of it. `clock` is in Unix seconds.
    """

    def __init__(
        self,
        replan: Callable[[], Plan],
        adopt: Callable[[Plan], Awaitable[None]],
        *,
        tell: Callable[[Stage], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._replan = replan
        self._adopt = adopt
        self._tell = tell
        self._clock = clock
        self._lock = asyncio.Lock()
        self._well = True
        self._loaded_at = clock()

    async def __call__(self) -> tuple[str, ...]:
        """Load it again; the mistakes because of which the old one stays, or none."""
        async with self._lock:
            self._tell("reloading")
            mistakes = await self._load()
            self._tell("ready")
        self._well = not mistakes
        for line in mistakes:
            logger.error("configuration not reloaded", extra={"error": line})
        if not mistakes:
            self._loaded_at = self._clock()
            logger.info("configuration reloaded")
        return mistakes

    async def page(self, _: web.Request) -> web.Response:
        """200, or 500 with the mistakes, as Prometheus and its exporters answer."""
        mistakes = await self()
        if not mistakes:
            return web.Response(text="configuration reloaded\n")
        text = "".join(f"{line}\n" for line in ("configuration not reloaded:", *mistakes))
        return web.Response(status=500, text=text)

    def samples(self) -> tuple[Sample, ...]:
        """Whether the last attempt succeeded, and when one last did; the start is the first."""
        return (
            Sample(own.CONFIG_RELOADED, float(self._well)),
            Sample(own.CONFIG_RELOADED_AT, self._loaded_at),
        )

    def state(self) -> State:
        """A line for the landing page."""
        note = "in force" if self._well else "the last reload failed; the log says why"
        return State("configuration", well=self._well, note=note)

    async def _load(self) -> tuple[str, ...]:
        try:
            await self._adopt(await asyncio.to_thread(self._replan))
        except PlanError as error:
            return error.lines
        except OSError as error:
            return (error.strerror or str(error),)
        except Exception as error:  # what runs goes on, whatever is wrong with what should
            logger.exception("reload broken")
            return (f"internal error: {error!r}",)
        return ()
