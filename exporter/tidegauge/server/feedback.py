"""`POST /v1/feedback` and `POST /v1/feedback/hooks/NAME`: what users thought of answers."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from aiohttp import web

from tidegauge.sources.items import Items
from tidegauge.traffic.feedback.feedback import Feedback
from tidegauge.traffic.feedback.opinion import opinion
from tidegauge.traffic.feedback.rating import Scale
from tidegauge.traffic.feedback.webhook import Mapped
from tidegauge.traffic.item import ItemError
from tidegauge.web import Input, InputError
from tidegauge.web.inputs_batch import BATCH_TYPES, read_json, take_items
from tidegauge.web.inputs_signature import Signature

PATH = "/v1/feedback"
INPUT = "feedback"


@dataclass(frozen=True, slots=True)
class Hook:
    """A service that posts feedback in a form of its own, and how it signs, if it does."""

    name: str
    mapped: Mapped
    signature: Signature | None

    @property
    def input(self) -> str:
        """The label value of `input`."""
        return f"feedback_hook_{self.name}"


@dataclass(frozen=True, slots=True)
class FeedbackInputs:
    """Gives what comes by HTTP to `feedback`, and counts it in `items`. `clock` is monotonic."""

    feedback: Feedback
    items: Items
    scale: Scale
    categories: AbstractSet[str]
    clock: Callable[[], float]

    def inputs(self, hooks: tuple[Hook, ...]) -> Mapping[str, Input]:
        """By path."""
        own = Input(INPUT, self._take, types=BATCH_TYPES)
        return {PATH: own, **{f"{PATH}/hooks/{hook.name}": self._of(hook) for hook in hooks}}

    async def _take(self, request: web.Request, body: bytes) -> web.Response:
        def one(item: object) -> None:
            heard = opinion(item, scale=self.scale, categories=self.categories)
            self.feedback.hear(heard, self.clock())

        batch = await take_items(request, body, one)
        self.items.add(INPUT, "accepted", batch.accepted)
        self.items.add(INPUT, "rejected", batch.rejected)
        return batch.response()

    def _of(self, hook: Hook) -> Input:
        async def take(_: web.Request, body: bytes) -> web.Response:
            return self._take_hook(hook, body)

        return Input(hook.input, take, signed=hook.signature.is_right if hook.signature else None)

    def _take_hook(self, hook: Hook, body: bytes) -> web.Response:
        document = read_json(body)
        try:
            heard = hook.mapped.opinion(document, self.categories)
        except ItemError as error:
            self.items.add(hook.input, "rejected")
            raise InputError(400, "malformed", str(error)) from None
        if heard is None:
            # A refusal would have the service send it again, and give up on us in the end.
            self.items.add(hook.input, "ignored")
            return web.json_response({"accepted": 0, "ignored": 1})
        self.feedback.hear(heard, self.clock())
        self.items.add(hook.input, "accepted")
        return web.json_response({"accepted": 1, "ignored": 0})
