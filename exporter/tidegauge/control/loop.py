"""The control loop of one pool: look, ask, decide, act; every round from what is true now.

Decisions are pure (autoscale.policy, control.plan); this module has the effects, and is the one
place where PoolError and RouteError end. What nobody foresaw ends a round here, and no more.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tidegauge.autoscale.policy import Decision, Memory, Policy, Seen, decide
from tidegauge.control.clock import since_boot
from tidegauge.control.demand import Demand, DemandQuery
from tidegauge.control.plan import Plan, plan
from tidegauge.control.pools.pool import Pool, PoolError, Replica
from tidegauge.control.routes.route import Member, Route, RouteError

logger = logging.getLogger(__name__)

ACTIONS = ("observe", "admit", "drain", "remove", "resize", "round")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round saw and decided; `at` is in Unix seconds."""

    at: float
    replicas: tuple[Replica, ...]
    members: tuple[Member, ...] | None
    draining: frozenset[str]
    demand: Demand
    decision: Decision

    @property
    def ready(self) -> int:
        return _ready(self.replicas, self.members)


class PoolLoop:
    """Keeps one pool at the size that its demand asks for."""

    def __init__(
        self,
        name: str,
        *,
        policy: Policy,
        demand: DemandQuery,
        pool: Pool,
        route: Route,
        interval_seconds: float,
        drain_cap_seconds: float,
        dry_run: bool = False,
        clock: Callable[[], float] = since_boot,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.policy = policy
        self.dry_run = dry_run
        self.last: Round | None = None
        self.decisions: Counter[tuple[str, str]] = Counter()
        self.action_errors: Counter[str] = Counter(dict.fromkeys(ACTIONS, 0))
        self._demand = demand
        self._pool = pool
        self._route = route
        self._interval = interval_seconds
        self._drain_cap = drain_cap_seconds
        self._clock = clock
        self._wall_clock = wall_clock
        self._size: int | None = None  # asked for last; None before the first round
        self._memory = Memory()
        self._draining: Mapping[str, float] = {}

    async def run(self) -> None:
        """Rounds until cancelled.

        Raises:
            PoolError: the pool cannot be taken charge of.
        """
        if not self.dry_run:
            self._pool.adopt()
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            try:
                await self.round()
            except Exception:  # a bug, or a world stranger than we thought: the next pool goes on
                logger.exception("round failed", extra={"pool": self.name})
                self.action_errors["round"] += 1
                self._memory = Memory()
            due = max(due + self._interval, loop.time())
            await asyncio.sleep(due - loop.time())

    async def round(self) -> None:
        """Look, ask, decide and act once."""
        try:
            replicas = tuple(await self._pool.replicas())
        except PoolError as error:
            self._failed("observe", error)
            self._memory = Memory()  # a window with a hole in it is not known whole
            return
        members = await self._members()
        demand = await self._demand.ask()
        decision = self._decide(replicas, members, demand)
        steps = plan(
            decision.replicas,
            replicas,
            members,
            self._draining,
            now=self._clock(),
            drain_cap_seconds=self._drain_cap,
        )
        leaving = frozenset(steps.draining)
        self.last = Round(self._wall_clock(), replicas, members, leaving, demand, decision)
        if not self.dry_run:
            self._size, self._draining = decision.replicas, steps.draining
            await self._act(steps)

    def failures(self) -> Mapping[str, int]:
        """Replicas lost, by reason."""
        return {str(reason): count for reason, count in self._pool.failures().items()}

    def restarts(self) -> Mapping[str, int]:
        """Processes started again while their replica served on, by part."""
        return self._pool.restarts()

    def query_errors(self) -> Mapping[str, int]:
        """Queries without a usable answer, by reason."""
        return {str(reason): count for reason, count in self._demand.errors().items()}

    async def _members(self) -> tuple[Member, ...] | None:
        try:
            return tuple(await self._route.members())
        except RouteError as error:
            self._failed("observe", error)
            return None

    def _decide(
        self, replicas: Sequence[Replica], members: Sequence[Member] | None, demand: Demand
    ) -> Decision:
        seen = Seen(
            now=self._clock(),
            replicas=self._size_before(replicas),
            ready=_ready(replicas, members),
            demand=demand.value,
            reporting=demand.reporting,
            expected=sum(replica.phase == "serving" for replica in replicas),
        )
        decision, self._memory = decide(self.policy, seen, self._memory)
        self.decisions[decision.direction, decision.reason] += 1
        details = {"pool": self.name, "replicas": decision.replicas, "why": decision.why}
        logger.info("dry run" if self.dry_run else "decision", extra=details)
        return decision

    def _size_before(self, replicas: Sequence[Replica]) -> int:
        """The size asked for last: by us, or before a restart by whoever was in charge."""
        if self._size is not None:
            return self._size
        active = sum(replica.phase != "stopping" for replica in replicas)
        return max(active, self._pool.wanted() or 0)

    async def _act(self, steps: Plan) -> None:
        """Take the steps; one that fails holds up what follows it and is tried again next round."""
        for name in steps.drain:
            await self._step("drain", self._route.drain(name))
        kept = {
            name
            for name in steps.remove
            if not await self._step("remove", self._route.remove(name))
        }
        victims = [name for name in steps.victims if name not in kept]
        size = steps.size + len(steps.victims) - len(victims)
        settled = await self._step("resize", self._pool.resize(size, victims=victims))
        for replica in steps.admit:
            # Who serves is recorded before it is sent anything: the pool must not forget it.
            if settled or replica.phase == "serving":
                admitted = self._route.admit(replica.name, replica.serve, replica.backup)
                await self._step("admit", admitted)

    async def _step(self, action: str, work: Awaitable[None]) -> bool:
        try:
            await work
        except (PoolError, RouteError) as error:
            self._failed(action, error)
            return False
        return True

    def _failed(self, action: str, error: PoolError | RouteError) -> None:
        self.action_errors[action] += 1
        details = {"pool": self.name, "action": action, "error": str(error)}
        logger.error("step failed", extra=details)


def _ready(replicas: Sequence[Replica], members: Sequence[Member] | None) -> int:
    """Replicas that are healthy and receive traffic; by their own word while the route is mute."""
    healthy = {r.name for r in replicas if r.phase == "serving" and r.healthy}
    if members is None:
        return len(healthy)
    return sum(m.name in healthy and m.up and m.state == "ready" for m in members)
