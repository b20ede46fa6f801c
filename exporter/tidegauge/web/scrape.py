"""Answers a scrape: samples as the client wants them, in format, encoding and names."""

from collections.abc import Iterable

from aiohttp import web

from tidegauge.exposition import CONTENT_TYPES, render
from tidegauge.samples import Sample
from tidegauge.web.negotiation import exposition_format, selects, takes_gzip


def exposition(request: web.Request, samples: Iterable[Sample]) -> web.Response:
    """The exposition of `samples`, of those families only that `name[]` asks for if it is there."""
    names = request.query.getall("name[]", [])
    wanted = [s for s in samples if selects(names, s.metric)] if names else samples
    form = exposition_format(",".join(request.headers.getall("Accept", [])))
    response = web.Response(
        body=render(wanted, form).encode(),
        headers={"Content-Type": CONTENT_TYPES[form], "Vary": "Accept, Accept-Encoding"},
    )
    if takes_gzip(",".join(request.headers.getall("Accept-Encoding", []))):
        response.enable_compression(web.ContentCoding.gzip)
    return response
