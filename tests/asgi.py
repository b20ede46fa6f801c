"""ASGI without a server: an application that sends what it is told to, and who is told of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.middleware import App, Message, Receive, Scope, Send, Tap

CHAT: Scope = {"type": "http", "method": "POST", "path": "/v1/chat/completions"}
BODY = b'{"model": "chat", "stream": true, "messages": [{"role": "user", "content": "hello"}]}'
REQUEST: Message = {"type": "http.request", "body": BODY, "more_body": False}
DISCONNECT: Message = {"type": "http.disconnect"}
STREAM: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
}
DOCUMENT: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"Content-Type", b"application/json")],
}


def piece(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


TOKEN = piece(b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n')
DONE = piece(b"data: [DONE]\n\n")
END = piece(b"", more=False)


@dataclass
class Told:
    """A sender that keeps what it is told."""

    exchanges: list[Exchange] = field(default_factory=list)
    begun: int = 0
    in_flight: int = 0
    streams: int = 0
    dropped: int = 0
    left_out: int = 0
    flushed: int = 0

    def start(self) -> None: ...

    def begin(self) -> None:
        self.begun += 1
        self.in_flight += 1

    def stream(self) -> None:
        self.streams += 1

    def end(self, *, streaming: bool) -> None:
        self.in_flight -= 1
        self.streams -= streaming

    def put(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)

    def drop(self) -> None:
        self.dropped += 1

    def leave_out(self, vectors: int) -> None:
        self.left_out += vectors

    def flush(self) -> None:
        self.flushed += 1


class Script:
    """An application: it receives (None) and sends (a message) in this order, and then returns.

    An exception in the script is raised.
    """

    def __init__(self, steps: Sequence[Message | BaseException | None]) -> None:
        self._steps = steps
        self.received: list[Message] = []
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        for step in self._steps:
            if isinstance(step, BaseException):
                raise step
            if step is None:
                self.received.append(await receive())
            else:
                await send(step)


@dataclass
class Server:
    """Hands out `incoming` and then waits, and keeps what it is sent."""

    incoming: list[Message] = field(default_factory=lambda: [REQUEST])
    sent: list[Message] = field(default_factory=list)
    gone_after: int | None = None
    """After so many messages sending raises, as the specification's version 2.4 asks for."""

    async def receive(self) -> Message:
        if not self.incoming:
            await asyncio.Event().wait()
        return self.incoming.pop(0)

    async def send(self, message: Message) -> None:
        if len(self.sent) == self.gone_after:
            raise OSError("the client has left")
        self.sent.append(message)

    async def run(self, app: App, scope: Scope = CHAT) -> None:
        await app(scope, self.receive, self.send)


def tap(app: App, told: Told) -> Tap:
    """`app`, heard."""
    return Tap(app, models=("chat",), sender=told)
