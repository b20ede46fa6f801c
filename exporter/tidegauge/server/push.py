"""`POST /v1/exchanges`: exchanges that an app has measured itself, or that somebody else logged."""

from collections.abc import Callable

from aiohttp import web

from tidegauge.sources.items import Items
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.pushed import pushed
from tidegauge.web import Input
from tidegauge.web.inputs_batch import BATCH_TYPES, take_items

PATH = "/v1/exchanges"
INPUT = "exchanges"


def push_input(
    labelling: Labelling,
    measure: Callable[[Ended], None],
    *,
    arrivals: Arrivals,
    items: Items,
    most: int,
) -> Input:
    """Gives each exchange to `measure`, which makes features of its text and lets that go.

    A request may hold `most` of them.
    """

    def one(item: object) -> None:
        ended = pushed(item, labelling)
        arrivals.begin()
        arrivals.end()
        measure(ended)

    async def take(request: web.Request, body: bytes) -> web.Response:
        batch = await take_items(request, body, one, most=most)
        items.add(INPUT, "accepted", batch.accepted)
        items.add(INPUT, "rejected", batch.rejected)
        return batch.response()

    return Input(INPUT, take, types=BATCH_TYPES)
