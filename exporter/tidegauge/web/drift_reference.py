"""The page that gives away a model's reference, for `tidegauge reference build --from` and peers.

It holds a sample of vectors, of which short prompts may be guessed, and so it goes by the rules of
inputs: to whoever the web configuration knows, and to programs of this machine, and nobody else.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web

from tidegauge.drift.reference import Reference
from tidegauge.drift.reference_text import dump
from tidegauge.web.face import Page
from tidegauge.web.gate import AUTHENTICATED
from tidegauge.web.inputs_peer import is_local

PATH = "/drift/reference"

_NOBODY = (
    "a reference is given to programs of this machine only, unless basic_auth_users or client "
    "certificates are set in the file of --web.config.file"
)


def drift_reference(find: Callable[[str], Reference | None]) -> Page:
    """GET ?model=NAME gives what `tidegauge reference` reads.

    `find` gives the reference of a model, or None where there is none, and must not wait. To write
    a large one down takes most of a second, so a thread does it, one at a time.
    """
    turn = asyncio.Lock()

    async def answer(request: web.Request) -> web.Response:
        if not (request.get(AUTHENTICATED) or is_local(request)):
            return _refusal(403, _NOBODY)
        model = request.query.get("model", "")
        if not model:
            return _refusal(400, f"model is missing; ask {PATH}?model=NAME")
        reference = find(model)
        if reference is None:
            return _refusal(404, "there is no reference of this model")
        if request.method == "HEAD":
            return web.Response(content_type="application/json")
        async with turn:
            text = await asyncio.to_thread(dump, reference)
        return web.Response(text=text, content_type="application/json")

    return answer


def _refusal(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=f"{text}\n")
