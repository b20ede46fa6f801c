"""The body of a request, whole, unpacked and in time, or why not.

It is unpacked here, and not by the server below, because what can't be unpacked is an answer like
any other there: the sender hears it, and nothing else does.
"""

import asyncio
import zlib
from typing import Protocol

from aiohttp import web

from tidegauge.web.inputs import InputError

_EITHER = zlib.MAX_WBITS | 32  # gzip or zlib, as its header says


class _Unpacking(Protocol):
    def feed(self, piece: bytes, room: int) -> bytes: ...
    def whole(self) -> bool: ...


async def read_body(request: web.Request, *, max_bytes: int, seconds: float) -> bytes:
    """The body, unpacked.

    Raises:
        InputError: it is too large, too slow, in an encoding that is not known, or broke off.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "deflate"):
        raise InputError(415, "content_type", "the body's encoding is not known; send gzip or none")
    if (request.content_length or 0) > max_bytes:
        raise _too_large(max_bytes)
    unpacking = _Inflating() if encoding in ("gzip", "deflate") else _AsItIs()
    try:
        async with asyncio.timeout(seconds):
            return await _read(request, unpacking, max_bytes)
    except TimeoutError:
        raise InputError(408, "slow", f"the body did not come within {seconds:g} s") from None
    except (web.RequestPayloadError, zlib.error, OSError):
        raise _unreadable() from None


async def _read(request: web.Request, unpacking: _Unpacking, max_bytes: int) -> bytes:
    body = bytearray()
    while piece := await request.content.readany():
        body += unpacking.feed(piece, max_bytes + 1 - len(body))
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    if not unpacking.whole():
        raise _unreadable()
    return bytes(body)


class _AsItIs:
    def feed(self, piece: bytes, _room: int) -> bytes:
        return piece

    def whole(self) -> bool:
        return True


class _Inflating:
    """One member of gzip, or one stream of zlib; what follows it is not looked at."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(_EITHER)

    def feed(self, piece: bytes, room: int) -> bytes:
        # `room` is a byte more than may come: what is left over after that is of no interest.
        return self._inflating.decompress(piece, room)

    def whole(self) -> bool:
        return self._inflating.eof


def _too_large(max_bytes: int) -> InputError:
    return InputError(413, "too_large", f"the body is larger than {max_bytes} bytes; send less")


def _unreadable() -> InputError:
    return InputError(400, "unreadable", "the body broke off, or cannot be unpacked")
