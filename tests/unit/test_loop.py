"""The loop over fakes of its seams: what it asks, decides and does, and what it never does."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from tidegauge.autoscale.policy import Policy
from tidegauge.catalog import control as catalog
from tidegauge.control.demand import DemandQuery
from tidegauge.control.fleet import face, targets
from tidegauge.control.loop import PoolLoop
from tidegauge.control.pools.pool import Failure, PoolError, Replica
from tidegauge.control.routes.route import Member, RouteError
from tidegauge.promql.decode import Answer, PromqlError, Series
from tidegauge.samples import Sample


class FakePool:
    """Replicas that are ready at once; a victim is gone at once."""

    def __init__(self) -> None:
        self.known: list[Replica] = []
        self.calls: list[str] = []
        self.broken: Exception | None = None
        self.remembered: int | None = None
        self.born = 0

    def adopt(self) -> None:
        self.calls.append("adopt")

    def wanted(self) -> int | None:
        return self.remembered

    async def replicas(self) -> Sequence[Replica]:
        if self.broken:
            raise self.broken
        return list(self.known)

    async def resize(self, size: int, *, victims: Collection[str] = ()) -> None:
        self.calls.append(f"resize {size}" + "".join(f" -{name}" for name in victims))
        self.known = [replica for replica in self.known if replica.name not in victims]
        while len(self.known) < size:
            self.born += 1
            name = f"r{self.born}"
            self.known.append(
                Replica(name, "serving", healthy=True, serve=f"{name}:1", scrape=f"{name}:2")
            )

    def failures(self) -> Mapping[Failure, int]:
        return {"died": 0, "unhealthy": 0, "start_timeout": 0}

    def restarts(self) -> Mapping[str, int]:
        return {"sidecar": 0}


class FakeRoute:
    def __init__(self) -> None:
        self.known: dict[str, Member] = {}
        self.calls: list[str] = []
        self.broken: set[str] = set()

    async def members(self) -> Sequence[Member]:
        self._check("members")
        return list(self.known.values())

    async def admit(self, name: str, address: str, backup: str = "") -> None:
        del backup
        self._check("admit")
        self.calls.append(f"admit {name}")
        self.known[name] = Member(name, address, "ready", up=True, connections=0)

    async def drain(self, name: str) -> None:
        self._check("drain")
        self.calls.append(f"drain {name}")
        self.known[name] = replace(self.known[name], state="drain")

    async def remove(self, name: str) -> None:
        self._check("remove")
        self.calls.append(f"remove {name}")
        self.known.pop(name, None)

    def _check(self, call: str) -> None:
        if call in self.broken:
            raise RouteError(f"haproxy.sock: {call} failed")


class FakePrometheus:
    """Answers by query; an exception is raised, None is an empty answer."""

    def __init__(self) -> None:
        self.answers: dict[str, float | PromqlError | None] = {"demand": 5.0, "reporting": 1.0}

    async def query(self, expression: str) -> Answer:
        answer = self.answers[expression]
        if isinstance(answer, PromqlError):
            raise answer
        return Answer(() if answer is None else (Series((), answer),))


class World:
    def __init__(self, *, dry_run: bool = False, down_seconds: float = 0) -> None:
        self.now = 1000.0
        self.pool, self.route, self.prometheus = FakePool(), FakeRoute(), FakePrometheus()
        query = DemandQuery(self.prometheus, pool="chat", demand="demand", reporting="reporting")
        self.loop = PoolLoop(
            "chat",
            policy=Policy(1, 3, capacity=10, down_stabilization_seconds=down_seconds),
            demand=query,
            pool=self.pool,
            route=self.route,
            interval_seconds=1,
            drain_cap_seconds=60,
            dry_run=dry_run,
            clock=lambda: self.now,
            wall_clock=lambda: self.now,
        )

    async def rounds(self, number: int, demand: float | PromqlError | None, reporting=3) -> None:
        self.prometheus.answers = {"demand": demand, "reporting": reporting}
        for _ in range(number):
            self.now += 1
            await self.loop.round()

    def value(self, metric, *labels: str) -> object:
        samples: Sequence[Sample] = face([self.loop]).samples()
        found = [s.value for s in samples if s.metric is metric and s.labels == ("chat", *labels)]
        return found[0] if found else None


async def test_one_to_three_to_one_in_order() -> None:
    world = World()
    await world.rounds(2, 5)
    await world.rounds(2, 25)
    await world.rounds(4, 5)
    assert world.route.calls == [
        "admit r1", "admit r2", "admit r3", "drain r3", "drain r2", "remove r2", "remove r3",
    ]  # fmt: skip
    assert "resize 1 -r2 -r3" in world.pool.calls
    assert [replica.name for replica in world.pool.known] == ["r1"]


@pytest.mark.parametrize(
    "answer,reason",
    [
        pytest.param(None, "empty", id="nothing"),
        pytest.param(float("nan"), "not_a_number", id="NaN"),
        pytest.param(PromqlError("timeout", "slow"), "timeout", id="slow"),
        pytest.param(PromqlError("unreachable", "down"), "unreachable", id="down"),
        pytest.param(PromqlError("partial", "a store"), "partial", id="partial"),
    ],
)
async def test_without_an_answer_the_pool_keeps_its_size(answer, reason: str) -> None:
    world = World()
    await world.rounds(3, 25)
    await world.rounds(5, answer)
    assert len(world.pool.known) == 3
    assert "drain" not in " ".join(world.route.calls)
    assert world.value(catalog.QUERY_ERRORS, reason) == 5
    assert world.value(catalog.DECISIONS, "hold", "demand_unknown") == 5
    assert world.value(catalog.DEMAND) is None
    assert world.value(catalog.DESIRED) == 3


async def test_a_restart_without_an_answer_keeps_the_size_that_was_asked_for_before() -> None:
    world = World()
    world.pool.remembered = 3
    await world.rounds(1, None)
    assert len(world.pool.known) == 3


async def test_what_nobody_foresaw_ends_a_round_and_not_the_controller() -> None:
    world = World()
    await world.rounds(1, 5)
    world.pool.broken = ZeroDivisionError("a bug")
    task = asyncio.create_task(world.loop.run())
    async with asyncio.timeout(20):
        while world.value(catalog.ACTION_ERRORS, "round") != 1:
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_less_than_nothing_is_no_demand() -> None:
    world = World()
    await world.rounds(3, 25)
    await world.rounds(3, -5)
    assert len(world.pool.known) == 3
    assert world.value(catalog.QUERY_ERRORS, "negative") == 3


async def test_too_few_replicas_reporting_never_shrink_a_pool() -> None:
    world = World()
    await world.rounds(3, 25)
    world.pool.known[0] = replace(world.pool.known[0], healthy=False)
    await world.rounds(3, 1, reporting=2)
    assert len(world.pool.known) == 3
    assert world.value(catalog.DECISIONS, "hold", "partial_data") == 3


async def test_a_mute_route_stops_nobody() -> None:
    world = World()
    await world.rounds(3, 25)
    world.route.broken = {"members"}
    await world.rounds(3, 5)
    assert len(world.pool.known) == 3
    assert world.value(catalog.ACTION_ERRORS, "observe") == 3


async def test_a_replica_that_cannot_be_taken_out_of_the_route_is_not_stopped() -> None:
    world = World()
    await world.rounds(3, 25)
    world.route.broken = {"remove"}
    await world.rounds(4, 5)
    assert len(world.pool.known) == 3
    world.route.broken = set()
    await world.rounds(2, 5)
    assert len(world.pool.known) == 1


async def test_a_pool_that_cannot_be_seen_is_left_alone_and_starts_its_window_over() -> None:
    world = World(down_seconds=5)
    await world.rounds(3, 25)
    await world.rounds(4, 5)
    world.pool.broken = PoolError("run: cannot be read")
    await world.rounds(3, 5)
    world.pool.broken = None
    await world.rounds(3, 5)
    assert world.value(catalog.DESIRED) == 3
    assert world.value(catalog.ACTION_ERRORS, "observe") == 3
    await world.rounds(4, 5)
    assert world.value(catalog.DESIRED) == 1


async def test_a_dry_run_decides_and_acts_on_nothing() -> None:
    world = World(dry_run=True)
    await world.rounds(3, 25)
    assert world.pool.calls == world.route.calls == []
    assert world.value(catalog.DRY_RUN) == 1
    assert world.value(catalog.DESIRED) == 3
    assert world.value(catalog.READY) == 0


async def test_ready_counts_who_is_healthy_and_receives_traffic() -> None:
    world = World()
    await world.rounds(3, 25)
    await world.rounds(1, 25)
    assert world.value(catalog.READY) == 3
    world.route.known["r1"] = replace(world.route.known["r1"], up=False)
    world.route.known["r2"] = replace(world.route.known["r2"], state="drain")
    await world.rounds(1, 25)
    assert world.value(catalog.READY) == 1


async def test_prometheus_finds_every_replica_that_is_not_stopping() -> None:
    world = World()
    assert targets([world.loop]) == []
    await world.rounds(3, 15)
    world.pool.known[1] = replace(world.pool.known[1], phase="stopping")
    await world.rounds(1, 15)
    assert targets([world.loop]) == [
        {"targets": ["r1:2"], "labels": {"pool": "chat", "replica": "r1"}}
    ]


async def test_every_series_exists_from_the_start_so_that_increase_sees_the_first() -> None:
    world = World()
    for metric, *labels in (
        (catalog.REPLICA_FAILURES, "died"),
        (catalog.PART_RESTARTS, "sidecar"),
        (catalog.DECISIONS, "up", "demand"),
        (catalog.QUERY_ERRORS, "timeout"),
        (catalog.ACTION_ERRORS, "resize"),
    ):
        assert world.value(metric, *labels) == 0
