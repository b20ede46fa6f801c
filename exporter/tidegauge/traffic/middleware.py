"""ASGI middleware that hears completions as they pass, inside of the engine's own process.

    vllm serve MODEL --middleware tidegauge.traffic.middleware.Tap
    app.add_middleware(Tap)

It adds no hop and changes nothing: every message goes on as the very object that it came as, and
nothing that goes wrong in here is raised into the application. Only the standard library, NumPy
and our own modules are imported, since an engine has its own releases of all else. What is
measured goes to the sidecar (`traffic/reporting/sending.py`).
"""

import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.hearing.wire import End, Wire, is_measured
from tidegauge.traffic.reporting.middleware_features import Featuring
from tidegauge.traffic.reporting.middleware_settings import Settings, from_environment
from tidegauge.traffic.reporting.sending import Sender
from tidegauge.traffic.texts.embedding import mark

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, object]
Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_INTERNAL_SERVER_ERROR = 500  # what every ASGI server answers for an application that raised


class Telling(Protocol):
    """Who is told of what passes; see `Sender`, which does it for good."""

    def start(self) -> None: ...
    def begin(self) -> None: ...
    def stream(self) -> None: ...
    def end(self, *, streaming: bool) -> None: ...
    def put(self, exchange: Exchange) -> None: ...
    def drop(self) -> None: ...
    def leave_out(self, vectors: int) -> None: ...
    def flush(self) -> None: ...


class Tap:
    """Hears `app`. What is not given is taken from the environment (`middleware_settings.py`).

    Args:
        app: any ASGI application.
        socket: where the sidecar listens.
        models: names of models that may be said; left out, the sidecar is asked for them.
        versions: which version a model runs in.
        sender: who is told instead of a sidecar.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        app: App,
        *,
        socket: str | None = None,
        models: tuple[str, ...] | None = None,
        versions: Mapping[str, str] | None = None,
        sender: Telling | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        found = from_environment(os.environ)
        settings = Settings(
            socket=socket or found.socket,
            models=found.models if models is None else tuple(models),
            versions=found.versions if versions is None else versions,
            clients=found.clients,
            vectors=found.vectors,
        )
        self._app = app
        self._clock = clock
        self._settings = settings
        self._labelling = settings.labelling()
        self._sender: Telling = sender or Sender(
            settings.socket, on_names=self._name, embedding=mark(settings.vectors.embedding)
        )
        self._featuring = Featuring(settings.vectors, self._leave_out)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on one request, connection or life of the application."""
        self._sender.start()
        passing = self._heard(scope, receive, send)
        if passing is not None:
            await passing.through(self._app, scope)
            return
        try:
            await self._app(scope, receive, send)
        finally:
            if scope.get("type") == "lifespan":  # over: a server may run no exit handler after it
                self._featuring.close()
                self._sender.flush()

    def _heard(self, scope: Scope, receive: Receive, send: Send) -> "_Passing | None":
        try:
            if scope.get("type") != "http":
                return None
            path = str(scope.get("path"))
            if not is_measured(str(scope.get("method")), path):
                return None
            header = self._labelling.client_header
            client = (
                self._labelling.client(_header(scope, header.lower().encode())) if header else ""
            )
            begun = self._clock()
            wire = Wire(labelling=self._labelling, begun=begun, path=path, client=client)
            heard = _Heard(wire, self._sender, self._featuring, self._clock)
            return _Passing(heard, receive, send)
        except Exception as error:  # noqa: BLE001  # our mistake must not cost the engine a request
            _confess(error)
            return None

    def _leave_out(self) -> None:
        self._sender.leave_out(1)

    def _name(self, models: tuple[str, ...]) -> None:
        """The sidecar has said which models it knows; our own settings go first."""
        self._labelling = self._settings.labelling(models)


@dataclass(frozen=True, slots=True)
class _Heard:
    """Who hears one request, makes features of it, and tells of it; `clock` as above."""

    wire: Wire
    sender: Telling
    featuring: Featuring
    clock: Callable[[], float]


