"""`POST /v1/traces`: spans of other programs, as OTLP/HTTP has them."""

from aiohttp import web

from tidegauge.traffic.otlp.answers import JSON, TYPES, refused
from tidegauge.traffic.otlp.receiver import Receiver
from tidegauge.traffic.otlp.span import OtlpError, TooManySpansError
from tidegauge.web import Input, InputError

PATH = "/v1/traces"
INPUT = "otlp"


def otlp_input(receiver: Receiver, *, max_bytes: int) -> Input:
    """Gives each body to `receiver`, and answers in its encoding."""

    async def take(request: web.Request, body: bytes) -> web.Response:
        media_type = request.content_type.lower()
        try:
            answer = await receiver.take(body, media_type)
        except TooManySpansError as error:
            raise InputError(413, "too_large", str(error)) from None
        except OtlpError as error:
            raise InputError(400, "malformed", str(error)) from None
        return web.Response(body=answer, content_type=media_type)

    return Input(INPUT, take, TYPES, max_bytes=max_bytes, refusal=_refusal)


def _refusal(request: web.Request, status: int, why: str) -> web.Response:
    """As OTLP wants it, in the encoding of the request."""
    said = request.content_type.lower()
    media_type = said if said in TYPES else JSON
    return web.Response(status=status, body=refused(media_type, why), content_type=media_type)
