"""The route over a real HAProxy."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.haproxy import Haproxy, backend_server, free_port, haproxy
from tidegauge.control.routes.haproxy import HaproxyRoute
from tidegauge.control.routes.route import Member, RouteError

A = "chat-0000000a"


def route_to(real: Haproxy, backend: str = "chat") -> HaproxyRoute:
    return HaproxyRoute(real.socket, backend, "chat", check_interval_seconds=0.1, timeout_seconds=2)


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
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
        await route.admit(A, address)
        assert await route.members() == [Member(A, address, "ready", up=True, connections=0)]
        assert await get(real) == "a"
        slow = asyncio.create_task(get(real, "/slow"))

        async def busy() -> bool:
            return [member.connections for member in await route.members()] == [1]

        await until(busy)
        await route.drain(A)
        assert [member.state for member in await route.members()] == ["drain"]
        assert await slow == "a"

        async def idle() -> bool:
            return [member.connections for member in await route.members()] == [0]

        await until(idle)
        assert await get(real) == "503"
        await route.remove(A)
        assert await route.members() == []


async def test_admitting_is_idempotent_and_takes_a_server_back(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real, backend_server("a") as address:
        route = route_to(real)
        for _ in range(2):
            await route.admit(A, address)
        await route.drain(A)
        await route.admit(A, address)
        assert [member.state for member in await route.members()] == ["ready"]
        assert await get(real) == "a"


async def test_a_name_with_a_new_address_is_moved(tmp_path: Path) -> None:
    async with (
        haproxy(tmp_path) as real,
        backend_server("old") as old,
        backend_server("new") as new,
    ):
        route = route_to(real)
        await route.admit(A, old)
        await route.admit(A, new)
        assert [member.address for member in await route.members()] == [new]
        assert await get(real) == "new"


async def test_no_request_fails_while_the_backup_takes_over_and_hands_back(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real, backend_server("bare") as bare:
        route = route_to(real)
        port = free_port()
        answers: list[str] = []

        async def until_from(server: str) -> None:
            async def so() -> bool:
                answers.append(await get(real))
                return answers[-1] == server

            await until(so)

        async with backend_server("tap", port) as tap:
            await route.admit(A, tap, bare)
            await until_from("tap")
        await until_from("bare")
        assert [member.up for member in await route.members()] == [False]
        async with backend_server("tap", port):
            await until_from("tap")
        assert set(answers) == {"tap", "bare"}, "no request failed"


async def test_a_backup_comes_and_goes_with_its_replica(tmp_path: Path) -> None:
    async with (
        haproxy(tmp_path) as real,
        backend_server("tap") as tap,
        backend_server("bare") as bare,
        backend_server("other") as other,
    ):
        route = route_to(real)
        for _ in range(2):
            await route.admit(A, tap, bare)
        assert [(m.name, m.address) for m in await route.members()] == [(A, tap)]
        await route.admit(A, tap, other)  # it has moved
        await route.drain(A)
        assert await get(real) == "503", "a backup of what drains gets nothing new"
        await route.remove(A)
        assert await route.members() == []
        await route.remove(A)


async def test_a_removal_that_fails_half_way_is_tried_again(tmp_path: Path) -> None:
    async with (
        haproxy(tmp_path) as real,
        backend_server("tap") as tap,
        backend_server("bare") as bare,
    ):
        route = route_to(real)
        await route.admit(A, tap, bare)
        for command in ("set server chat/{} state maint", "del server chat/{}"):
            await route._do(command.format(f"{A}-backup"))
        assert [member.name for member in await route.members()] == [A]
        await route.remove(A)
        await route.admit(A, tap, bare)
        for command in ("set server chat/{} state maint", "del server chat/{}"):
            await route._do(command.format(A))
        (left,) = await route.members()
        assert (left.name, left.state, left.up) == (A, "maint", False)
        await route.admit(A, tap, bare)
        assert [member.state for member in await route.members()] == ["ready"]


async def test_a_server_that_dies_is_seen_by_its_check(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real:
        route = route_to(real)
        async with backend_server("a") as address:
            await route.admit(A, address)

        async def down() -> bool:
            return [member.up for member in await route.members()] == [False]

        await until(down)


async def test_removing_cuts_off_what_is_still_under_way(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real, backend_server("a") as address:
        route = route_to(real)
        await route.admit(A, address)
        slow = asyncio.create_task(get(real, "/slow"))
        await asyncio.sleep(0.3)

        async def removed() -> bool:
            try:
                await route.remove(A)
            except RouteError:
                return False
            return True

        await until(removed)
        assert await route.members() == []
        await asyncio.wait([slow])


async def test_a_backend_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real:
        with pytest.raises(RouteError, match="there is no backend 'nope'"):
            await route_to(real, "nope").members()


@pytest.mark.parametrize("kept", [-2, -1, 60, 200, 0])
async def test_half_an_answer_is_no_answer(tmp_path: Path, kept: int) -> None:
    async with haproxy(tmp_path) as real, backend_server("a") as address:
        await route_to(real).admit(A, address)
        reader, writer = await asyncio.open_unix_connection(real.socket)
        writer.write(b"show stat -1 6 -1\n")
        whole = await reader.read()
        writer.close()
        await writer.wait_closed()
    left = asyncio.Event()

    async def say_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(whole[:kept])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        left.set()

    path = tmp_path / "half.sock"
    async with await asyncio.start_unix_server(say_half, path), asyncio.timeout(20):
        with pytest.raises(RouteError, match="half an answer"):
            await HaproxyRoute(path, "chat", "chat", 1, 1).members()
        await left.wait()


async def test_servers_that_are_no_replicas_of_the_pool_are_left_alone(tmp_path: Path) -> None:
    async with haproxy(tmp_path) as real, backend_server("a") as address:
        route = route_to(real)
        for name in ("static", "chat-1", "chat-0000000g", "mychat-0000000a"):
            await route.admit(name, address)
        assert await route.members() == []
        await route.admit(A, address)
        assert [member.name for member in await route.members()] == [A]


async def test_a_missing_haproxy_is_one_error(tmp_path: Path) -> None:
    route = HaproxyRoute(tmp_path / "gone.sock", "chat", "chat", 1, 1)
    with pytest.raises(RouteError, match=r"gone\.sock: No such file"):
        await route.members()


async def test_a_mute_haproxy_is_one_error_in_time(tmp_path: Path) -> None:
    path = tmp_path / "mute.sock"

    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_unix_server(say_nothing, path), asyncio.timeout(20):
        with pytest.raises(RouteError, match=r"no answer within 0\.2 s"):
            await HaproxyRoute(path, "chat", "chat", 1, 0.2).members()
        await left.wait()
