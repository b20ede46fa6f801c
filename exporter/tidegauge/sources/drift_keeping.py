"""References come and go: what of drift takes long, or waits for a disk, one thing after the other.

Each job does its slow part in a thread; the monitor is only touched from the event loop. A job that
fails costs itself alone and one line in the log.
"""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from functools import partial

from tidegauge.drift.comparison import compared
from tidegauge.drift.monitor import DriftMonitor, Learned, Model
from tidegauge.drift.reference import Reference
from tidegauge.drift.sketch import Sketch
from tidegauge.drift.watched import Origin, Watched
from tidegauge.sources.drift_store import DriftStore

logger = logging.getLogger(__name__)

_CLOSE_SECONDS = 10.0
_SHOWN_CHANGES = 3

_Job = Coroutine[None, None, None]


@dataclass(frozen=True, slots=True)
class Making:
    """What a reference of ours says of itself: our version, and which embedding we use."""

    made_by: str
    semantic: str


class DriftKeeping:
    """Of one monitor. `given` references are used as they are; the others are kept in `store`."""

    def __init__(
        self,
        monitor: DriftMonitor,
        store: DriftStore | None,
        *,
        given: Mapping[str, Reference],
        making: Making,
        checkpoint_seconds: float,
    ) -> None:
        self._monitor = monitor
        self._store = store
        self._given = given
        self._making = making
        self._checkpoint_seconds = checkpoint_seconds
        self._kept_at: float | None = None
        self._calm = dict[str, str]()  # by model, the digest of a candidate that had no alarm
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._working: asyncio.Task[None] | None = None
        self._busy = False

    def reference(self, model: str) -> Reference | None:
        """The one in use."""
        known = self._monitor.models.get(model)
        return known.watched.reference if known and known.watched else None

    def learned(self, learned: Learned) -> None:
        """A model has been watched for as long as a reference takes."""
        self._put(self._take(learned))

    def look(self, *, now: float, at: float) -> None:
        """Whether a file was changed, or it is time to write: at each tick.

        `now`: seconds of a clock that only rises, `at`: of the wall clock.
        """
        if self._working is None:
            self._kept_at = now
            for model in self._monitor.models.values():
                self._put(self._load(model))
            return
        if self._store is None or self._busy or not self._jobs.empty():
            return
        for model in self._monitor.models.values():
            if model.name not in self._given and self._store.changed(model.name):
                self._put(self._reload(model))
        if self._kept_at is None or now - self._kept_at >= self._checkpoint_seconds:
            self._kept_at = now
            for model in self._monitor.models.values():
                self._put(self._keep(model))
                if self._is_stale(model, at=at):
                    self._put(self._refresh(model))

    async def close(self) -> None:
        """End, with what is being learned written down."""
        if self._working is None:
            return
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        while not self._jobs.empty():
            self._jobs.get_nowait().close()
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                for model in self._monitor.models.values():
                    await self._keep(model)
        except TimeoutError:
            logger.warning("drift was not all written down when we had to end")

    def _put(self, job: _Job) -> None:
        self._jobs.put_nowait(job)
        if self._working is None:
            self._working = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            self._busy = True
            try:
                await job
            except Exception as error:  # noqa: BLE001 - a bug in one job is not to end the others
                logger.error("a job of drift failed", extra={"error": repr(error)})  # noqa: TRY400
            finally:
                self._busy = False

    async def _load(self, model: Model) -> None:
        """What a model begins with: its reference, and what was learned before a restart."""
        given = self._given.get(model.name)
        if given is not None and given != self.reference(model.name):
            await self._adopt(model, given)
        elif model.watched is None and (kept := await self._read(model.name)) is not None:
            await self._adopt(model, kept)
        if self._store:
            before = await asyncio.to_thread(self._store.load, model.name, "learning")
            if before is not None and self._fits(before):
                model.resume(before.sketch)

    async def _reload(self, model: Model) -> None:
        reference = await self._read(model.name)
        if reference is not None:
            await self._adopt(model, reference)
            facts = {"model": model.name, "digest": reference.digest}
            logger.info("drift reference taken from its file", extra=facts)

    async def _take(self, learned: Learned) -> None:
        """A first reference is used at once; a later one is a candidate."""
        sketch = learned.sketch
        model, reference = self._monitor.models[sketch.model], await self._made(sketch)
        if model.watched is None:
            await self._save_first(reference)
            await self._adopt(model, reference)
            facts = {"model": model.name, "requests": sketch.requests, "digest": reference.digest}
            logger.info("drift reference learned", extra=facts)
        elif self._store:
            await asyncio.to_thread(self._store.save, reference, "candidate")
            self._calm[model.name] = "" if learned.alarmed else reference.digest

    async def _refresh(self, model: Model) -> None:
        """The candidate in the place of a reference that has grown old."""
        before, store = self.reference(model.name), self._store
        if before is None or store is None:
            return
        candidate = await asyncio.to_thread(store.load, model.name, "candidate")
        if candidate is None or candidate.digest != self._calm.get(model.name):
            return
        await asyncio.to_thread(store.save, before, "previous")
        await self._save(candidate)
        await asyncio.to_thread(store.remove, model.name, "candidate")
        changes = await asyncio.to_thread(_changes, before, candidate)
        await self._adopt(model, candidate)
        facts = {"model": model.name, "digest": candidate.digest, "changed": changes}
        logger.info("drift reference refreshed", extra=facts)

    async def _keep(self, model: Model) -> None:
        if self._store and model.watched:
            await asyncio.to_thread(self._store.save_usual, model.name, model.watched.state())
        if self._store and model.learning.sketch.requests:
            reference = await self._made(model.learning.sketch.copy())
            await asyncio.to_thread(self._store.save, reference, "learning")

    async def _read(self, model: str) -> Reference | None:
        if self._store is None:
            return None
        reference = await asyncio.to_thread(self._store.load, model)
        return reference if reference is not None and self._fits(reference) else None

    async def _save(self, reference: Reference) -> None:
        if self._store:
            await asyncio.to_thread(self._store.save, reference)

    async def _save_first(self, reference: Reference) -> None:
        """One that could not be used, as of another embedding, is kept as the previous one."""
        if self._store is None:
            return
        unused = await asyncio.to_thread(self._store.load, reference.model)
        if unused is not None:
            await asyncio.to_thread(self._store.save, unused, "previous")
        await self._save(reference)
        await asyncio.to_thread(self._store.remove, reference.model, "learning")

    async def _made(self, sketch: Sketch) -> Reference:
        making = self._making
        return await asyncio.to_thread(
            partial(Reference.of, sketch, made_by=making.made_by, semantic=making.semantic)
        )

    async def _adopt(self, model: Model, reference: Reference) -> None:
        origin: Origin = "file" if model.name in self._given else "learned"
        watched = await asyncio.to_thread(
            partial(Watched, reference, self._monitor.settings, origin=origin)
        )
        if self._store:
            watched.restore(await asyncio.to_thread(self._store.load_usual, model.name))
        model.watched = watched

    def _fits(self, reference: Reference) -> bool:
        if reference.semantic in ("", self._making.semantic):
            return True
        facts = {"model": reference.model, "theirs": reference.semantic}
        logger.error(
            "drift reference is of another embedding; build it again",
            extra={**facts, "ours": self._making.semantic},
        )
        return False

    def _is_stale(self, model: Model, *, at: float) -> bool:
        refresh = self._monitor.settings.refresh_seconds
        if refresh is None or model.watched is None or model.name in self._given:
            return False
        end = model.watched.reference.sketch.end
        return end is not None and at - end >= refresh


def _changes(before: Reference, after: Reference) -> list[str]:
    """The channels that changed most."""
    return [change.channel for change in compared(before, after).changes[:_SHOWN_CHANGES]]
