"""Whatever bytes a client of the tap sends, nothing stays in flight, and the next one is served."""

import asyncio
import re
import threading
import time
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.properties.test_web_fuzz import HEADERS, LINE, METHODS, TOKEN, exchange, status
from tests.tapping import listening_tap, recording
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.proxying.proxy import Tap

BODY = b'{"model": "chat", "prompt": "hello", "stream": true}'
ASK = b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
PATHS = ("/", "/v1/completions", "/v1/chat/completions", "/v1/models", "/metrics")
FUZZED = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass
class Tapped:
    port: int
    arrivals: Arrivals
    exchanges: list[Exchange] = field(default_factory=list, repr=False)  # long, after a while

    def is_well(self) -> bool:
        close = ASK.replace(b"Host: a", b"Host: a\r\nConnection: close")
        return status(self.port, "POST", close) == 200


@pytest.fixture(scope="module")
def tapped() -> Iterator[Tapped]:
    """A tap before an engine that reads what it is sent, in a loop of its own."""
    begun, loop, made = threading.Event(), asyncio.new_event_loop(), list[Tapped]()
    ended = asyncio.Event()

    async def engine(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(text='data: {"choices": [{"text": "x"}]}\n\ndata: [DONE]\n\n')

    async def serve() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", engine)
        upstream = web.AppRunner(app, access_log=None)
        await upstream.setup()
        await web.TCPSite(upstream, "127.0.0.1", 0).start()
        exchanges: list[Exchange] = []
        port = upstream.addresses[0][1]
        arrivals = Arrivals()
        tap = Tap(
            f"http://127.0.0.1:{port}",
            recording(exchanges),
            clock=time.monotonic,
            arrivals=arrivals,
            labelling=Labelling(frozenset({"chat"})),
        )
        async with listening_tap(tap) as url:
            made.append(Tapped(int(url.rpartition(":")[2]), arrivals, exchanges))
            begun.set()
            await ended.wait()
        await upstream.cleanup()

    thread = threading.Thread(target=_run, args=(loop, serve()), daemon=True)
    thread.start()
    assert begun.wait(5)
    (it,) = made
    try:
        yield it
        for _ in range(500):  # what is heard comes a moment after its request has ended
            if not it.arrivals.in_flight and it.arrivals.started == len(it.exchanges):
                break
            time.sleep(0.02)
        assert it.arrivals.in_flight == 0, "whoever has left is in flight no more"
        assert it.arrivals.started == len(it.exchanges), "each completion is recorded once"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(10)


def _run(loop: asyncio.AbstractEventLoop, program: Coroutine[None, None, None]) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(program)
    loop.close()


@FUZZED
@given(
    method=st.one_of(st.sampled_from(METHODS), TOKEN),
    path=st.sampled_from(PATHS),
    headers=st.lists(
        st.tuples(st.one_of(st.sampled_from(HEADERS), TOKEN), LINE),
        max_size=6,
    ),
    body=st.one_of(st.binary(max_size=200), st.just(BODY), st.just(b"[" * 3000)),
)
def test_any_request_has_one_answer(
    tapped: Tapped, method: str, path: str, headers: list[tuple[str, bytes]], body: bytes
) -> None:
    lines = [
        b"%s %s HTTP/1.1" % (method.encode(), path.encode()),
        *(name.encode() + b": " + value for name, value in headers),
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    received = exchange(tapped.port, b"\r\n".join(lines) + b"\r\n\r\n" + body)
    assert received == b"" or re.match(rb"HTTP/1\.[01] [2345]\d\d ", received)
    assert not re.match(rb"HTTP/1\.[01] 500 ", received)
    assert b"Traceback" not in received
    assert tapped.is_well()


@FUZZED
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.integers(0, len(ASK)), st.integers(0, 20), st.binary(max_size=20)).map(
            lambda cut: ASK[: cut[0]] + cut[2] + ASK[cut[0] + cut[1] :]
        ),
        st.lists(st.just(ASK), max_size=20).map(b"".join),
    )
)
@example(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000)
@example(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n")
def test_any_bytes_leave_the_tap_well(tapped: Tapped, sent: bytes) -> None:
    received = exchange(tapped.port, sent)
    assert received == b"" or re.match(rb"HTTP/1\.[01] [2345]\d\d ", received)
    assert b"Traceback" not in received
    assert tapped.is_well()
