"""The pages that both programs show: /metrics, /-/healthy, /-/ready and a landing page.

`pages` and `actions` add a program's own. Nothing here waits: what is rendered is what is known.
"""

import asyncio
import html
import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from tidegauge import __version__
from tidegauge.catalog import own
from tidegauge.samples import Sample
from tidegauge.web.gate import Gate
from tidegauge.web.scrape import Exposition

Page = Callable[[web.Request], Awaitable[web.StreamResponse]]

SERVER = "tidegauge"
"""The header: not which library, and which version of it."""

_BODY_BYTES = 64 * 1024  # no page has a use for a body; an input reads its own, as it comes


@dataclass(frozen=True, slots=True)
class State:
    """One line of the landing page: something that is watched, whether it is well, and a note.

    Whoever can reach the page reads the note: no address, no path, no text of others in it.
    """

    name: str
    well: bool
    note: str


@dataclass(frozen=True, slots=True)
class Face:
    """What a program shows. Every member is called per request and must not wait.

    `pages` answer GET and HEAD, `actions` POST and PUT; `more_pages` (GET, HEAD) and `inputs`
    (POST) are those that come and go with the configuration. `links` are what the landing page
    names beside the usual; all of `pages` by default.
    """

    title: str
    samples: Callable[[], Sequence[Sample]]
    states: Callable[[], Sequence[State]]
    ready: Callable[[], bool]
    pages: Mapping[str, Page] = field(default_factory=dict)
    actions: Mapping[str, Page] = field(default_factory=dict)
    more_pages: Callable[[], Mapping[str, Page]] = dict
    inputs: Callable[[], Mapping[str, Page]] = dict
    links: Callable[[], Sequence[str]] | None = None


def application(face: Face, gate: Gate, *, answer_seconds: float) -> web.Application:
    """The aiohttp application for `face` behind `gate`.

    A client that has not taken its answer after `answer_seconds` loses its connection.
    """
    exposition = Exposition()

    async def metrics(request: web.Request) -> web.Response:
        return exposition.answer(request, (*face.samples(), build_info()))

    async def healthy(_: web.Request) -> web.Response:
        return web.Response(text=f"{face.title} is healthy.\n")

    async def ready(_: web.Request) -> web.Response:
        if face.ready():
            return web.Response(text=f"{face.title} is ready.\n")
        return web.Response(status=503, text=f"{face.title} is starting.\n")

    async def landing(_: web.Request) -> web.Response:
        return web.Response(text=_landing(face), content_type="text/html")

    app = web.Application(
        middlewares=[_before(gate, answer_seconds), _others(face)], client_max_size=_BODY_BYTES
    )
    app.on_response_prepare.append(_dressed(gate))
    app.router.add_get("/", landing)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/-/healthy", healthy)
    app.router.add_get("/-/ready", ready)
    for path, page in face.pages.items():
        app.router.add_get(path, page)
    for path, action in face.actions.items():
        app.router.add_post(path, action)
        app.router.add_put(path, action)
    return app


def _others(face: Face) -> Middleware:
    """Answers at the paths that come and go."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = (("GET", face.more_pages()), ("HEAD", face.more_pages()), ("POST", face.inputs()))
        known = {method: pages[request.path] for method, pages in asked if request.path in pages}
        if not known:
            return await handler(request)
        if request.method not in known:
            raise web.HTTPMethodNotAllowed(request.method, known)
        return await known[request.method](request)

    return answer


def build_info() -> Sample:
    """`tidegauge_build_info`."""
    return Sample(own.BUILD_INFO, 1, (__version__, platform.python_version()))


def _before(gate: Gate, answer_seconds: float) -> Middleware:
    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await gate.pass_on(request, handler)
        # Sent here, so that a client that does not read its answer cannot hold on to us.
        try:
            async with asyncio.timeout(answer_seconds):
                await response.prepare(request)
                await response.write_eof()
        except ConnectionError:
            pass  # the client has left
        except TimeoutError:
            if request.transport:
                request.transport.abort()
        return response

    return answer


def _dressed(
    gate: Gate,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def dress(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = SERVER
        response.headers.update({k: v for k, v in gate.rules.headers.items() if v})

    return dress


def _landing(face: Face) -> str:
    title = html.escape(face.title)
    own_pages = (*(face.links() if face.links else face.pages), *face.more_pages())
    links = "".join(
        f'<li><a href="{path}">{path}</a></li>'
        for path in ("/metrics", "/-/healthy", "/-/ready", *own_pages)
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
