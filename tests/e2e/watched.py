"""A real `tidegauge serve` with every door open, of which every byte that it says is kept."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.typedefs import Handler

from demo.program import answers, eventually
from tests.e2e import marked
from tests.otlp import JSON
from tidegauge.cli.reference.building import from_lines
from tidegauge.drift.reference_text import dump

SERVE = [sys.executable, "-m", "tidegauge.cli.main", "serve"]
SECRET = "a-secret-that-two-share"


@dataclass(slots=True)
class Sidecar:
    """The program, and all that it was seen to say: where, and the bytes."""

    folder: Path
    face: str
    tap: str
    heard: list[tuple[str, bytes]] = field(default_factory=list)

    def hear(self, where: str, *said: object) -> None:
        raw = (each if isinstance(each, bytes) else str(each).encode() for each in said)
        self.heard.append((where, b"\n".join(raw)))

    async def ask(
        self, method: str, url: str, body: object = b"", headers: Mapping[str, str] | None = None
    ) -> int:
        """A request to the face; its answer is kept, and the status returned."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": JSON, **marked.HEADERS, **(headers or {})}
        del given["Authorization"]
        async with (
            aiohttp.ClientSession(skip_auto_headers=("User-Agent",)) as session,
            session.request(method, f"http://{self.face}{url}", data=data, headers=given) as answer,
        ):
            said = await answer.read()
            self.hear(f"{method} {url}", answer.reason, answer.raw_headers, said)
            return answer.status

    async def series(self) -> dict[str, float]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{self.face}/metrics") as page,
        ):
            self.hear("/metrics", said := await page.read())
        rows = (row.rpartition(" ") for row in said.decode().splitlines() if row[:1] != "#")
        return {name: float(value) for name, _, value in rows}

    async def reaches(self, least: float, *parts: str) -> None:
        """Wait until the series whose names have all `parts` add up to so much."""

        async def so() -> bool:
            found = (await self.series()).items()
            return sum(v for name, v in found if all(part in name for part in parts)) >= least

        await eventually(so, seconds=60, what=f"{least:g} of {parts}")

    async def garbage(self) -> None:
        """What is no HTTP, to both addresses: what comes back without the engine's name is ours."""

        async def send(address: str, raw: bytes) -> None:
            said = await exchanged(address, raw, seconds=0.5)
            of_engine = address == self.tap and (b"X-Engine" in said or b"Server: Python" in said)
            if not of_engine:
                self.hear(f"{address} on {raw[:40]!r}", said)

        both = (self.face, self.tap)
        await asyncio.gather(*(send(each, raw) for each in both for raw in marked.GARBAGE))


async def exchanged(address: str, raw: bytes, *, seconds: float) -> bytes:
    """What is answered to these bytes until the connection is closed, or so much time is over."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    said = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(raw)
        async with asyncio.timeout(seconds):
            while piece := await reader.read(1 << 16):
                said += piece
    writer.close()
    return said


@asynccontextmanager
async def listening(requests: Sidecar) -> AsyncIterator[str]:
    """The engine, which hears what the sidecar asks of it on its own account."""
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", marked.engine)

    @web.middleware
    async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/metrics":
            requests.hear("a read of the engine", request.raw_path, request.raw_headers)
        return await handler(request)

    application.middlewares.append(keep)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def sniffing(outside: Path, inside: Path, sidecar: Sidecar) -> AsyncIterator[None]:
    """Where the middleware finds the sidecar's socket: hands on datagrams, and keeps a copy."""
    loop = asyncio.get_running_loop()
    ends: set[socket.socket] = set()

    def pass_on(source: socket.socket, target: socket.socket, way: str) -> None:
        datagram = source.recv(1 << 20)
        if datagram:
            sidecar.hear(f"a datagram {way}", datagram)
            target.send(datagram)
        else:
            for end in (source, target):
                loop.remove_reader(end)
                ends.discard(end)
                end.close()

    def accept() -> None:
        ours, _ = door.accept()
        theirs = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        theirs.connect(os.fspath(inside))
        ends.update((ours, theirs))
        loop.add_reader(ours, pass_on, ours, theirs, "to the sidecar")
        loop.add_reader(theirs, pass_on, theirs, ours, "to the middleware")

    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(os.fspath(outside))
        door.listen()
        loop.add_reader(door, accept)
        try:
            yield
        finally:
            for each in (door, *ends):
                loop.remove_reader(each)
                each.close()


