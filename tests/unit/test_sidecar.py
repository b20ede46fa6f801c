"""A sidecar that goes over to another plan while it serves: what goes on, and nothing is lost."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
import pytest
from aiohttp import web

from tests.haproxy import free_port
from tidegauge.catalog import Metric
from tidegauge.catalog.gpu import UP
from tidegauge.pipeline import Schedule
from tidegauge.samples import Sample
from tidegauge.server import (
    Around,
    Made,
    Part,
    Plan,
    PlanError,
    ProbeModule,
    ProbePlan,
    Sidecar,
    TapPlan,
)
from tidegauge.sources.source import Source
from tidegauge.sources.traffic import TrafficSource
from tidegauge.traffic.counting.ledger import Ledger
from tidegauge.traffic.labelling import Labelling
from tidegauge.web.listening import named_by

COUNT = Metric("tidegauge_test_reads_total", "counter", "Reads of a source.", ("source",))


class Counting:
    """A source that counts its reads, so that a new one of its kind shows."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reads = 0
        self.closed = False

    async def read(self) -> Sequence[Sample]:
        self.reads += 1
        return [Sample(COUNT, self.reads, (self.name,)), Sample(UP, 1, (self.name, "u"))]

    def unread(self) -> Sequence[Sample]:
        return ()

    async def close(self) -> None:
        self.closed = True


@dataclass
class Serving:
    """A sidecar, the plan that its next reload finds, and every source that was ever made."""

    plan: Plan
    made: list[Counting] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    mistakes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.sidecar = Sidecar(self.replan, tell=self.told.append)

    def replan(self) -> Plan:
        if self.mistakes:
            raise PlanError(self.mistakes)
        return self.plan

    def part(self, name: str, made_from: object) -> Part:
        def make(_: Around) -> Made:
            self.made.append(Counting(name))
            return Made(Schedule(self.made[-1], 0.005, 1))

        return Part(name, made_from, make)

    def tapped(self, address: str, upstream: str, *, connect_seconds: float = 1) -> Plan:
        """The plan with a tap at `address`, and what it measures."""
        chat = Labelling(frozenset({"chat"}))
        tap = TapPlan(address, upstream, chat, connect_seconds)
        return replace(self.plan, parts=(Part("traffic", None, traffic),), tap=tap)

    @property
    def url(self) -> str:
        return f"http://{self.plan.addresses[0]}"

    async def metrics(self) -> str:
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as got:
            return await got.text()

    async def shows(self, *lines: str) -> None:
        async with asyncio.timeout(20):
            while not set(lines) <= set((await self.metrics()).splitlines()):
                await asyncio.sleep(0.01)


def traffic(around: Around) -> Made:
    ledger = Ledger(["chat"])
    return Made(Schedule(TrafficSource(ledger, around.arrivals), 0.02, 1), ledger.add)


