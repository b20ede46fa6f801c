"""The items of a body: one JSON object, an array of them, or one a line (NDJSON).

What is wrong with one item costs that item alone; the answer says how many were taken, and of the
first that were not, why. Nothing of an item is repeated.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Never

from aiohttp import web

from tidegauge.traffic.document import MARKS_MAX, has_more_marks
from tidegauge.traffic.item import ItemError
from tidegauge.web.inputs import JSON, InputError

NDJSON = ("application/x-ndjson", "application/jsonl", "application/ndjson")
BATCH_TYPES = (JSON, *NDJSON)
MOST_ITEMS = 10_000
_TOLD = 20  # errors that an answer lists
_AT_ONCE = 16  # items between two turns of whoever else waits for the loop: 5 ms or so
_MARKS = 20  # commas and brackets of an item that has every field


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of a body; `errors` are those of the first items that were not taken."""

    accepted: int
    rejected: int
    errors: tuple[tuple[int, str], ...]

    def response(self) -> web.Response:
        """200 if any was taken.

        Raises:
            InputError: none was.
        """
        errors = [{"index": index, "error": line} for index, line in self.errors]
        document = {"accepted": self.accepted, "rejected": self.rejected, "errors": errors}
        if not self.accepted:
            first = self.errors[0][1]
            raise InputError(400, "malformed", first, document=document)
        return web.json_response(document)


async def take_items(
    request: web.Request, body: bytes, take: Callable[[object], None], *, most: int = MOST_ITEMS
) -> Batch:
    """Each item of `body` given to `take`, which raises ItemError for one that it can't use.

    Raises:
        InputError: the body is no JSON, or holds no items, or too many.
    """
    accepted, errors = 0, []
    items = _lines(body, most) if request.content_type.lower() in NDJSON else _members(body, most)
    if not items:
        raise InputError(400, "malformed", "the body holds no item")
    if len(items) > most:
        raise _too_many(most)
    for index, item in enumerate(items):
        try:
            take(_line(item) if isinstance(item, bytes) else item)
            accepted += 1
        except ItemError as error:
            errors.append((index, str(error)))
        if index % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
    return Batch(accepted, len(errors), tuple(errors[:_TOLD]))


def read_json(body: bytes, *, marks_max: int = MARKS_MAX) -> object:
    """The JSON document that `body` is.

    Raises:
        InputError: it is none, or has more than `marks_max` commas and brackets.
    """
    if has_more_marks(body, marks_max):
        too_many = f"the body holds more than {marks_max} values; send less at once"
        raise InputError(413, "too_large", too_many)
    try:
        return _read(body)
    except ItemError as error:
        raise InputError(400, "malformed", f"the body {error}") from None


def _members(body: bytes, most: int) -> Sequence[object]:
    document = read_json(body, marks_max=max(MARKS_MAX, _MARKS * most))
    return document if isinstance(document, list) else [document]


def _lines(body: bytes, most: int) -> Sequence[object]:
    if body.count(b"\n") > 2 * most:  # with as many empty ones: not worth to be taken apart
        raise _too_many(most)
    return [line for line in body.split(b"\n") if line.strip()]


def _too_many(most: int) -> InputError:
    return InputError(413, "too_large", f"the body holds more than {most} items")


def _line(text: bytes) -> object:
    if has_more_marks(text, MARKS_MAX):
        raise ItemError(f"holds more than {MARKS_MAX} values")
    return _read(text)


def _read(text: bytes) -> object:
    try:
        value: object = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ItemError("is no JSON") from None
    return value


def _no_number(_: str) -> Never:
    """NaN and Infinity, which Python reads and JSON does not know."""
    raise ValueError
