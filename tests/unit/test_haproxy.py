"""The route over a real HAProxy."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.haproxy import Haproxy, backend_server, haproxy
from tidegauge.control.routes.haproxy import HaproxyRoute
from tidegauge.control.routes.route import Member, RouteError


def route_to(real: Haproxy, backend: str = "chat") -> HaproxyRoute:
    return HaproxyRoute(real.socket, backend, check_interval_seconds=0.1, timeout_seconds=2)


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await check():
            await asyncio.sleep(0.05)


async def get(real: Haproxy, path: str = "/") -> str:
    url = f"http://127.0.0.1:{real.port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text() if response.ok else str(response.status)


async def test_a_server_is_admitted_checked_drained_and_removed(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real, backend_server("a") as address:
        route = route_to(real)
        assert await route.members() == []
        await route.admit("a", address)
        assert await route.members() == [Member("a", address, "ready", up=True, connections=0)]
        assert await get(real) == "a"
        slow = asyncio.create_task(get(real, "/slow"))

        async def busy() -> bool:
            return [member.connections for member in await route.members()] == [1]

        await until(busy)
        await route.drain("a")
        assert [member.state for member in await route.members()] == ["drain"]
        assert await slow == "a"

        async def idle() -> bool:
            return [member.connections for member in await route.members()] == [0]

        await until(idle)
        assert await get(real) == "503"
        await route.remove("a")
        assert await route.members() == []


async def test_admitting_is_idempotent_and_takes_a_server_back(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real, backend_server("a") as address:
        route = route_to(real)
        for _ in range(2):
            await route.admit("a", address)
        await route.drain("a")
        await route.admit("a", address)
        assert [member.state for member in await route.members()] == ["ready"]
        assert await get(real) == "a"


async def test_a_name_with_a_new_address_is_moved(tmp_path: Path) -> None:
    async with (
        haproxy(tmp_path) as real,
        backend_server("old") as old,
        backend_server("new") as new,
    ):
        route = route_to(real)
        await route.admit("a", old)
        await route.admit("a", new)
        assert [member.address for member in await route.members()] == [new]
        assert await get(real) == "new"


async def test_a_server_that_dies_is_seen_by_its_check(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real:
        route = route_to(real)
        async with backend_server("a") as address:
            await route.admit("a", address)

        async def down() -> bool:
            return [member.up for member in await route.members()] == [False]

        await until(down)


async def test_removing_cuts_off_what_is_still_under_way(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real, backend_server("a") as address:
        route = route_to(real)
        await route.admit("a", address)
        slow = asyncio.create_task(get(real, "/slow"))
        await asyncio.sleep(0.3)

        async def removed() -> bool:
            try:
                await route.remove("a")
            except RouteError:
                return False
            return True

        await until(removed)
        assert await route.members() == []
        await asyncio.wait([slow])


async def test_a_backend_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real:
        with pytest.raises(RouteError, match="No such backend"):
            await route_to(real, "nope").admit("a", "127.0.0.1:1")


async def test_a_missing_haproxy_is_one_error(tmp_path: Path) -> None:
    route = HaproxyRoute(tmp_path / "gone.sock", "chat", 1, 1)
    with pytest.raises(RouteError, match=r"gone\.sock: No such file"):
        await route.members()


async def test_a_mute_haproxy_is_one_error_in_time(tmp_path: Path) -> None:
    path = tmp_path / "mute.sock"

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    async with await asyncio.start_unix_server(say_nothing, path):
        with pytest.raises(RouteError, match=r"no answer within 0\.2 s"):
            await HaproxyRoute(path, "chat", 1, 0.2).members()