@asynccontextmanager
async def serving(plan: Plan | None = None) -> AsyncIterator[Serving]:
    it = Serving(plan or Plan((f"127.0.0.1:{free_port()}",)))
    task = asyncio.create_task(it.sidecar.run(it.plan))
    async with asyncio.timeout(20):
        while "ready" not in it.told:
            if task.done():
                task.result()
            await asyncio.sleep(0.005)
    try:
        yield it
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def upstream(
    name: str, release: asyncio.Event | None = None
) -> AsyncIterator[tuple[str, list[str]]]:
    """An engine that answers with its name, in two pieces between which it waits for `release`."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(name)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(f'data: {{"from": "{name}"}}\n\n'.encode())
        if release:
            await release.wait()
        await response.write(b"data: [DONE]\n\n")
        return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    finally:
        await runner.cleanup()


ASK = {"model": "chat", "prompt": "hello", "stream": True}


async def test_only_what_changed_is_rebuilt() -> None:
    async with serving() as it:
        parts = (it.part("kept", 1), it.part("changes", 1), it.part("leaves", 1))
        it.plan = replace(it.plan, parts=parts)
        assert await it.sidecar.reload() == ()
        await it.shows(*(f'llm_gpu_up{{gpu="{part.name}",uuid="u"}} 1' for part in parts))
        kept = it.made[0]
        it.plan = replace(it.plan, parts=(it.part("kept", 1), it.part("changes", 2)))
        before = kept.reads
        assert await it.sidecar.reload() == ()
        assert "leaves" not in await it.metrics()
        await it.shows('llm_gpu_up{gpu="kept",uuid="u"} 1', 'llm_gpu_up{gpu="changes",uuid="u"} 1')
        assert [source.name for source in it.made] == ["kept", "changes", "leaves", "changes"]
        assert [s.closed for s in it.made] == [False, True, True, False]
        assert kept.reads >= before
    assert all(source.closed for source in it.made), "the end closes what ran"


async def test_a_source_knows_which_one_it_takes_the_place_of() -> None:
    given: list[Source | None] = []

    def part(made_from: object) -> Part:
        def make(around: Around) -> Made:
            given.append(around.sources.get("one"))
            made.append(Counting("one"))
            return Made(Schedule(made[-1], 1, 1))

        return Part("one", made_from, make)

    made: list[Counting] = []
    async with serving() as it:
        for number in (1, 2, 3):
            it.plan = replace(it.plan, parts=(part(number),))
            assert await it.sidecar.reload() == ()
    assert given == [None, *made[:2]]


async def test_a_part_that_looks_at_another_is_never_left_with_one_that_is_gone() -> None:
    looked_at: list[Source] = []

    def looking(made_from: object) -> Part:
        def make(around: Around) -> Made:
            looked_at.append(around.sources["changes"])
            return Made(Schedule(Counting("looks"), 1, 1))

        return Part("looks", made_from, make)

    async with serving() as it:
        for number in (1, 1, 2):
            parts = (it.part("kept", 0), it.part("changes", number), looking(number))
            it.plan = replace(it.plan, parts=parts)
            assert await it.sidecar.reload() == ()
        assert looked_at == [source for source in it.made if source.name == "changes"]


async def test_a_mistake_keeps_everything_and_is_said_line_by_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as it, aiohttp.ClientSession() as session:
        it.plan = replace(it.plan, parts=(it.part("kept", 1),))
        await it.sidecar.reload()
        loaded = "tidegauge_config_last_reload_success_timestamp_seconds "
        (at,) = (line for line in (await it.metrics()).splitlines() if line.startswith(loaded))
        it.mistakes = ("serve.x: unknown key", "serve.y: unknown key")
        with caplog.at_level(logging.ERROR):
            async with session.post(f"{it.url}/-/reload") as response:
                assert response.status == 500
                said = await response.text()
        assert said == "configuration not reloaded:\nserve.x: unknown key\nserve.y: unknown key\n"
        assert [record.error for record in caplog.records] == list(it.mistakes)
        await it.shows("tidegauge_config_last_reload_successful 0", at)
        async with session.get(it.url) as response:
            landing = await response.text()
        assert "the log says why" in landing
        assert "serve.x" not in landing
        assert not it.made[0].closed
        it.mistakes = ()
        async with session.put(f"{it.url}/-/reload") as response:
            assert response.status == 200
        await it.shows("tidegauge_config_last_reload_successful 1")
        assert it.told == ["ready", *["reloading", "ready"] * 3]


async def test_a_bug_in_a_reload_is_a_failed_reload_and_no_more() -> None:
    async with serving() as it:

        def stumble(_: Around) -> Made:
            raise ZeroDivisionError("a bug")

        it.plan = replace(it.plan, parts=(it.part("kept", 1), Part("bad", 1, stumble)))
        assert await it.sidecar.reload() == ("internal error: ZeroDivisionError('a bug')",)
        await it.shows("tidegauge_config_last_reload_successful 0")
        assert "kept" not in await it.metrics(), "all of it, or nothing"


async def test_one_that_is_being_stopped_takes_no_other_plan() -> None:
    async with serving() as it:
        it.plan = replace(it.plan, parts=(it.part("new", 1),))
    assert await it.sidecar.reload() == ("tidegauge serve is being stopped",)
    assert it.made == []


async def test_the_landing_page_names_what_there_is_to_ask() -> None:
    def never(_: str) -> Source:
        raise AssertionError

    async with serving() as it, aiohttp.ClientSession() as session:

        async def landing() -> str:
            async with session.get(it.url) as response:
                return await response.text()

        async with session.get(f"{it.url}/probe", params={"target": "http://a"}) as response:
            assert response.status == 404
        assert '<a href="/probe">' not in await landing()
        modules = {"default": ProbeModule(never, 1)}
        probe = ProbePlan(1, frozenset({"http://b"}), modules, "default", 1)
        it.plan = replace(it.plan, probe=probe)
        assert await it.sidecar.reload() == ()
        assert '<a href="/probe">' in await landing()
        async with session.get(f"{it.url}/probe", params={"target": "http://a"}) as response:
            assert response.status == 403
        it.plan = replace(it.plan, probe=None)
        assert await it.sidecar.reload() == ()
        async with session.get(f"{it.url}/probe", params={"target": "http://b"}) as response:
            assert response.status == 404


async def test_an_address_is_opened_before_another_is_closed() -> None:
    async with serving() as it, aiohttp.ClientSession() as session:
        before = it.url
        async with session.get(before) as response:
            await response.read()  # a connection that is kept
        it.plan = replace(it.plan, addresses=(f"127.0.0.1:{free_port()}",))
        assert await it.sidecar.reload() == ()
        await it.shows("tidegauge_config_last_reload_successful 1")
        async with session.get(before) as response:
            assert response.status == 200, "an open connection goes on"
        async with aiohttp.ClientSession() as new:
            with pytest.raises(aiohttp.ClientConnectorError):
                await new.get(before)


@pytest.mark.parametrize("part", ["face", "tap"])
async def test_an_address_that_cannot_be_had_keeps_everything(part: str) -> None:
    async with upstream("a") as (engine, _), serving() as it:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            fine = f"127.0.0.1:{free_port()}"
            before = it.plan
            face, tap = (address, fine) if part == "face" else (fine, address)
            it.plan = Plan((face,), (it.part("new", 1),), TapPlan(tap, engine, Labelling(), 1))
            assert await it.sidecar.reload() == (
                f"cannot listen on {address}: Address already in use",
            )
        it.plan = before
        await it.shows("tidegauge_config_last_reload_successful 0")
        assert "new" not in await it.metrics()
        with socket.create_server(("127.0.0.1", int(fine.rpartition(":")[2]))):
            pass  # what was opened for nothing is closed again


async def test_reloads_under_load_lose_no_scrape() -> None:
    async with serving() as it:
        statuses: list[int] = []
        reloading = True

        async def scrape(session: aiohttp.ClientSession) -> None:
            while reloading:
                async with session.get(f"{it.url}/metrics") as response:
                    text = await response.text()
                    statuses.append(response.status)
                    # A part that every plan has is in every scrape, whatever is rebuilt.
                    assert 'source_up{source="kept"} 1' in text
                    assert 'source_up{source="changes"} 1' in text

        it.plan = replace(it.plan, parts=(it.part("kept", 0), it.part("changes", 0)))
        await it.sidecar.reload()
        await it.shows(*(f'tidegauge_source_up{{source="{n}"}} 1' for n in ("kept", "changes")))
        async with asyncio.TaskGroup() as group:
            keeping = aiohttp.ClientSession()
            closing = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
            tasks = [group.create_task(scrape(s)) for s in (keeping, closing) for _ in range(4)]
            for number in range(40):
                parts = (it.part("kept", 0), it.part("changes", number))
                more = (it.part("sometimes", 0),) if number % 3 else ()
                addresses = (it.plan.addresses[0],)
                if number % 2:
                    addresses += (f"127.0.0.1:{free_port()}",)
                it.plan = Plan(addresses, (*parts, *more))
                assert await it.sidecar.reload() == ()
                await asyncio.sleep(0.02)
            reloading = False
            await asyncio.wait(tasks)
            await keeping.close()
            await closing.close()
        kept = [source for source in it.made if source.name == "kept"]
    assert len(statuses) > 200
    assert set(statuses) == {200}
    assert len(kept) == 1


async def test_a_tap_turns_to_another_engine_and_what_is_under_way_ends_where_it_began() -> None:
    release = asyncio.Event()
    address, moved = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    async with (
        upstream("old", release) as (old, _),
        upstream("new") as (new, asked_new),
        serving() as it,
        aiohttp.ClientSession() as client,
    ):
        it.plan = it.tapped(address, old)
        assert await it.sidecar.reload() == ()
        async with client.post(f"http://{address}/v1/completions", json=ASK) as slow:
            await slow.content.readany()
            await it.shows("llm_traffic_requests_in_flight 1")
            it.plan = it.tapped(moved, new)
            assert await it.sidecar.reload() == ()
            async with client.post(f"http://{moved}/v1/completions", json=ASK) as quick:
                assert "new" in await quick.text()
            await it.shows(
                "llm_traffic_requests_in_flight 1",
                "llm_traffic_requests_started_total 2",
            )
            release.set()
            assert (await slow.content.read()).endswith(b"data: [DONE]\n\n")
        counted = 'llm_traffic_requests_total{model="chat",outcome="ok"} 2'
        await it.shows("llm_traffic_requests_in_flight 0", counted)
        assert len(asked_new) == 1


async def test_reloads_under_load_lose_no_tapped_request() -> None:
    address = f"127.0.0.1:{free_port()}"
    async with upstream("a") as (a, _), upstream("b") as (b, _), serving() as it:
        it.plan = it.tapped(address, a)
        await it.sidecar.reload()
        reloading, answers = True, 0

        async def ask(client: aiohttp.ClientSession) -> None:
            nonlocal answers
            while reloading:
                async with client.post(f"http://{address}/v1/completions", json=ASK) as got:
                    assert got.status == 200
                    assert (await got.read()).endswith(b"data: [DONE]\n\n")
                answers += 1

        async with aiohttp.ClientSession() as client, asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(client)) for _ in range(6)]
            for number in range(30):
                engine = b if number % 2 else a
                it.plan = it.tapped(address, engine, connect_seconds=1 + number)
                assert await it.sidecar.reload() == ()
                await asyncio.sleep(0.02)
            reloading = False
            await asyncio.wait(tasks)
        assert answers > 100
        done = 'llm_traffic_requests_total{model="chat",outcome="ok"}'
        await it.shows(f"{done} {answers}", f"llm_traffic_requests_started_total {answers}")


async def test_a_tap_that_is_taken_away_and_set_up_again() -> None:
    release = asyncio.Event()
    address = f"127.0.0.1:{free_port()}"
    async with upstream("a", release) as (engine, _), serving() as it:
        tapped = it.tapped(address, engine)
        bare, it.plan = it.plan, tapped
        await it.sidecar.reload()
        completions = f"http://{address}/v1/completions"
        async with aiohttp.ClientSession() as one, one.post(completions, json=ASK) as slow:
            await slow.content.readany()
            it.plan = bare
            assert await it.sidecar.reload() == ()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*address.split(":"))
            assert "llm_traffic" not in await it.metrics()
            it.plan = tapped
            assert await it.sidecar.reload() == ()
            release.set()
            assert (await slow.content.read()).endswith(b"data: [DONE]\n\n")
        async with aiohttp.ClientSession() as two, two.post(completions, json=ASK) as again:
            assert again.status == 200
            await it.shows("llm_traffic_requests_started_total 2")  # it goes on


async def test_each_address_that_is_listened_on_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = (f"127.0.0.1:{free_port()}" for _ in range(2))
    with caplog.at_level(logging.INFO):
        async with serving(Plan((first,))) as it:
            it.plan = Plan((first, second))
            assert await it.sidecar.reload() == ()
            assert await it.sidecar.reload() == ()
    said = [record for record in caplog.records if record.message == "listening"]
    assert [(record.address, record.tls) for record in said] == [(first, "off"), (second, "off")]


@pytest.mark.parametrize(
    "address, names",
    [
        pytest.param(":9470", {"0.0.0.0", "::"}, id="no host"),
        pytest.param("[::1]:9470", {"::1"}, id="IPv6"),
        pytest.param("127.0.0.1:9470", {"127.0.0.1"}, id="IPv4"),
    ],
)
async def test_an_address_without_a_host_is_every_address(address: str, names: set[str]) -> None:
    assert {name[0] for _, name in await named_by(address)} == names


async def test_what_was_made_for_a_plan_that_cannot_be_run_is_let_go() -> None:
    def unmakeable(_: Around) -> Made:
        raise OSError(98, "traffic.sock: another program listens there")

    async with serving() as it:
        it.plan = replace(it.plan, parts=(it.part("kept", 1),))
        assert await it.sidecar.reload() == ()
        it.plan = replace(
            it.plan, parts=(it.part("kept", 1), it.part("new", 1), Part("door", 1, unmakeable))
        )
        assert await it.sidecar.reload() == ("traffic.sock: another program listens there",)
        assert [(source.name, source.closed) for source in it.made] == [
            ("kept", False),
            ("new", True),
        ]
