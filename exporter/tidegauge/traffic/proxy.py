"""The tap: a reverse proxy before one engine that hears completions as they pass.

Bytes are passed on as they come, in both directions, each at the speed of its reader. An answer
that the upstream left unfinished is never ended cleanly: the client's connection is cut, so that
a half answer can not pass for a whole one.
"""

import logging
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

import aiohttp
from aiohttp import web
from yarl import URL

from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.features import prompt_features
from tidegauge.traffic.headers import passed_on
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.quiet import facts_only
from tidegauge.traffic.wire import End, Wire, is_measured

# HAProxy takes header lines of 16 KiB; aiohttp's default of 8 KiB would refuse some of them.
_HEADER_LINE_BYTES = 64 << 10

# What aiohttp would add by itself: a client's request says only what the client said.
_NOT_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")

# The server answers `Expect: 100-continue` itself, before the body can pass through.
_NOT_TO_UPSTREAM = frozenset({"expect"})
# What an engine compresses can't be measured; engines behind a proxy on the same host hardly do.
_NOT_TO_MEASURED_UPSTREAM = _NOT_TO_UPSTREAM | {"accept-encoding"}


class Tap:
    """Passes every request on to `upstream` and records an `Exchange` for each completion.

    `upstream` is a base URL such as "http://127.0.0.1:8080". `record` is called once per
    completion, at its end, in the event loop; it must not block. `clock` is monotonic, in
    seconds. `arrivals` counts what begins and ends. Connecting may take
    `connect_seconds`; nothing else is limited in time, since a generation may take an hour.
    """

    def __init__(
        self,
        upstream: str,
        record: Callable[[Exchange], None],
        *,
        arrivals: Arrivals,
        clock: Callable[[], float],
        labelling: Labelling,
        connect_seconds: float = 5.0,
    ) -> None:
        self._upstream = upstream.rstrip("/")
        self._record = record
        self._clock = clock
        self._arrivals = arrivals
        self._labelling = labelling
        self._connect_seconds = connect_seconds
        self._session: aiohttp.ClientSession | None = None

    def turn(self, upstream: str, *, labelling: Labelling, connect_seconds: float) -> None:
        """Pass on elsewhere what begins from now on; what is under way ends where it began."""
        self._upstream = upstream.rstrip("/")
        self._labelling = labelling
        self._connect_seconds = connect_seconds

    async def session(self, _app: web.Application) -> AsyncIterator[None]:
        """Hold the upstream's client open while the application runs (a cleanup context).

        Every request gets a connection of its own: llama.cpp closes after each streamed answer
        without saying so, and up to 8 % of the requests on pooled connections failed.
        """
        self._session = aiohttp.ClientSession(
            auto_decompress=False,
            connector=aiohttp.TCPConnector(force_close=True, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            max_field_size=_HEADER_LINE_BYTES,
            max_line_size=_HEADER_LINE_BYTES,
            skip_auto_headers=_NOT_ADDED,
        )
        async with self._session:
            yield
        self._session = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request with what the upstream answers."""
        if not is_measured(request.method, request.path):
            response, _ = await self._forward(request, _Deaf(), without=_NOT_TO_UPSTREAM)
            return response
        wire = Wire(labelling=self._labelling, begun=self._clock())
        end: End = "aborted"  # what it is if the client's leaving cancels us
        self._arrivals.begin()
        try:
            response, end = await self._forward(request, wire, without=_NOT_TO_MEASURED_UPSTREAM)
        except Exception:
            end = "cut"  # our own failure, not the client's doing
            raise
        finally:
            self._arrivals.end()
            self._record(_with_features(wire.end(end, self._clock())))
        return response

    async def _forward(
        self, request: web.Request, listener: "_Listener", *, without: frozenset[str]
    ) -> tuple[web.StreamResponse, End]:
        try:
            upstream = await self._ask(request, listener, without=without)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return _refusal("the engine cannot be reached", "upstream_unreachable"), "unreachable"
        except (aiohttp.ClientError, OSError):
            return _refusal("the engine closed without an answer", "upstream_closed"), "cut"
        try:
            return await self._pass_answer(request, upstream, listener)
        finally:
            upstream.close()

    async def _ask(
        self, request: web.Request, listener: "_Listener", *, without: frozenset[str]
    ) -> aiohttp.ClientResponse:
        if self._session is None:
            raise RuntimeError("a Tap answers inside of tap_app, which holds its session")
        return await self._session.request(
            request.method,
            _target(self._upstream, request),
            headers=passed_on(request.headers, without=without),
            data=_body(request, listener) if request.body_exists else None,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_seconds),
        )

    async def _pass_answer(
        self, request: web.Request, upstream: aiohttp.ClientResponse, listener: "_Listener"
    ) -> tuple[web.StreamResponse, End]:
        listener.answer_head(
            upstream.status,
            content_type=upstream.headers.get("Content-Type", ""),
            content_encoding=upstream.headers.get("Content-Encoding", ""),
        )
        response = web.StreamResponse(
            status=upstream.status,
            reason=upstream.reason,
            headers=passed_on(upstream.headers, without=frozenset()),
        )
        with suppress(ConnectionError):  # the client has left
            await response.prepare(request)
            while piece := await _next_piece(upstream):
                listener.answer_piece(piece, self._clock())
                await response.write(piece)
            if piece is None:
                _hang_up(request)
                return response, "cut"
            await response.write_eof()
            return response, "complete"
        return response, "aborted"


def tap_app(tap: Tap) -> web.Application:
    """The tap as an application. Serve it with `tap_runner`, whose options it depends on."""
    app = web.Application()
    app.cleanup_ctx.append(tap.session)
    app.on_response_prepare.append(_no_server_name)
    app.router.add_route("*", "/{path:.*}", tap.answer)
    return app


def tap_runner(tap: Tap, *, shutdown_seconds: float = 60.0) -> web.AppRunner:
    """A runner with the options that a transparent tap needs.

    handler_cancellation passes a client's leaving on to the upstream; without auto_decompress
    off, aiohttp unpacks a compressed request body whose header still says that it is packed.
    Open answers get `shutdown_seconds` at `cleanup()`.
    """
    return web.AppRunner(
        tap_app(tap),
        access_log=None,
        logger=facts_only(logging.getLogger(f"{__name__}.server")),
        auto_decompress=False,
        handler_cancellation=True,
        max_field_size=_HEADER_LINE_BYTES,
        max_line_size=_HEADER_LINE_BYTES,
        shutdown_timeout=shutdown_seconds,
    )


def _with_features(ended: Ended) -> Exchange:
    return replace(ended.exchange, features=prompt_features((ended.texts.prompt,)))


class _Listener(Protocol):
    def request_piece(self, piece: bytes) -> None: ...
    def request_end(self) -> None: ...
    def answer_head(self, status: int, *, content_type: str, content_encoding: str) -> None: ...
    def answer_piece(self, piece: bytes, now: float) -> None: ...


class _Deaf:
    """Hears nothing: whatever is not a completion passes unmeasured."""

    def request_piece(self, piece: bytes) -> None: ...
    def request_end(self) -> None: ...
    def answer_head(self, status: int, *, content_type: str, content_encoding: str) -> None: ...
    def answer_piece(self, piece: bytes, now: float) -> None: ...


def _target(upstream: str, request: web.Request) -> URL:
    """The path and query as the client spelled them: encoding them anew could change them."""
    path = request.raw_path
    return URL(upstream + (path if path.startswith("/") else request.path_qs), encoded=True)


async def _body(request: web.Request, listener: _Listener) -> AsyncIterator[bytes]:
    async for piece in request.content.iter_any():
        listener.request_piece(piece)
        yield piece
    listener.request_end()


async def _next_piece(upstream: aiohttp.ClientResponse) -> bytes | None:
    """What has come of the answer, b"" at its end, None if the upstream left before it."""
    try:
        return await upstream.content.readany()
    except (aiohttp.ClientError, OSError):
        return None


def _hang_up(request: web.Request) -> None:
    """Close without the body's proper end; what was written before still goes out.

    To an HTTP/1.0 client a plain close is the body's proper end, so it gets a reset.
    """
    transport = request.transport
    if transport is None:
        return
    if request.version < aiohttp.HttpVersion11:
        at_once = struct.pack("ii", 1, 0)  # linger for 0 seconds: the kernel sends RST, not FIN
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.close()


def _refusal(message: str, kind: str) -> web.Response:
    """A 502 in OpenAI's error shape, which clients of completions know to read."""
    error = {"message": message, "type": kind, "param": None, "code": 502}
    return web.json_response({"error": error}, status=502)


async def _no_server_name(_request: web.Request, response: web.StreamResponse) -> None:
    """The answer is the engine's: aiohttp names itself where the engine named nobody."""
    if response.headers.get("Server") == aiohttp.http.SERVER_SOFTWARE:
        del response.headers["Server"]
