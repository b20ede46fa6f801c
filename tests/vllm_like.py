"""An application that answers completions as vLLM's does: Starlette, streams, and how it cancels.

vLLM 0.32 runs each handler as a task beside another that waits for the client to leave, and then
cancels the first; a stream is a StreamingResponse; errors are JSON.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tidegauge.traffic.middleware import App

Handler = Callable[[Request], Awaitable[Response]]
CHUNK_SECONDS = 0.005


def vllm_like() -> Starlette:
    """The application. A request says what it wants: `max_tokens`, `stream`, or to `break` it."""
    app = Starlette(
        routes=[
            Route("/v1/chat/completions", _with_cancellation(_chat), methods=["POST"]),
            Route("/health", _health),
        ]
    )
    app.add_middleware(BaseHTTPMiddleware, dispatch=_authenticated)
    return app


@asynccontextmanager
async def served(app: App, **options: object) -> AsyncIterator[str]:
    """The URL of uvicorn, which serves `app`."""
    config = uvicorn.Config(app, port=0, log_level="critical", **options)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task


async def _health(_: Request) -> Response:
    return Response()


async def _authenticated(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    if request.headers.get("Authorization") == "Bearer wrong":
        return JSONResponse({"error": "Unauthorized"}, status_code=401)
    return await call_next(request)


def _with_cancellation(handler: Handler) -> Handler:
    async def both(request: Request) -> Response:
        await request.body()
        answering = asyncio.create_task(handler(request))
        leaving = asyncio.create_task(_left(request))
        done, others = await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        return answering.result() if answering in done else JSONResponse(None)

    return both


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _chat(request: Request) -> Response:
    asked = await request.json()
    if asked.get("break") == "at once":
        raise RuntimeError("the engine is broken")
    if asked.get("model") != "chat":
        error = {"message": "no such model", "type": "NotFoundError", "code": 404}
        return JSONResponse({"error": error}, status_code=404)
    if asked.get("stream"):
        return StreamingResponse(_chunks(asked), media_type="text/event-stream")
    await asyncio.sleep(asked["max_tokens"] * CHUNK_SECONDS)
    return JSONResponse(
        {
            "id": "chatcmpl-1",
            "choices": [
                {"index": 0, "message": {"content": "a"}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": 5, "completion_tokens": asked["max_tokens"]},
        }
    )


async def _chunks(asked: dict[str, object]) -> AsyncIterator[str]:
    padding = "a" * int(str(asked.get("bytes", 1)))
    for number in range(int(str(asked["max_tokens"]))):
        if asked.get("break") == "later" and number == 3:
            raise RuntimeError("the engine is broken")
        delta = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": padding}}]}
        yield f"data: {json.dumps(delta)}\n\n"
        await asyncio.sleep(CHUNK_SECONDS)
    usage = {"prompt_tokens": 5, "completion_tokens": asked["max_tokens"]}
    yield f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n"
    yield "data: [DONE]\n\n"