class _Passing:
    """One request on its way through. It is over when its answer is, not when `app` returns."""

    def __init__(self, heard: _Heard, receive: Receive, send: Send) -> None:
        self._wire = heard.wire
        self._sender = heard.sender
        self._featuring = heard.featuring
        self._clock = heard.clock
        self._receive = receive
        self._send = send
        self._left = False  # the client
        self._begun = False  # the answer
        self._over = False
        self._streaming = False
        self._sender.begin()

    async def through(self, app: App, scope: Scope) -> None:
        end: End | None = None
        try:
            await app(scope, self.receive, self.send)
        except Exception:
            end = "aborted" if self._left else self._failed()
            raise
        except BaseException:  # cancelled, or its generator closed: nobody waits for an answer
            end = "aborted"
            raise
        finally:
            if not self._over:
                self._end(end or ("aborted" if self._left else self._failed()))

    async def receive(self) -> Message:
        message = await self._receive()
        if not self._over:
            try:
                self._hear_request(message)
            except Exception as error:  # noqa: BLE001  # it goes on, unmeasured
                self._give_up(error)
        return message

    async def send(self, message: Message) -> None:
        if self._over:
            await self._send(message)
            return
        now = self._clock()
        try:
            await self._send(message)  # first: nobody waits for us
        except OSError:
            self._left = True
            raise
        try:
            self._hear_answer(message, now)
        except Exception as error:  # noqa: BLE001  # same
            self._give_up(error)

    def _hear_request(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.disconnect":
            self._left = True
        elif kind == "http.request":
            self._wire.request_piece(_bytes(message.get("body")))
            if not message.get("more_body"):
                self._wire.request_end()

    def _hear_answer(self, message: Message, now: float) -> None:
        kind = message["type"]
        if kind == "http.response.body":
            piece = message.get("body")
            if piece:
                self._wire.answer_piece(_bytes(piece), now)
            if not message.get("more_body"):
                self._end("aborted" if self._left else "complete")
        elif kind == "http.response.start":
            self._head(message)
        elif kind == "http.response.pathsend":
            self._end("aborted" if self._left else "complete")

    def _head(self, message: Message) -> None:
        status = message["status"]
        self._begun = True
        self._wire.answer_head(
            status if isinstance(status, int) else _INTERNAL_SERVER_ERROR,
            content_type=_header(message, b"content-type"),
            content_encoding=_header(message, b"content-encoding"),
        )
        if self._wire.streamed and not self._streaming:
            self._streaming = True
            self._sender.stream()

    def _failed(self) -> Literal["complete", "cut"]:
        """What becomes of an application that raised, or returned without an answer's end.

        Before it has begun to answer, the server answers 500 in its place.
        """
        if self._begun:
            return "cut"
        try:
            self._wire.answer_head(_INTERNAL_SERVER_ERROR, content_type="", content_encoding="")
        except Exception as error:  # noqa: BLE001  # same
            self._give_up(error)
        return "complete"

    def _end(self, how: End) -> None:
        if self._over:
            return
        self._over = True
        self._sender.end(streaming=self._streaming)
        try:
            self._featuring.measure(self._wire.end(how, self._clock()), self._sender.put)
        except Exception as error:  # noqa: BLE001  # same
            _confess(error)
            self._sender.drop()

    def _give_up(self, error: Exception) -> None:
        _confess(error)
        if not self._over:
            self._over = True
            self._sender.end(streaming=self._streaming)
            self._sender.drop()


def _confess(error: Exception) -> None:
    """Its class and no more: a message may have some of the request in it."""
    logger.error("tidegauge: a request is not measured: %s", type(error).__name__)


def _bytes(piece: object) -> bytes:
    if isinstance(piece, bytes):
        return piece
    return bytes(piece) if isinstance(piece, bytearray | memoryview) else b""


def _header(message: Message, name: bytes) -> str:
    """The value of a header; "" where it is absent. An iterator is not ours to use up."""
    headers = message.get("headers")
    if not isinstance(headers, list | tuple):
        return ""
    for pair in headers:
        if bytes(pair[0]).lower() == name:
            return bytes(pair[1]).decode("latin-1")
    return ""
