"""The middleware in a real ASGI server, before an application like vLLM's, and a real sidecar."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from demo.program import Program, eventually
from tests.asgi import Told
from tests.e2e.test_serve_reload import serving
from tests.vllm_like import served, vllm_like
from tidegauge.sources.middleware.listener import listen
from tidegauge.traffic.middleware import Tap

CONFIG = """
serve:
  gpu: {{enabled: false}}
  environment: {{enabled: false}}
  discovery: {{enabled: false}}
  traffic: {{models: [chat], socket: {socket}}}
"""
MESSAGES = [{"role": "user", "content": "How high is the tide?"}]


def ask(**more: object) -> dict[str, object]:
    return {"model": "chat", "messages": MESSAGES, "stream": True, "max_tokens": 5, **more}


@asynccontextmanager
async def clients(*, keep_alive: bool = True) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(force_close=not keep_alive)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def until(so: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return so()

    await eventually(holds, seconds=30, what="a condition")


@asynccontextmanager
async def heard() -> AsyncIterator[tuple[str, Told]]:
    """The application with the middleware, and what that tells."""
    told = Told()
    app = vllm_like()
    app.add_middleware(Tap, models=("chat",), sender=told)
    async with served(app) as url:
        yield f"{url}/v1/chat/completions", told
    assert (told.in_flight, told.streams, told.dropped) == (0, 0, 0)


async def test_answers_over_one_connection_are_those_of_the_bare_application() -> None:
    asked = [ask(), ask(stream=False), ask(model="nobody"), ask(bytes=70_000), ask(n=2)]
    async with served(vllm_like()) as bare, heard() as (url, told), clients() as session:
        for each in asked:
            answers = []
            for address in (f"{bare}/v1/chat/completions", url):
                async with session.post(address, json=each) as response:
                    answers.append((response.status, await response.read()))
            assert answers[0] == answers[1]
        await until(lambda: len(told.exchanges) == len(asked))
        ends = [(each.outcome, each.status, each.generation_tokens) for each in told.exchanges]
        assert ends == [
            ("ok", 200, 5),
            ("ok", 200, 5),
            ("client_error", 404, None),
            ("ok", 200, 5),
            ("ok", 200, 5),
        ]


@pytest.mark.parametrize(
    "asked,outcome,error",
    [
        pytest.param(ask(max_tokens=2000), "aborted", None, id="of a stream"),
        pytest.param(ask(max_tokens=2000, stream=False), "aborted", None, id="of a document"),
    ],
)
async def test_a_client_that_leaves(asked, outcome: str, error: str | None) -> None:
    async with heard() as (url, told), clients() as session:
        asking = asyncio.create_task(session.post(url, json=asked))
        await until(lambda: told.in_flight == 1)
        if asked["stream"]:
            response = await asking
            await response.content.readany()
            response.close()
        else:
            asking.cancel()
        await until(lambda: len(told.exchanges) == 1)
        assert (told.exchanges[0].outcome, told.exchanges[0].error) == (outcome, error)


async def test_an_application_that_breaks() -> None:
    async with heard() as (url, told), clients(keep_alive=False) as session:
        async with session.post(url, json=ask(**{"break": "at once"})) as response:
            assert response.status == 500
        async with session.post(url, json=ask(**{"break": "later"})) as response:
            with contextlib.suppress(aiohttp.ClientPayloadError):
                assert b"[DONE]" not in await response.read()
        await until(lambda: len(told.exchanges) == 2)
        ends = [(each.outcome, each.status, each.error) for each in told.exchanges]
        assert ends == [("server_error", 500, "internal"), ("cut", 200, "cut")]


async def test_a_refused_client_and_other_paths() -> None:
    async with heard() as (url, told), clients() as session:
        headers = {"Authorization": "Bearer wrong"}
        async with session.post(url, json=ask(), headers=headers) as response:
            assert response.status == 401
        async with session.get(url.replace("/v1/chat/completions", "/health")) as response:
            assert response.status == 200
        await until(lambda: len(told.exchanges) == 1)
        (refused,) = told.exchanges
        assert (refused.outcome, refused.status, refused.error) == ("client_error", 401, "auth")


async def test_a_slow_reader_gets_its_whole_answer() -> None:
    async with heard() as (url, told), clients() as session:
        async with session.post(url, json=ask(max_tokens=60, bytes=60_000)) as response:
            size = 0
            while piece := await response.content.readany():
                size += len(piece)
                await asyncio.sleep(0.002)
        assert size > 60 * 60_000
        await until(lambda: len(told.exchanges) == 1)
        assert (told.exchanges[0].outcome, told.exchanges[0].generation_tokens) == ("ok", 60)


async def shown(url: str) -> dict[str, float]:
    """The middleware's series, by name less its prefix."""
    async with clients(keep_alive=False) as session, session.get(f"{url}/metrics") as response:
        lines = (await response.text()).splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name.removeprefix("tidegauge_middleware_"): float(value) for name, _, value in pairs}


