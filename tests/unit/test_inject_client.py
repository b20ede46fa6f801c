"""The client against a real server on loopback that answers well, badly, slowly or not at all."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import ClientSession, web

from tidegauge.inject.client import Client, Target, fresh_connections, is_http, is_loopback
from tidegauge.inject.plan import Planned
from tidegauge.inject.prompts import Prompt
from tidegauge.inject.result import Result

STREAMED = Planned(0.0, "chat", Prompt("How are you?", 3), stream=True)
WHOLE = replace(STREAMED, stream=False)
USAGE = {"prompt_tokens": 5, "completion_tokens": 3}
Answer = Callable[[web.Request, dict[str, object]], Awaitable[web.StreamResponse]]
Send = Callable[..., Awaitable[Result]]


def event(document: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


TOKEN = event({"choices": [{"delta": {"content": "la"}}]})
ROLE = event({"choices": [{"delta": {"role": "assistant", "content": None}}]})
LAST = event({"choices": [], "usage": USAGE})
DONE = b"data: [DONE]\n\n"


async def streams(request: web.Request, *blocks: bytes, gap: float = 0.0) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for block in blocks:
        await response.write(block)
        await asyncio.sleep(gap)
    return response


@pytest.fixture
async def send() -> AsyncIterator[Send]:
    """Starts a server that answers by the function given, sends one request, gives the result."""
    runners: list[web.AppRunner] = []

    async def serve_and_send(answer: Answer, planned: Planned, **target: object) -> Result:
        async def respond(request: web.Request) -> web.StreamResponse:
            return await answer(request, await request.json())

        app = web.Application()
        app.router.add_post("/{path:.*}", respond)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return await send_once(f"http://127.0.0.1:{port}", planned, **target)

    yield serve_and_send
    for runner in runners:
        await runner.cleanup()


async def send_once(url: str, planned: Planned, **target: object) -> Result:
    clock = asyncio.get_running_loop().time
    async with ClientSession(connector=fresh_connections()) as session:
        client = Client(session, Target(url, "chat-7b", **target), clock=clock, started=clock())
        return await client.send(planned)


async def test_a_whole_stream_is_ok_with_stated_tokens_and_time_to_first_content(
    send: Send,
) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return await streams(request, ROLE, TOKEN, TOKEN, LAST, DONE, gap=0.05)

    result = await send(answer, STREAMED)
    assert (result.outcome, result.status, result.tokens) == ("ok", 200, 3)
    assert result.first_token_seconds is not None
    assert 0.05 <= result.first_token_seconds <= result.duration_seconds - 0.1


async def test_without_usage_tokens_are_content_chunks_however_the_bytes_are_cut(
    send: Send,
) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        text = TOKEN + TOKEN + DONE
        return await streams(request, *(text[n : n + 7] for n in range(0, len(text), 7)))

    result = await send(answer, STREAMED)
    assert (result.outcome, result.tokens) == ("ok", 2)


async def test_a_whole_answer_is_ok(send: Send) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.json_response({"choices": [{"message": {"content": "la"}}], "usage": USAGE})

    result = await send(answer, WHOLE)
    assert (result.outcome, result.tokens, result.first_token_seconds) == ("ok", 3, None)


@pytest.mark.parametrize(
    "blocks",
    [
        pytest.param((TOKEN, TOKEN), id="ends without its end marker"),
        pytest.param((), id="ends before it begins"),
        pytest.param((TOKEN, b"data: {broken\n\n", DONE), id="an event that is garbage"),
        pytest.param((TOKEN, event({"error": {"message": "oom"}}), DONE), id="an error in it"),
    ],
)
async def test_a_stream_that_is_not_whole_is_cut(send: Send, blocks: tuple[bytes, ...]) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return await streams(request, *blocks)

    assert (await send(answer, STREAMED)).outcome == "cut"


async def test_a_connection_lost_in_mid_stream_is_cut(send: Send) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        response = await streams(request, TOKEN)
        assert request.transport is not None
        request.transport.abort()
        return response

    result = await send(answer, STREAMED)
    assert (result.outcome, result.status, result.tokens) == ("cut", 200, 1)


async def test_an_unstreamed_answer_of_garbage_is_cut(send: Send) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(text='{"choices": [')

    assert (await send(answer, WHOLE)).outcome == "cut"


@pytest.mark.parametrize("status", [307, 400, 429, 500, 503])
async def test_another_status_is_an_http_error_and_redirects_are_not_followed(
    send: Send, status: int
) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "http://127.0.0.1:9/"})

    result = await send(answer, STREAMED)
    assert (result.outcome, result.status) == ("http_error", status)


async def test_a_stall_is_a_timeout(send: Send) -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        return await streams(request, TOKEN, TOKEN, gap=5)

    result = await send(answer, STREAMED, timeout_seconds=0.2)
    assert result.outcome == "timeout"
    assert result.duration_seconds == pytest.approx(0.2, abs=0.3)


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = await send_once(f"http://127.0.0.1:{free.getsockname()[1]}", STREAMED)
    assert (result.outcome, result.status) == ("unreachable", None)


@pytest.mark.parametrize(
    "endpoint,path,asks",
    [
        (
            "chat",
            "/v1/chat/completions",
            ("messages", [{"role": "user", "content": "How are you?"}]),
        ),
        ("completions", "/v1/completions", ("prompt", "How are you?")),
    ],
)  # fmt: skip
async def test_what_is_asked(
    send: Send, endpoint: str, path: str, asks: tuple[str, object]
) -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        asked.append((request.path, body))
        return await streams(request, TOKEN, DONE)

    await send(answer, STREAMED, endpoint=endpoint, body={"ignore_eos": True, "max_tokens": 9})
    ((where, body),) = asked
    assert where == path
    assert body == {
        "model": "chat-7b",
        "stream": True,
        "stream_options": {"include_usage": True},
        "ignore_eos": True,
        "max_tokens": 9,
        asks[0]: asks[1],
    }


async def test_a_request_says_whose_it_is_where_the_plan_does(send: Send) -> None:
    asked: list[dict[str, object]] = []

    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        asked.append(body)
        return await streams(request, TOKEN, DONE)

    await send(answer, STREAMED)
    await send(answer, replace(STREAMED, user="user-1"))
    assert ["user" in body for body in asked] == [False, True]
    assert asked[1]["user"] == "user-1"


@pytest.mark.parametrize(
    "url,here",
    [
        ("http://127.0.0.1:8000", True),
        ("http://127.9.9.9", True),
        ("http://localhost:8000/v1", True),
        ("http://[::1]:8000", True),
        ("http://192.0.2.1:8000", False),
        ("http://0.0.0.0:8000", False),
        ("http://localhost.example:8000", False),
        ("http://127.0.0.1@example.org", False),
        ("http://127.0.0.1.example.org", False),
    ],
)
def test_only_loopback_is_this_machine(url: str, *, here: bool) -> None:
    assert is_loopback(url) == here


@pytest.mark.parametrize(
    "url,fine",
    [
        ("http://127.0.0.1:80", True),
        ("https://h", True),
        ("http://h:port", False),
        ("h:80", False),
        ("http://", False),
        ("http://[::1", False),
    ],
)
def test_only_http_urls_are_targets(url: str, *, fine: bool) -> None:
    assert is_http(url) == fine
