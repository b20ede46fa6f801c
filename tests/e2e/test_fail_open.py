"""The sidecar is in the data path: what befalls it under load costs no request that comes after.

Real HAProxy, llama.cpp and `tidegauge serve`, whose engine is its backup as `tidegauge control`
sets it up.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from demo.program import Program, eventually
from tests.e2e.engine_fixture import RunningEngine, engine, quick_model
from tests.haproxy import free_port, haproxy
from tidegauge.control.routes.haproxy import HaproxyRoute

pytestmark = pytest.mark.e2e
__all__ = ["engine", "quick_model"]

REPLICA, OTHER = "chat-0000000a", "chat-0000000b"
CLIENTS = 8
LARGE = 60_000  # bytes of a request: more than fit into HAProxy's buffer as it comes


@dataclass(slots=True)
class Load:
    """Clients that ask one request after the other, streamed or not, each on a connection anew."""

    url: str
    done: bool = False
    well: list[float] = field(default_factory=list)  # when each began
    failed: list[tuple[float, str]] = field(default_factory=list)

    async def client(self, number: int) -> None:
        ask = {"model": "chat", "prompt": "the tide", "max_tokens": 24, "stream": number % 2 == 0}
        ask["padding"] = "x" * (LARGE if number % 4 > 1 else 0)
        while not self.done:
            began = time.monotonic()
            try:
                async with (
                    aiohttp.ClientSession() as session,
                    session.post(f"{self.url}/v1/completions", json=ask) as answer,
                ):
                    body = await answer.read()
                    whole = not ask["stream"] or body.rstrip().endswith(b"[DONE]")
                    how = "well" if answer.status == 200 and whole else f"status {answer.status}"
            except (aiohttp.ClientError, OSError) as error:
                how = type(error).__name__
            if how == "well":
                self.well.append(began)
            else:
                self.failed.append((began, how))

    def failed_after(self, then: float) -> list[tuple[float, str]]:
        """Of the requests that began after `then`: how many seconds after, and what happened."""
        return [(began - then, how) for began, how in self.failed if began > then]

    async def answers(self, number: int) -> None:
        """Wait until so many more requests have been answered that begin from now on."""
        since = time.monotonic()

        async def so() -> bool:
            return sum(began > since for began in self.well) >= number

        await eventually(so, seconds=30, what=f"{number} answers")


@asynccontextmanager
async def loading(url: str) -> AsyncIterator[Load]:
    load = Load(url)
    clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
    try:
        yield load
    finally:
        load.done = True
        await asyncio.gather(*clients)


@dataclass(frozen=True, slots=True)
class Sidecar:
    """`tidegauge serve` before an engine, at ports that it can be started at again."""

    folder: Path
    engine: str
    tap: str
    face: str

    async def start(self) -> Program:
        command = [
            *(sys.executable, "-m", "tidegauge.cli.main", "serve", "--engine", self.engine),
            *("--traffic.listen-address", self.tap, "--web.listen-address", self.face),
        ]
        program = await Program.start("serve", command, log=self.folder / "serve.log")
        await program.ready(f"http://{self.face}/-/ready", seconds=60)
        return program

    async def counted(self) -> float:
        """Requests that came by the tap, since its start."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self.face}/metrics") as page,
        ):
            lines = (await page.text()).splitlines()
        name = "llm_traffic_requests_started_total "
        return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))

    async def is_asked(self) -> bool:
        return await self.counted() > 0


async def test_a_sidecar_killed_under_load_loses_no_request_that_had_not_begun(
    tmp_path: Path, engine: RunningEngine
) -> None:
    tap, face = (f"127.0.0.1:{free_port()}" for _ in range(2))
    sidecar = Sidecar(tmp_path, engine.url, tap, face)
    async with haproxy(tmp_path) as real, AsyncExitStack() as programs:
        route = HaproxyRoute(real.socket, "chat", "chat", 0.2, 3)
        first = await sidecar.start()
        programs.push_async_callback(first.stop)
        await route.admit(REPLICA, tap, engine.url.removeprefix("http://"))
        async with loading(f"http://127.0.0.1:{real.port}") as load:
            await eventually(sidecar.is_asked, seconds=30, what="requests by the tap")
            await load.answers(3 * CLIENTS)
            os.kill(first.process.pid, signal.SIGKILL)
            killed = time.monotonic()
            await load.answers(5 * CLIENTS)  # of the bare engine
            assert [member.up for member in await route.members()] == [False]
            second = await sidecar.start()
            programs.push_async_callback(second.stop)
            await eventually(sidecar.is_asked, seconds=30, what="the tap in use again")
            await load.answers(2 * CLIENTS)
    assert load.failed_after(killed) == []
    assert len(load.failed) <= CLIENTS, "only what was under way at the kill"


async def test_a_sidecar_that_hangs_loses_no_request_and_is_left_for_another(
    tmp_path: Path, engine: RunningEngine
) -> None:
    backup = engine.url.removeprefix("http://")
    async with haproxy(tmp_path) as real, AsyncExitStack() as programs:
        route = HaproxyRoute(real.socket, "chat", "chat", 0.2, 3)
        addresses = [[f"127.0.0.1:{free_port()}" for _ in range(2)] for _ in range(2)]
        hangs, other = (Sidecar(tmp_path, engine.url, *each) for each in addresses)
        program, another = await asyncio.gather(hangs.start(), other.start())
        for name, sidecar, its in ((REPLICA, hangs, program), (OTHER, other, another)):
            programs.push_async_callback(its.stop)
            await route.admit(name, sidecar.tap, backup)
        url = f"http://127.0.0.1:{real.port}"
        async with loading(url) as before:
            await eventually(hangs.is_asked, seconds=30, what="requests by the tap")
            os.kill(program.process.pid, signal.SIGSTOP)
            stopped = time.monotonic()
            async with loading(url) as after:  # the clients before may all wait for what hangs
                await eventually(
                    lambda: _is_down(route, REPLICA), seconds=30, what="the check failing"
                )
                counted = await other.counted()
                await after.answers(3 * CLIENTS)

                async def is_asked_more(before: float = counted) -> bool:
                    return await other.counted() > before

                await eventually(
                    is_asked_more, seconds=30, what="no bare engine while there is a tap"
                )
                program.process.kill()  # as `tidegauge control` does, in time
    assert before.failed_after(stopped) == after.failed == []
    assert len(before.failed) <= CLIENTS, "only answers that had begun"


async def _is_down(route: HaproxyRoute, name: str) -> bool:
    return any(member.name == name and not member.up for member in await route.members())