async def test_a_sidecar_that_is_killed_and_started_again_costs_no_answer(tmp_path: Path) -> None:
    socket = tmp_path / "traffic.sock"
    config = CONFIG.format(socket=socket)
    app = vllm_like()
    app.add_middleware(Tap, socket=str(socket))
    asked = 0

    async with served(app) as engine, clients() as session:

        async def answered(times: int) -> None:
            nonlocal asked
            asked += times
            url = f"{engine}/v1/chat/completions"
            for _ in range(times):
                async with session.post(url, json=ask(max_tokens=1)) as response:
                    assert (await response.read()).endswith(b"data: [DONE]\n\n")

        async def accounted(url: str, before: float) -> tuple[Program, float]:
            async def so() -> bool:
                now = await shown(url)
                return before + now["exchanges_total"] + now["dropped_total"] == asked

            await eventually(so, seconds=20, what=f"{asked} exchanges")
            return (await shown(url))["exchanges_total"]

        async with serving(tmp_path, config) as (program, url):
            await answered(30)
            first = await accounted(url, 0)
            assert first == 30
            os.kill(program.process.pid, 9)
            loading = asyncio.gather(*(answered(20) for _ in range(4)))
            await program.process.wait()
        assert socket.exists()
        async with serving(tmp_path, config) as (_, url):
            await loading
            await answered(10)
            await accounted(url, first)
            now = await shown(url)
            assert now["processes"] == 1
            assert now['llm_traffic_requests_total{model="chat",outcome="ok"}'] > 0
            assert now["llm_traffic_requests_in_flight"] == 0
        assert not socket.exists()


async def test_another_socket_or_other_models_need_no_restart(tmp_path: Path) -> None:
    sockets = [tmp_path / "one.sock", tmp_path / "two.sock"]
    app = vllm_like()
    app.add_middleware(Tap, socket=str(sockets[1]))
    async with (
        serving(tmp_path, CONFIG.format(socket=sockets[0])) as (_, url),
        served(app) as engine,
        clients() as session,
    ):

        async def answered() -> None:
            target = f"{engine}/v1/chat/completions"
            async with session.post(target, json=ask(max_tokens=1)) as response:
                await response.read()

        async def has(name: str, value: float) -> None:
            async def so() -> bool:
                return (await shown(url)).get(name) == value

            await eventually(so, seconds=20, what=f"{name} {value}")

        async def reload(config: str) -> None:
            (tmp_path / "tidegauge.yml").write_text(config)
            async with session.post(f"{url}/-/reload") as response:
                assert response.status in {200, 500}, await response.text()

        await answered()
        await reload(CONFIG.format(socket=sockets[1]))
        await has("exchanges_total", 1)
        assert not sockets[0].exists()
        inode = sockets[1].stat().st_ino
        await reload(CONFIG.format(socket=sockets[1]).replace("[chat]", "[chat, code]"))
        await answered()
        await has("exchanges_total", 2)
        await has("dropped_total", 0)
        assert sockets[1].stat().st_ino == inode
        await reload(CONFIG.format(socket=tmp_path / "none" / "three.sock"))
        await answered()
        await has("exchanges_total", 3)
        await has("tidegauge_config_last_reload_successful", 0)


async def test_a_path_that_another_sidecar_has_is_one_line(tmp_path: Path) -> None:
    socket = tmp_path / "traffic.sock"
    listener = listen(socket, mode=0o660)
    with pytest.raises(Exception, match="serve"):
        async with serving(tmp_path, CONFIG.format(socket=socket)):
            pass
    listener.close()
    said = (tmp_path / "serve.log").read_text()
    assert f"{socket}: another program listens there; stop it, or name another" in said
    assert "Traceback" not in said