def configure(sidecar: Sidecar, engine: str, **log: str) -> None:
    """Everything that there is to be asked for, in the sidecar's own words."""
    folder = sidecar.folder
    hook = {
        "when": {"/event": "response"},
        "id": "/data/page",
        "id_parameter": "answer",
        "rating": "/data/rating",
        "category": "/data/why",
        "verdicts": {"Awful": "bad"},
    }
    signature = {"header": "X-Signature", "secret_file": f"{folder}/secret"}
    serve = {
        "listen_address": sidecar.face,
        "gpu": {"enabled": False},
        "discovery": {"enabled": False},
        "environment": {"interval": "1s", "model": {"path": f"{folder}/model"}},
        "engine": {"url": f"http://{engine}", "interval": "100ms"},
        "probe": {"targets": ["http://127.0.0.1:9"]},
        "traffic": {
            "listen_address": sidecar.tap,
            "models": ["chat"],
            "versions": {"chat": "v2"},
            "socket": f"{folder}/inside.sock",
            "clients": {"header": "X-Client", "secret_file": f"{folder}/secret"},
            "vectors": ["style", "semantic"],
            "vector_budget_ratio": 1.0,
        },
        "drift": {"references": [f"{folder}/reference.json"], "min_requests": 20, "interval": "1s"},
        "otlp": {"enabled": True},
        "push": {},
        "inputs": {"requests_per_second": 10_000},
        "feedback": {
            "categories": ["tone"],
            "webhooks": {"survey": hook, "signed": {**hook, "signature": signature}},
        },
        "errors": {
            "logs": [{"path": f"{folder}/logs/*.log"}, {"stdin": True}],
            "interval": "100ms",
            "learning": "1s",
        },
        "forwarding": {
            "ecs": True,
            "interval": "1s",
            "sentry": {"dsn_file": f"{folder}/dsn"},
        },
    }
    (folder / "tidegauge.yml").write_text(json.dumps({"serve": serve, "log": log}))


def prepare(folder: Path) -> None:
    for name in ("logs", "model", "cwd", "tmp"):
        (folder / name).mkdir()
    (folder / "secret").write_text(SECRET)
    texts = (f"What is the tide of day {'x' * n}?" for n in range(120))
    lines = (json.dumps({"prompt": text, "completion_tokens": 5}) for text in texts)
    (folder / "prompts.jsonl").write_text("\n".join(lines))
    built = from_lines(folder / "prompts.jsonl", model="chat", kinds=(), now=0.0)
    (folder / "prompts.jsonl").unlink()
    (folder / "reference.json").write_text(dump(built.reference))


@asynccontextmanager
async def running(sidecar: Sidecar) -> AsyncIterator[asyncio.subprocess.Process]:
    folder = sidecar.folder
    environment = {**os.environ, "TMPDIR": f"{folder}/tmp", "HOME": f"{folder}/tmp"}
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        command = [*SERVE, "--config.file", f"{folder}/tidegauge.yml"]
        program = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=out,
            stderr=err,
            env=environment | {"PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=folder / "cwd",
        )
    try:
        await eventually(
            lambda: answers(f"http://{sidecar.face}/-/ready"),
            seconds=60,
            what="serve",
            give_up=lambda: (folder / "stderr").read_text() if program.returncode else None,
        )
        yield program
    finally:
        with contextlib.suppress(ProcessLookupError):
            program.terminate()
        assert await asyncio.wait_for(program.wait(), 30) == 0
