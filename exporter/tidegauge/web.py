"""The HTTP face that both programs show: /metrics, /-/healthy, /-/ready and a landing page.

`pages` adds a program's own routes. Nothing here waits: what is rendered is what is known.
"""

import asyncio
import html
import os
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from tidegauge import __version__
from tidegauge.catalog import own
from tidegauge.exposition import CONTENT_TYPES, negotiate, render
from tidegauge.renamed import with_old_names
from tidegauge.samples import Sample

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class State:
    """One line of the landing page: something that is watched, whether it is well, and why not."""

    name: str
    well: bool
    note: str


@dataclass(frozen=True, slots=True)
class Face:
    """What a program shows. Every member is called per request and must not wait."""

    title: str
    samples: Callable[[], Sequence[Sample]]
    states: Callable[[], Sequence[State]]
    ready: Callable[[], bool]
    pages: Mapping[str, Page] = field(default_factory=dict)


def application(face: Face) -> web.Application:
    """The aiohttp application for `face`."""

    async def metrics(request: web.Request) -> web.Response:
        form = negotiate(request.headers.get("Accept", ""))
        text = render(with_old_names((*face.samples(), build_info())), form)
        response = web.Response(
            body=text.encode(), headers={"Content-Type": CONTENT_TYPES[form], "Vary": "Accept"}
        )
        response.enable_compression()
        return response

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text=f"{face.title} is healthy.\n")

    async def ready(_: web.Request) -> web.Response:
        if face.ready():
            return web.Response(text=f"{face.title} is ready.\n")
        return web.Response(status=503, text=f"{face.title} is starting.\n")

    async def landing(_: web.Request) -> web.Response:
        return web.Response(text=_landing(face), content_type="text/html")

    app = web.Application()
    app.router.add_get("/", landing)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/-/healthy", healthy)
    app.router.add_get("/-/ready", ready)
    for path, page in face.pages.items():
        app.router.add_get(path, page)
    return app


def build_info() -> Sample:
    """`tidegauge_build_info`."""
    return Sample(own.BUILD_INFO, 1, (__version__, platform.python_version()))


async def listen(runner: web.AppRunner, address: str) -> None:
    """Serve `runner` on HOST:PORT until it is cleaned up.

    Raises:
        OSError: the address cannot be had; the message names it.
    """
    host, _, port = address.rpartition(":")
    await runner.setup()
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port), backlog=512).start()
    except OSError as error:
        await runner.cleanup()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise OSError(error.errno, f"cannot listen on {address}: {reason}") from error


def face_runner(face: Face) -> web.AppRunner:
    """A runner for a face; it holds nobody up at the end."""
    return web.AppRunner(application(face), access_log=None, shutdown_timeout=1)


async def until_cancelled(runners: Sequence[web.AppRunner]) -> None:
    """Wait for cancellation, then close every runner, the last one first."""
    try:
        await asyncio.Event().wait()
    finally:
        for runner in reversed(runners):
            await runner.cleanup()


def _landing(face: Face) -> str:
    title = html.escape(face.title)
    links = "".join(
        f'<li><a href="{path}">{path}</a></li>'
        for path in ("/metrics", "/-/healthy", "/-/ready", *face.pages)
    )
    rows = "".join(
        f"<tr><td>{html.escape(state.name)}</td><td>{'up' if state.well else 'DOWN'}</td>"
        f"<td>{html.escape(state.note)}</td></tr>"
        for state in face.states()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        "<style>body{font-family:sans-serif;margin:2rem}td,th{padding:.2rem 1rem .2rem 0;"
        "text-align:left}</style></head>"
        f"<body><h1>{title}</h1><p>Version {__version__}</p><ul>{links}</ul>"
        f"<table><tr><th>what</th><th>state</th><th>note</th></tr>{rows}</table></body></html>\n"
    )
