"""The tap's door makes the vectors that its plan asks for, and loses no exchange by it."""

import asyncio
import time
from dataclasses import replace

from tests.haproxy import free_port
from tests.tapping import engine
from tidegauge.server.door import Door
from tidegauge.server.plan import TapPlan
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.texts.vector_settings import VectorSettings, VectorTallies

BODY = b'{"model": "chat", "messages": [{"role": "user", "content": "How high is the tide?"}]}'
ANSWER = b'{"choices": [{"message": {"content": "Four metres."}, "finish_reason": "stop"}]}'


async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readuntil(b"\r\n\r\n"):
        await reader.readexactly(len(BODY))
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        writer.write(head.encode() % len(ANSWER) + ANSWER)


async def ask(address: str) -> None:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
    writer.write(head.encode() % len(BODY) + BODY)
    await reader.readuntil(b"Four metres.")
    writer.close()


async def test_exchanges_get_the_vectors_that_the_plan_asks_for() -> None:
    recorded: list[Exchange] = []
    address, tallies = f"127.0.0.1:{free_port()}", VectorTallies()
    door = Door(recorded.append, arrivals=Arrivals(), vectors=tallies, clock=time.monotonic)

    async def shown(count: int) -> Exchange:
        await ask(address)
        async with asyncio.timeout(30):
            while len(recorded) < count:
                await asyncio.sleep(0.01)
        return recorded[-1]

    async with engine(answering) as port:
        chat = Labelling(frozenset({"chat"}))
        plan = TapPlan(address, f"http://127.0.0.1:{port}", chat, 5)
        await door.turn(await door.open(plan))
        plain = (await shown(1)).features
        styled = replace(plan, vectors=VectorSettings(("style",), budget_ratio=1))
        await door.turn(await door.open(styled))
        vector = (await shown(2)).features
        await door.turn(await door.open(replace(plan, vectors=VectorSettings(("semantic",)))))
        await ask(address)
        await door.close()  # long before 16 MB are read
    assert plain
    assert plain.prompt
    assert plain.answer
    assert (plain.prompt.characters, plain.answer.characters) == (21, 12)
    assert (plain.style, plain.semantic) == (None, None)
    assert vector == replace(plain, style=vector.style if vector else None)
    assert vector
    assert vector.style
    assert len(recorded) == 3
    assert sum(sample.value for sample in tallies.samples() if sample.labels) == 2
