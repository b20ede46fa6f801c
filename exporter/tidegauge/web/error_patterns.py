"""The page that lists patterns of errors, as JSON."""

from collections.abc import Callable, Sequence

from aiohttp import web

from tidegauge.errors.listing import listing
from tidegauge.errors.tally import Seen
from tidegauge.web.face import Page


def error_patterns(seen: Callable[[], Sequence[Seen]], *, clock: Callable[[], float]) -> Page:
    """`seen` is asked per request and must not wait; `clock` is in Unix seconds."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=listing(seen(), clock()), content_type="application/json")

    return answer
