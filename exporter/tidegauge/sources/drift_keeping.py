"""References come and go: what of drift takes long, or waits for a disk, one thing after the other.

Each job does its slow part in a thread; the monitor is only touched from the event loop. What is
kept of every model is loaded first, so that nothing of an earlier sidecar is written over unread. A
job that fails costs itself alone and one line in the log.
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
        self._unsaved = dict[str, str]()  # by model, the digest of a reference no disk took
        self._calm = dict[str, str]()  # by model, the digest of a candidate that had no alarm
        self._loaded = set[str]()
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._working: asyncio.Task[None] | None = None
        self._busy = False

    @property
    def semantic(self) -> str:
        """Which embedding the vectors are of that the monitor is told of."""
        return self._making.semantic

    def reference(self, model: str) -> Reference | None:
        """The one in use."""
        known = self._monitor.models.get(model)
        return known.watched.reference if known and known.watched else None

    def learned(self, learned: Learned) -> None:
        """A model has been watched for as long as a reference takes."""
        self._begin()
        self._jobs.put_nowait(self._take(learned))

    def look(self, *, now: float, at: float) -> None:
        """Whether a file was changed, or it is time to write: at each tick.

        `now`: seconds of a clock that only rises, `at`: of the wall clock.
        """
        self._begin()
        if self._kept_at is None:
            self._kept_at = now
        if self._store is None or self._busy or not self._jobs.empty():
            return
        for model in self._monitor.models.values():
            if model.name not in self._given and self._store.changed(model.name):
                self._jobs.put_nowait(self._reload(model))
        if now - self._kept_at >= self._checkpoint_seconds:
            self._kept_at = now
            for model in self._monitor.models.values():
                self._jobs.put_nowait(self._keep(model))
                if self._is_stale(model, at=at):
                    self._jobs.put_nowait(self._refresh(model))

    async def idle(self) -> None:
        """Wait until no job is left."""
        await self._jobs.join()

    async def close(self) -> None:
        """End, with what is under way done and what is being learned written down.

        A reference that is just being made holds a whole warm-up, so that jobs are waited for.
        """
        if self._working is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.idle()
                for model in self._monitor.models.values():
                    await self._keep(model)
        except TimeoutError:
            logger.warning("drift was not all written down when we had to end")
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        while not self._jobs.empty():
            self._jobs.get_nowait().close()

    def _begin(self) -> None:
        """With what every model begins with, before any other job."""
        if self._working is None:
            for model in self._monitor.models.values():
                self._jobs.put_nowait(self._load(model))
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
                self._jobs.task_done()

    async def _load(self, model: Model) -> None:
        """What a model begins with: its reference, and what was learned before a restart.

        After a reload that is in memory already, and more than the file has of it.
        """
        given = self._given.get(model.name)
        if model.watched and model.watched.origin != self._origin(model):
            model.watched = None  # the file that was given is no longer, or has come to be
        if given is not None and given != self.reference(model.name):
            await self._adopt(model, given)
        elif model.watched is None and (kept := await self._read(model.name)) is not None:
            await self._adopt(model, kept)
        if self._store and not model.resumed:
            before = await asyncio.to_thread(self._store.load, model.name, "learning")
            if before is not None and self._fits(before):
                # Whether it had alarms is not in the file; whether there ever was one is known.
                alarmed = model.watched is not None and model.watched.has_alarmed
                model.resume(before.sketch, alarmed=alarmed)
        self._loaded.add(model.name)

    async def _reload(self, model: Model) -> None:
        reference = await self._read(model.name)
        if reference is not None and reference != self.reference(model.name):
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
        if before is None or store is None or not self._calm.get(model.name):
            return
        candidate = await asyncio.to_thread(store.load, model.name, "candidate")
        if candidate is None or candidate.digest != self._calm.get(model.name):
            return
        await asyncio.to_thread(store.save, before, "previous")
        if not await self._save(candidate):
            return  # else a restart would be back at the old one, and the candidate gone
        await asyncio.to_thread(store.remove, model.name, "candidate")
        changes = await asyncio.to_thread(_changes, before, candidate)
        await self._adopt(model, candidate)
        facts = {"model": model.name, "digest": candidate.digest, "changed": changes}
        logger.info("drift reference refreshed", extra=facts)

    async def _keep(self, model: Model) -> None:
        if model.name not in self._loaded:
            return  # what is there is not known yet, and may be a day's learning
        if self._store and model.watched:
            await self._save_again(model, self._store)
            await asyncio.to_thread(self._store.save_usual, model.name, model.watched.state())
        if self._store and model.learning.sketch.requests:
            reference = await self._made(model.learning.sketch.copy())
            await asyncio.to_thread(self._store.save, reference, "learning")

    async def _read(self, model: str) -> Reference | None:
        if self._store is None:
            return None
        reference = await asyncio.to_thread(self._store.load, model)
        return reference if reference is not None and self._fits(reference) else None

    async def _save(self, reference: Reference) -> bool:
        return self._store is not None and await asyncio.to_thread(self._store.save, reference)

    async def _save_again(self, model: Model, store: DriftStore) -> None:
        """One that a full disk did not take, unless somebody has put another one there."""
        reference = self.reference(model.name)
        unsaved = self._unsaved.get(model.name)
        if reference is None or reference.digest != unsaved or store.changed(model.name):
            return
        if await self._save(reference):
            del self._unsaved[model.name]

    async def _save_first(self, reference: Reference) -> None:
        """One that could not be used, as of another embedding, is kept as the previous one."""
        if self._store is None:
            return
        unused = await asyncio.to_thread(self._store.load, reference.model)
        if unused is not None:
            await asyncio.to_thread(self._store.save, unused, "previous")
        if await self._save(reference):
            await asyncio.to_thread(self._store.remove, reference.model, "learning")
        else:
            self._unsaved[reference.model] = reference.digest

    async def _made(self, sketch: Sketch) -> Reference:
        making = self._making
        return await asyncio.to_thread(
            partial(Reference.of, sketch, made_by=making.made_by, semantic=making.semantic)
        )

    async def _adopt(self, model: Model, reference: Reference) -> None:
        watched = await asyncio.to_thread(
            partial(Watched, reference, self._monitor.settings, origin=self._origin(model))
        )
        if self._store:
            watched.restore(await asyncio.to_thread(self._store.load_usual, model.name))
        model.watched = watched

    def _origin(self, model: Model) -> Origin:
        return "file" if model.name in self._given else "learned"

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
