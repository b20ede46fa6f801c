"""The source named `environment`: facts gathered, judged by every check, and what changed.

It never fails as a whole: what cannot be read is absent, and said once in the log.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tidegauge.catalog.health import CHECK
from tidegauge.samples import Sample
from tidegauge.sources.environment.baseline import Baseline
from tidegauge.sources.environment.check import Check
from tidegauge.sources.environment.checks import CHECKS
from tidegauge.sources.environment.engine_version import Fetch, engine_version
from tidegauge.sources.environment.facts import Engine, Facts
from tidegauge.sources.environment.fingerprint import Fingerprints
from tidegauge.sources.environment.gpu_facts import gpus_in
from tidegauge.sources.environment.identity import Changes
from tidegauge.sources.environment.lane import HungError, Lane
from tidegauge.sources.environment.limits import Limits
from tidegauge.sources.environment.local import Local, LocalReader, Places, yield_to_others
from tidegauge.sources.source import SourceError

_log = logging.getLogger(__name__)

_NOBODY: Sequence[Sample] = ()


@dataclass(frozen=True, slots=True)
class EngineDoor:
    """How the engine is asked: `name` is its dialect, empty while unknown; `fetch` GETs a path.

    `outages` counts the times at which somebody who asks more often than we found nobody there.
    `close` lets go of the connections that `fetch` may keep.
    """

    name: Callable[[], str]
    fetch: Fetch
    outages: Callable[[], int] = lambda: 0
    close: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is looked at, and how. `gpu` gives the GPU source's latest samples."""

    gpu: Callable[[], Sequence[Sample]] = lambda: _NOBODY
    engine: EngineDoor | None = None
    model: Path | None = None
    places: Places = field(default_factory=Places)


class EnvironmentSource:
    """Runs `checks` on what is known after at most `patience_seconds` per read.

    What takes longer (a model of many files on a slow disk, a file system that hangs) is left to
    its thread, and shows at a later read.
    """

    name = "environment"

    def __init__(
        self,
        surroundings: Surroundings,
        limits: Limits,
        *,
        checks: Sequence[Check] = CHECKS,
        patience_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._around = surroundings
        self._limits = limits
        self._checks = tuple(checks)
        self._patience_seconds = patience_seconds
        self._local = LocalReader(surroundings.places)
        self._local_lane: Lane[Local] = Lane("environment", clock=clock)
        self._model = Fingerprints(surroundings.model) if surroundings.model else None
        self._model_lane: Lane[dict[str, str]] = Lane("fingerprints", clock=clock)
        self._baseline = Baseline()
        self._outages = 0
        self._closing = False
        self._changes = Changes(surroundings.places.library_names)
        self._unread: set[str] = set()  # what LocalReader failed at last time
        self._troubled: set[str] = set()

    async def read(self) -> Sequence[Sample]:
        """Every check's results, and what the environment is made of."""
        local, (engine, serving), digests = await asyncio.gather(
            self._read_local(), self._ask_engine(), self._read_files()
        )
        if self._was_gone():
            self._baseline.update({}, serving=False)
        facts = Facts(
            gpus=gpus_in(self._around.gpu()),
            engine=engine,
            libraries=local.libraries,
            disks=local.disks,
            shared_memory=local.shared_memory,
            clock=local.clock,
            descriptors=local.descriptors,
            files=self._baseline.update(digests, serving=serving),
            kernel=local.kernel,
        )
        for component, before, now in self._changes.update(facts):
            details = {"component": component, "before": before, "now": now}
            _log.warning("environment changed", extra=details)
        return (*self._judged(facts), *self._changes.samples(facts))

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        """Let the threads end; one that hangs is left behind."""
        self._closing = True
        self._local_lane.stop()
        self._model_lane.stop()
        if self._around.engine and self._around.engine.close:
            await self._around.engine.close()

    async def _read_local(self) -> Local:
        try:
            local = await self._local_lane.run(
                self._local.read, patience_seconds=self._patience_seconds
            )
        except HungError as hung:
            self._say("file systems", f"reading has {hung}")
            return Local()
        self._say("file systems", "")
        problems = dict(local.problems)
        for what in problems.keys() | self._unread:
            self._say(what, problems.get(what, ""))
        self._unread = set(problems)
        return local

    async def _ask_engine(self) -> tuple[Engine | None, bool | None]:
        """What it says it is, and whether it serves; None where that is not known."""
        door = self._around.engine
        if door is None:
            return None, False
        try:
            async with asyncio.timeout(self._patience_seconds):
                engine = await engine_version(door.name(), door.fetch)
        except (SourceError, TimeoutError) as error:
            self._say("the engine's version", str(error) or "no answer in time")
            gone = isinstance(error, SourceError) and error.reason == "unavailable"
            return None, False if gone else None
        self._say("the engine's version", "")
        return engine, engine is not None

    def _was_gone(self) -> bool:
        """Whether the engine was away since the last round, even if it is back by now."""
        door = self._around.engine
        before, self._outages = self._outages, door.outages() if door else 0
        return self._outages != before

    async def _read_files(self) -> dict[str, str]:
        if self._model is None:
            return {}
        try:
            digests = await self._model_lane.run(
                partial(self._fingerprint, self._model), patience_seconds=self._patience_seconds
            )
        except HungError:
            return {}  # many files, or a slow disk: a later read finds what was read meanwhile
        except OSError as error:
            self._say("the model's files", str(error))
            return {}
        self._say("the model's files", "")
        return digests

    def _fingerprint(self, model: Fingerprints) -> dict[str, str]:
        yield_to_others()
        return model.read(lambda: self._closing)

    def _judged(self, facts: Facts) -> list[Sample]:
        samples = []
        for check in self._checks:
            for result in check.judge(facts, self._limits):
                what = f"check {check.name} of {result.component}"
                self._say(what, "" if result.passed else result.reason)
                samples.append(Sample(CHECK, float(result.passed), (check.name, result.component)))
        return samples

    def _say(self, what: str, problem: str) -> None:
        """One line when a problem comes and one when it goes, whatever numbers are in it."""
        if bool(problem) == (what in self._troubled):
            return
        self._troubled ^= {what}
        if problem:
            _log.warning("environment", extra={"about": what, "problem": problem})
        else:
            _log.info("environment", extra={"about": what, "problem": "over"})
