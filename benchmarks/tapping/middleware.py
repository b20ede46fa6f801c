"""What the middleware adds to a chunk of a stream, in its server's own process.

64 streams at a time are driven through the ASGI interface of one application, bare and with the
middleware, in the same event loop; rounds alternate. Each stream's time is that of its chunks
alone: the difference is what `send` takes longer, divided by the chunks. The middleware's own
thread runs meanwhile and tells a socket that somebody reads; its share of the interpreter counts.
`cpu_us` is the same of the process's CPU: on a machine with other work it says what is ours.

    .venv/bin/python -m benchmarks.tapping.middleware
"""

import asyncio
import hashlib
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tidegauge.traffic.middleware import App, Message, Receive, Scope, Send, Tap

STREAMS = 64
CHUNKS = 200
ROUNDS = 15
GOAL_US = 30.0

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": []}
PROMPT = "How high is the tide at noon? " * 133  # 4,000 characters, about 1,000 tokens
BODY = json.dumps(
    {"model": "chat", "stream": True, "messages": [{"role": "user", "content": PROMPT}]}
).encode()
# As vLLM 0.32 says one token.
CHUNK = (
    'data: {{"id":"chatcmpl-9bfda0f184e2e357","object":"chat.completion.chunk","model":"chat",'
    '"created":1795862184,"choices":[{{"index":0,"delta":{{"content":" tide{}"}},'
    '"logprobs":null,"finish_reason":null,"token_ids":null}}]}}\n\n'
)
PIECES = (*(CHUNK.format(n).encode() for n in range(CHUNKS)), b"data: [DONE]\n\n")
START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}
MESSAGES: tuple[Message, ...] = (
    START,
    *({"type": "http.response.body", "body": piece, "more_body": True} for piece in PIECES),
    {"type": "http.response.body", "body": b"", "more_body": False},
)


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds that a chunk took, also of the CPU, and the SHA-256 of chunks and their bounds."""

    chunk_seconds: float
    cpu_seconds: float
    digest: str


def measure(rounds: int = ROUNDS) -> dict[str, object]:
    """`middleware_chunk_us`: what is added to a chunk; `changed`: streams that are not the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traffic.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(str(path))
            listening.listen()
            threading.Thread(target=_read, args=(listening,), daemon=True).start()
            return asyncio.run(_measured(str(path), rounds))


async def _measured(path: str, rounds: int) -> dict[str, object]:
    heard = Tap(_answer, socket=path, models=("chat",))
    await _round(_answer)
    await _round(heard)  # the first of each: imports, caches
    bare_us, added_us, added_cpu_us, changed = [], [], [], 0
    for number in range(rounds):
        if number % 2:
            bare, tapped = await _round(_answer), await _round(heard)
        else:
            tapped, bare = await _round(heard), await _round(_answer)
        bare_us.append(bare.chunk_seconds * 1e6)
        added_us.append((tapped.chunk_seconds - bare.chunk_seconds) * 1e6)
        added_cpu_us.append((tapped.cpu_seconds - bare.cpu_seconds) * 1e6)
        changed += bare.digest != tapped.digest
    return {
        "middleware_chunk_us": statistics.median(added_us),
        "bare_chunk_us": statistics.median(bare_us),
        "worst_round_us": max(added_us),
        "cpu_us": statistics.median(added_cpu_us),
        "streams": STREAMS,
        "chunks": CHUNKS,
        "changed": changed,
    }


async def _round(app: App) -> Round:
    """All streams at the same time, chunk by chunk in turn."""
    outs = [hashlib.sha256() for _ in range(STREAMS)]
    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_stream(app, out) for out in outs))
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    whole = hashlib.sha256(b"".join(out.digest() for out in outs))
    chunks = STREAMS * len(PIECES)
    return Round(seconds / chunks, cpu_seconds / chunks, whole.hexdigest())


async def _stream(app: App, out: "hashlib._Hash") -> None:
    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        body = message.get("body")
        if isinstance(body, bytes):
            out.update(b"%d:" % len(body) + body)
        await asyncio.sleep(0)  # another stream's turn

    await app(SCOPE, receive, send)


async def _answer(_scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    for message in MESSAGES:
        await send(message)


def _read(listening: socket.socket) -> None:
    with suppress(OSError):  # it is closed at the end
        connection, _ = listening.accept()
        while connection.recv(1 << 16):
            pass


def lines() -> Iterable[str]:
    """A line for the case, and one for the goal."""
    found = measure()
    goal = {"value": found["middleware_chunk_us"], "goal": GOAL_US, "better": "lower"}
    yield json.dumps({"case": "middleware", **found})
    yield json.dumps({"benchmark": "middleware", "goals": {"middleware_chunk_us": goal}})


if __name__ == "__main__":
    for line in lines():
        print(line)
