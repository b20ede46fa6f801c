"""A real HAProxy over an empty backend, and plain HTTP servers to route to."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from demo.program import Program, eventually

TOOLS = Path(__file__).resolve().parent.parent / ".tools" / "bin"

# The frontend has the backend's name on purpose: both are `chat` in `show stat`.
_CONFIG = """
global
  stats socket {socket} mode 600 level admin
  tune.bufsize 131072
defaults
  mode http
  timeout connect 1s
  timeout client 1m
  timeout server 1m
  retries 3
  option redispatch
  option http-buffer-request
  retry-on conn-failure empty-response
frontend chat
  bind 127.0.0.1:{port}
  default_backend chat
backend chat
  balance leastconn
  option allbackups
  option httpchk GET /health
  http-check expect status 200
"""


@dataclass(frozen=True, slots=True)
class Haproxy:
    """Where it listens, and its runtime API."""

    socket: Path
    port: int


@asynccontextmanager
async def haproxy(folder: Path) -> AsyncIterator[Haproxy]:
    """HAProxy with one frontend and one empty backend, both called `chat`."""
    found = Haproxy(folder / "haproxy.sock", free_port())
    config = folder / "haproxy.cfg"
    config.write_text(_CONFIG.format(socket=found.socket, port=found.port))
    command = [str(TOOLS / "haproxy"), "-db", "-f", str(config)]
    program = await Program.start("haproxy", command, log=folder / "haproxy.log")

    async def listening() -> bool:
        return found.socket.exists()

    try:
        await eventually(listening, seconds=10, what="haproxy")
        yield found
    finally:
        await program.stop()


@asynccontextmanager
async def backend_server(name: str, port: int = 0) -> AsyncIterator[str]:
    """An HTTP server that says its name, slowly under /slow; its HOST:PORT."""

    async def answer(request: web.Request) -> web.Response:
        if request.path == "/slow":
            await asyncio.sleep(1)
        return web.Response(text=name)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
