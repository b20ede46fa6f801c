"""`tidegauge serve` put together: sources in a pipeline, the tap, /probe, and their face."""

import asyncio
import time
from collections.abc import Callable, Mapping
from itertools import chain

from aiohttp import web

from tidegauge.pipeline import Pipeline
from tidegauge.samples import Reading, Sample
from tidegauge.server.door import Door
from tidegauge.server.plan import Around, Made, Part, Plan, PlanError
from tidegauge.server.probe import Prober
from tidegauge.server.reload import Reload, Stage
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.texts.vector_settings import VectorTallies
from tidegauge.web import Face, Front, Guard, Page, Rules, RulesFile, State


class Sidecar:
    """Runs a Plan, and goes over to another while it runs.

    `replan` reads the configuration anew, for a reload. `tell` hears when it is ready.
    """

    def __init__(
        self,
        replan: Callable[[], Plan],
        *,
        rules_file: RulesFile | None = None,
        tell: Callable[[Stage], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reload = Reload(replan, self.adopt, tell=tell)
        self._tell = tell
        self._rules_file = rules_file
        self._pipeline = Pipeline(())
        self._arrivals = Arrivals()
        self._vectors = VectorTallies()
        self._door = Door(self._record, arrivals=self._arrivals, vectors=self._vectors, clock=clock)
        self._prober: Prober | None = None
        self._stopping = False
        self._parts: dict[str, tuple[Part, Made]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._guard = Guard(clock=clock)
        self._pages: Mapping[str, Page] = {}
        self._inputs: Mapping[str, Page] = {}
        self._front = Front(self._face(), rules_file.rules if rules_file else Rules())

    @property
    def ports(self) -> tuple[int, ...]:
        """Where the face listens, in the order of the plan's addresses."""
        return self._front.ports

    async def run(self, plan: Plan) -> None:
        """Read sources, tap requests and answer scrapes until cancelled.

        Raises:
            OSError: an address cannot be had.
        """
        await self._front.setup()
        tasks: list[asyncio.Task[None]] = []
        try:
            await self.adopt(plan)
            tasks.append(asyncio.create_task(self._pipeline.run()))
            if self._rules_file:
                tasks.append(asyncio.create_task(self._rules_file.watch(self._front)))
            self._tell("ready")
            # None of them ends; one that does has a bug, and a restart is better than half of us.
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            self._stopping = True
            # Sources are read until the tap's last answer is out: what it measures counts too.
            await self._door.close()
            await self._front.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *self._closing, return_exceptions=True)
            if self._prober:
                await self._prober.close()

    async def adopt(self, plan: Plan) -> None:
        """Go over to `plan`: parts that it shares with what runs go on, untouched.

        Raises:
            OSError: an address cannot be had; everything is as before.
            PlanError: it is being stopped.
        """
        if self._stopping:
            raise PlanError(["tidegauge serve is being stopped"])
        sockets = await self._front.open(plan.addresses)
        try:
            door = await self._door.open(plan.tap)
        except OSError:
            sockets.close()
            raise
        try:
            parts = await self._built(plan)
        except Exception:
            sockets.close()
            await self._door.abandon(door)
            raise
        self._parts = parts
        self._pipeline.adopt([made.schedule for _, made in parts.values()])
        self._guard.adopt(plan.inputs)
        self._adopt_paths()
        self._adopt_probe(plan)
        await self._door.turn(door)
        await self._front.turn(plan.addresses, sockets)

    async def _built(self, plan: Plan) -> dict[str, tuple[Part, Made]]:
        built: dict[str, tuple[Part, Made]] = {}
        try:
            for part in plan.parts:
                built[part.name] = self._one_built(part, built)
        except Exception:
            await self._unmake(built)
            raise
        return built

    def _one_built(self, part: Part, built: Mapping[str, tuple[Part, Made]]) -> tuple[Part, Made]:
        before = self._parts.get(part.name)
        if before and before[0].made_from == part.made_from:
            return before
        sources = {name: made.schedule.source for name, (_, made) in built.items()}
        if before:
            sources[part.name] = before[1].schedule.source
        return part, part.make(Around(sources, self._record, self._arrivals, self._vectors))

    async def _unmake(self, built: Mapping[str, tuple[Part, Made]]) -> None:
        """Let go of what was made for a plan that cannot be run; what runs stays."""
        running = {id(made.schedule.source) for _, made in self._parts.values()}
        for _, made in built.values():
            if id(made.schedule.source) not in running:
                await made.schedule.source.close()

    def _adopt_probe(self, plan: Plan) -> None:
        before = self._prober
        if (before.plan if before else None) == plan.probe:
            return
        self._prober = Prober(plan.probe) if plan.probe else None
        if before:
            task = asyncio.create_task(before.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def _record(self, exchange: Exchange) -> None:
        for _, made in self._parts.values():
            if made.observe:
                made.observe(exchange)

    def _face(self) -> Face:
        return Face(
            title="tidegauge serve",
            samples=self._samples,
            states=self._states,
            ready=lambda: self._pipeline.began,
            pages={"/probe": self._probe},
            more_pages=lambda: self._pages,
            inputs=lambda: self._inputs,
            actions={"/-/reload": self.reload.page},
            links=lambda: ("/probe",) if self._prober else (),
        )

    def _adopt_paths(self) -> None:
        made = [made for _, made in self._parts.values()]
        self._pages = dict(chain.from_iterable(each.pages.items() for each in made))
        inputs = chain.from_iterable(each.inputs.items() for each in made)
        self._inputs = {path: self._guard.page(each) for path, each in inputs}

    def _samples(self) -> tuple[Sample, ...]:
        rules = self._rules_file.samples() if self._rules_file else ()
        own = (*self.reload.samples(), *self._guard.samples(), *rules)
        return (*self._pipeline.snapshot().samples(), *own)

    def _states(self) -> tuple[State, ...]:
        readings = self._pipeline.snapshot().readings
        return (*(_state(reading) for reading in readings), self.reload.state())

    async def _probe(self, request: web.Request) -> web.Response:
        if self._prober is None:
            return web.Response(status=404, text="serve.probe lists no targets\n")
        return await self._prober.page(request)


def _state(reading: Reading) -> State:
    if reading.error:
        return State(reading.source, well=False, note="the log says why")
    note = f"{len(reading.samples)} series in {reading.seconds * 1000:.1f} ms"
    return State(reading.source, well=True, note=note)
