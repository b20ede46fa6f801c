"""The proxy of a real `tidegauge serve` before real llama.cpp, and clients of every manner."""

import asyncio
import http.client
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.engine_fixture import (
    RunningEngine,
    quick_model,
    running_engine,
    wait_until_answers,
)
from tests.haproxy import free_port
from tests.tapping import raw_tap

pytestmark = pytest.mark.e2e
__all__ = ["quick_model"]

PATH = "/v1/completions"
CONTEXT = 32_768
LONG = CONTEXT - 100  # tokens: half a minute of this engine's time
JSON = {"Content-Type": "application/json"}
LARGE = 100 << 20
TIMEOUT_SECONDS = 60
SERVE_YML = """\
serve:
  gpu: {{enabled: false}}
  discovery: {{enabled: false}}
  environment: {{enabled: false}}
  traffic: {{models: [chat], listen_address: "127.0.0.1:{port}", upstream: "{engine}"}}
"""


def ask(tokens: int, *, stream: bool) -> bytes:
    asked = {"model": "chat", "prompt": "tide", "max_tokens": tokens, "ignore_eos": True}
    return json.dumps({**asked, "stream": stream}).encode()


@dataclass(frozen=True, slots=True)
class Stand:
    """An engine, and a sidecar with a tap before it."""

    engine: RunningEngine
    process: subprocess.Popen[str]
    port: int
    face: str

    def client(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS))

    def raw(self, *, version: str = "1.1", body: bytes, window: int = 0) -> socket.socket:
        """A connection that has asked; `window`: what its kernel takes before it is read."""
        raw = socket.socket()
        if window:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        raw.settimeout(TIMEOUT_SECONDS)
        raw.connect(("127.0.0.1", self.port))
        raw.sendall(request(body, version=version))
        return raw

    def counted(self, outcome: str) -> float:
        """Requests that the sidecar says ended so."""
        return series(f"{self.face}/metrics", "llm_traffic_requests_total", f'outcome="{outcome}"')

    def peak_memory(self) -> int:
        """The most that the sidecar ever had, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) << 10


def request(body: bytes, *, version: str = "1.1") -> bytes:
    head = f"POST {PATH} HTTP/{version}\r\nHost: a\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def series(url: str, name: str, *labels: str) -> float:
    """The sum of those series of a page that have these labels."""
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as page:
        lines = page.read().decode().splitlines()
    ours = [line for line in lines if re.match(rf"{name}[ {{]", line)]
    return sum(float(line.split()[-1]) for line in ours if all(each in line for each in labels))


def becomes(value: Callable[[], float], wanted: float) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while (found := value()) != wanted:
        assert time.monotonic() < deadline, f"still {found}, not {wanted}"
        time.sleep(0.05)


def read_until(raw: socket.socket, mark: bytes) -> bytes:
    received = b""
    while mark not in received and (data := raw.recv(1 << 16)):
        received += data
    assert mark in received
    return received


@contextmanager
def serving(folder: Path, engine: RunningEngine) -> Iterator[Stand]:
    port, face = free_port(), f"127.0.0.1:{free_port()}"
    config = folder / "serve.yml"
    config.write_text(SERVE_YML.format(port=port, engine=engine.url))
    command = [sys.executable, "-m", "tidegauge.cli.main", "serve", "--config.file", str(config)]
    with (folder / "serve.log").open("w") as log:
        process = subprocess.Popen(
            [*command, "--web.listen-address", face], stderr=log, stdout=log, text=True
        )
    try:
        wait_until_answers(f"http://{face}/-/ready", process)
        yield Stand(engine, process, port, f"http://{face}")
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def stand(quick_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    options = ("--allowance", "none", "--alias", "chat", "--context", str(CONTEXT))
    with (
        running_engine(quick_model, *options) as engine,
        serving(tmp_path_factory.mktemp("serve"), engine) as stand,
    ):
        yield stand


def test_one_connection_carries_every_request_although_the_engine_closes_its_own(
    stand: Stand,
) -> None:
    before = stand.counted("ok")
    with stand.client() as client:
        client.connect()
        kept = client.sock
        for number in range(20):
            stream = number % 2 == 0
            client.request("POST", PATH, ask(3, stream=stream), JSON)
            answer = client.getresponse()
            body = answer.read()
            assert answer.status == 200
            assert body.endswith(b"data: [DONE]\n\n") if stream else json.loads(body)
            assert client.sock is kept
    becomes(lambda: stand.counted("ok"), before + 20)


def test_an_http_1_0_client_gets_a_stream_without_chunks_that_ends_with_the_connection(
    stand: Stand,
) -> None:
    before = stand.counted("ok")
    with stand.raw(version="1.0", body=ask(5, stream=True)) as raw:
        received = b""
        while data := raw.recv(1 << 16):
            received += data
    head, _, events = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert b"Connection: close" in head
    assert events.startswith(b"data: {")
    assert events.endswith(b"data: [DONE]\n\n")
    assert all(json.loads(event) for event in re.findall(rb"data: (\{.*\})\n\n", events))
    becomes(lambda: stand.counted("ok"), before + 1)


def test_a_slow_reader_gets_its_whole_stream_and_keeps_nobody_waiting(stand: Stand) -> None:
    before = stand.counted("ok")
    with stand.raw(body=ask(500, stream=True), window=4096) as slow:
        received = read_until(slow, b"data: {")
        for _ in range(5):
            with stand.client() as client:
                client.request("POST", PATH, ask(3, stream=False), JSON)
                with client.getresponse() as answer:
                    assert answer.status == 200
            received += slow.recv(512)
        while not received.endswith(b"\r\n0\r\n\r\n"):
            time.sleep(0.005)
            received += slow.recv(2048)
    becomes(lambda: stand.counted("ok"), before + 5 + 1)
    assert b"data: [DONE]" in received
    last = re.findall(rb"data: (\{.*\})\n\n", received)[-1]
    assert json.loads(last)["timings"]["predicted_n"] == 500


@pytest.mark.parametrize("stream", [True, False])
def test_the_engine_ends_with_a_client_that_leaves(stand: Stand, stream: bool) -> None:  # noqa: FBT001
    metrics = f"{stand.engine.url}/metrics"
    predicted = series(metrics, "llamacpp:tokens_predicted_total")
    before = stand.counted("aborted")
    with stand.raw(body=ask(LONG, stream=stream)) as raw:
        if stream:
            read_until(raw, b"data: {")
        else:
            becomes(lambda: series(metrics, "llamacpp:requests_processing"), 1)
    becomes(lambda: stand.counted("aborted"), before + 1)
    becomes(lambda: series(metrics, "llamacpp:requests_processing"), 0)
    assert series(metrics, "llamacpp:tokens_predicted_total") - predicted < LONG


@pytest.mark.parametrize(
    "path, kind, status",
    [
        (PATH, "application/x-www-form-urlencoded", 413),  # once it has read all of it
        ("/v1/nothing", "application/json", 404),  # and closes on what it has not read
    ],
)
def test_100_megabytes_pass_and_the_refusal_comes_back(
    stand: Stand, path: str, kind: str, status: int
) -> None:
    before = stand.peak_memory()
    with stand.client() as client:
        client.request("POST", path, bytes(LARGE), {"Content-Type": kind})
        with client.getresponse() as answer:
            assert answer.status == status
            assert answer.headers["Server"] == "llama.cpp"
    assert stand.peak_memory() - before < LARGE // 4


async def rest_of(reader: asyncio.StreamReader) -> bytes | None:
    """All that still comes; None if the connection is reset."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        try:
            return await reader.read()
        except ConnectionResetError:
            return None


async def test_streams_whose_engine_dies_are_cut_and_look_cut(quick_model: Path) -> None:
    options = ("--allowance", "none", "--alias", "chat", "--context", str(CONTEXT))
    body = ask(LONG, stream=True)
    with running_engine(quick_model, *options) as engine:
        async with raw_tap(engine.url) as tap:
            new, _ = await tap.connect(request(body))
            old, _ = await tap.connect(request(body, version="1.0"))
            for reader in (new, old):
                await reader.readuntil(b"data: {")
            engine.process.kill()
            assert await rest_of(old) is None, "for HTTP/1.0 a plain close would be the end"
            rest = await rest_of(new)
            assert rest is None or not rest.endswith(b"0\r\n\r\n")
    assert [(each.outcome, each.error) for each in tap.exchanges] == [("cut", "cut")] * 2
