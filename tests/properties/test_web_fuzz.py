"""Whatever bytes arrive at the face, its answer is HTTP below 500, and the next one is served."""

import asyncio
import http.client
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.haproxy import free_port
from tidegauge.cli.serve import plan
from tidegauge.config.serve import ServeConfig
from tidegauge.server import Sidecar

INPUTS = ("/v1/exchanges", "/v1/feedback", "/v1/feedback/hooks/survey")
PATHS = ("/", "/metrics", "/probe", "/-/healthy", "/-/ready", "/-/reload", "/nowhere", *INPUTS)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI")
HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Connection",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Expect",
    "Host",
    "If-None-Match",
    "Range",
    "Sec-WebSocket-Key",
    "Transfer-Encoding",
    "Upgrade",
    "X-Prometheus-Scrape-Timeout-Seconds",
)
TOKEN = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=12)
LINE = st.binary(max_size=60).map(lambda raw: bytes(b for b in raw if b not in b"\r\n\0"))
SPOKEN = ("gzip", "application/openmetrics-text;q=0.5", "close", "websocket", "100-continue", "1e9")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The face of a sidecar in a loop of its own; its one probe target refuses connections."""
    config = ServeConfig.model_validate(
        {
            "listen_address": f"127.0.0.1:{free_port()}",
            "gpu": {"enabled": False},
            "probe": {"targets": ["http://127.0.0.1:1"]},
            "traffic": {"models": ["chat"]},
            "push": {},
            "feedback": {"webhooks": {"survey": {"id": "/id", "rating": "/rating"}}},
        }
    )
    ready, loop = threading.Event(), asyncio.new_event_loop()
    sidecar = Sidecar(lambda: plan(config), tell=lambda _: ready.set())
    running = loop.create_task(sidecar.run(plan(config)))

    def work() -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(running)
        except asyncio.CancelledError:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(5)
    try:
        yield sidecar.ports[0]
        assert connections(sidecar) == 0, "whoever has left holds nothing"
    finally:  # or the program would wait for the thread, and never say what failed
        loop.call_soon_threadsafe(running.cancel)
        thread.join(10)


def connections(sidecar: Sidecar) -> int:
    server = sidecar._front._runner.server
    assert server
    for _ in range(500):  # one that left in the middle of a body is let go after 2 s
        if not server.connections:
            break
        time.sleep(0.02)
    return len(server.connections)


def exchange(port: int, sent: bytes) -> bytes:
    """Everything that comes back until the server closes; we say that we have no more."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while piece := client.recv(1 << 16):
                received += piece
        except ConnectionResetError:
            pass
        return received


