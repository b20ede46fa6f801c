"""Bodies of many items: what is wrong with one costs that one."""

import asyncio
import json
from itertools import groupby

import pytest
from aiohttp import web

from tests.unit.test_web_inputs import inbox
from tidegauge.traffic.item import ItemError
from tidegauge.web.inputs_batch import BATCH_TYPES, Batch, take_items

LINES = {"Content_Type": "application/x-ndjson"}


def even(item: object) -> None:
    if not isinstance(item, int) or item % 2:
        raise ItemError("an even number is wanted")


@pytest.mark.parametrize(
    "body, headers, status, accepted, indexes",
    [
        (b"2", {}, 200, 1, []),
        (b"[2, 4]", {}, 200, 2, []),
        (b"[2, 3, 4, null]", {}, 200, 2, [1, 3]),
        (b"2\r\n\n x \n3\n4", LINES, 200, 2, [1, 2]),
        (b"[1, 3]", {}, 400, 0, [0, 1]),
        (json.dumps([1] * 30 + [2]).encode(), {}, 200, 1, list(range(20))),
    ],
)
async def test_what_can_be_taken_is_taken(
    body: bytes, headers: dict[str, str], status: int, accepted: int, indexes: list[int]
) -> None:
    async with inbox(types=BATCH_TYPES) as box:
        box.take = lambda request, body: take_items(request, body, even, most=31)
        answered, text = await box.send(body, **headers)
        said = json.loads(text)
        assert (answered, said["accepted"]) == (status, accepted)
        assert [each["index"] for each in said["errors"]] == indexes
        assert said["rejected"] >= len(indexes)


@pytest.mark.parametrize(
    "body, headers, status, line",
    [
        (b"", {}, 400, "the body is no JSON"),
        (b"{", {}, 400, "the body is no JSON"),
        (b"[NaN]", {}, 400, "the body is no JSON"),
        (b"\xff\xfe\x00", {}, 400, "the body is no JSON"),
        (b"[]", {}, 400, "the body holds no item"),
        (b"\n\n", LINES, 400, "the body holds no item"),
        (json.dumps([2] * 32).encode(), {}, 413, "the body holds more than 31 items"),
        (b"2\n" * 32, LINES, 413, "the body holds more than 31 items"),
        (b"\n" * 63, LINES, 413, "the body holds more than 31 items"),
        (b"[" + b"[]," * 101_000 + b"2]", {}, 413, "the body holds more than 200000 values"),
        (b"[" + b"[]," * 101_000 + b"2]", LINES, 400, "holds more than 200000 values"),
    ],
)
async def test_a_body_of_no_use_says_why(
    body: bytes, headers: dict[str, str], status: int, line: str
) -> None:
    async with inbox(types=BATCH_TYPES) as box:
        box.take = lambda request, body: take_items(request, body, even, most=31)
        answered, text = await box.send(body, **headers)
        said = json.loads(text)
        message = said["error"]["message"] if "error" in said else said["errors"][0]["error"]
        assert (answered, message.partition(";")[0]) == (status, line)


async def test_bodies_take_turns_and_let_others_have_theirs() -> None:
    seen: list[str] = []

    async def others(done: asyncio.Event) -> None:
        while not done.is_set():
            seen.append("others")
            await asyncio.sleep(0)

    async with inbox(types=BATCH_TYPES) as box:
        done = asyncio.Event()

        async def take(request: web.Request, body: bytes) -> Batch:
            def one(item: object) -> None:
                seen.append(str(item))

            return await take_items(request, body, one)

        box.take = take
        waiting = asyncio.create_task(others(done))
        bodies = [json.dumps([name] * 100).encode() for name in "abcd"]
        await asyncio.gather(*(box.send(body) for body in bodies))
        done.set()
        await waiting
    items = [name for name in seen if name != "others"]
    assert [name for name, _ in groupby(items)] == sorted(set(items), key=items.index)
    assert len(items) == 400
    longest = max(len(list(run)) for name, run in groupby(seen) if name != "others")
    assert longest <= 16
