"""An engine behind a web application on loopback: with paths, keys, redirects and TLS."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

TLS = Path(__file__).parent / "fixtures" / "tls"  # self-signed for 127.0.0.1, for a century
CERT, KEY = TLS / "cert.pem", TLS / "key.pem"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def engine_app(
    handler: Handler, *, tls: ssl.SSLContext | None = None, path: str = "/{rest:.*}"
) -> AsyncIterator[str]:
    """The URL of a server that answers every GET below `path` with `handler`."""
    app = web.Application()
    app.router.add_get(path, handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    scheme = "https" if tls else "http"
    try:
        yield f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def server_tls(*, asks_clients: bool = False) -> ssl.SSLContext:
    """TLS of a server; one that `asks_clients` takes none but those with our certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERT, KEY)
    if asks_clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(CERT)
    return context