def status(port: int, method: str, sent: bytes) -> int:
    """The status of the one answer to a request; http.client judges whether it is well formed."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(sent)
        response = http.client.HTTPResponse(client, method=method)
        response.begin()
        response.read()
        return response.status


def alive(port: int) -> bool:
    request = b"GET /-/healthy HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    return status(port, "GET", request) == 200


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    method=st.one_of(st.sampled_from(METHODS), TOKEN),
    path=st.sampled_from(PATHS),
    more=st.binary(max_size=30).map(lambda raw: bytes(b for b in raw if b > 32 and b != 127)),
    query=st.lists(
        st.tuples(st.sampled_from(["name[]", "target", "module", "x"]), TOKEN), max_size=4
    ),
    headers=st.lists(
        st.tuples(
            st.one_of(st.sampled_from(HEADERS), TOKEN),
            st.one_of(LINE, st.sampled_from(SPOKEN).map(str.encode)),
        ),
        max_size=6,
    ),
    body=st.binary(max_size=200),
)
@example(
    method="GET",
    path="/probe",
    more=b"",
    query=[("target", "http://127.0.0.1:1"), ("module", "default")],
    headers=[("X-Prometheus-Scrape-Timeout-Seconds", b"1e-9")],
    body=b"",
)
@example(method="POST", path="/-/reload", more=b"", query=[], headers=[], body=b"x" * 200)
def test_any_request_has_an_answer_below_500(
    port: int,
    method: str,
    path: str,
    more: bytes,
    query: Sequence[tuple[str, str]],
    headers: Sequence[tuple[str, bytes]],
    body: bytes,
) -> None:
    asked = "&".join(f"{key}={value}" for key, value in query)
    lines = [
        b"%s %s%s?%s HTTP/1.1" % (method.encode(), path.encode(), more, asked.encode()),
        *(name.encode() + b": " + value for name, value in headers),
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    sent = b"\r\n".join(lines) + b"\r\n\r\n" + body
    assert 200 <= status(port, method, sent) < 500
    assert alive(port)


BODIES = (
    b'{"id": "a", "duration_seconds": 1, "model": "chat", "gaps_seconds": [0.1, 1e3]}',
    b'[{"id": "a", "thumb": "up"}, {"id": "b", "rating": 3}]',
    b'{"id": "a", "rating": "4"}\n{"id": "a", "rating": 4}\n',
    b'{"id": "a", "prompt": "\\ud83c\\udf0a \xc3\xa9", "duration_seconds": 0}',
)
KINDS = (b"application/json", b"application/x-ndjson", b"application/json; charset=utf-16", b"a/b")


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    path=st.sampled_from(INPUTS),
    kind=st.sampled_from(KINDS),
    encoding=st.sampled_from([b"identity", b"gzip", b"deflate", b"br"]),
    body=st.one_of(
        st.binary(max_size=300),
        st.sampled_from(BODIES),
        st.tuples(
            st.sampled_from(BODIES), st.integers(0, 90), st.integers(0, 9), st.binary(max_size=9)
        ).map(lambda cut: cut[0][: cut[1]] + cut[3] + cut[0][cut[1] + cut[2] :]),
    ),
)
@example(path=INPUTS[0], kind=KINDS[0], encoding=b"identity", body=b"[" * 100_000)
@example(path=INPUTS[0], kind=KINDS[0], encoding=b"identity", body=b"9" * 100_000)
@example(path=INPUTS[1], kind=KINDS[1], encoding=b"identity", body=b"1\n" * 50_000)
@example(path=INPUTS[1], kind=KINDS[0], encoding=b"identity", body=b'{"id": NaN, "thumb": "up"}')
@example(
    path=INPUTS[2], kind=KINDS[0], encoding=b"identity", body=b'{"id": "\\ud800", "rating": 1}'
)
def test_any_body_of_an_input_has_an_answer_below_500(
    port: int, path: str, kind: bytes, encoding: bytes, body: bytes
) -> None:
    lines = [
        b"POST %s HTTP/1.1" % path.encode(),
        b"Host: a",
        b"Content-Type: " + kind,
        b"Content-Encoding: " + encoding,
        b"Content-Length: %d" % len(body),
        b"Connection: close",
    ]
    sent = b"\r\n".join(lines) + b"\r\n\r\n" + body
    assert status(port, "POST", sent) in (200, 400, 413, 415, 429)


VALID = b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.integers(0, len(VALID)), st.integers(0, 20), st.binary(max_size=20)).map(
            lambda cut: VALID[: cut[0]] + cut[2] + VALID[cut[0] + cut[1] :]
        ),
        st.lists(st.just(VALID), max_size=50).map(b"".join),
    )
)
@example(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # a client that takes us for TLS
@example(b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 5000)
@example(b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n")
def test_any_bytes_leave_the_server_well(port: int, sent: bytes) -> None:
    received = exchange(port, sent)
    assert received == b"" or re.match(rb"HTTP/\d\.\d [234]\d\d ", received)
    assert not re.search(rb"HTTP/\d\.\d 5\d\d ", received)
    assert b"Traceback" not in received
    assert alive(port)
