"""A face on the network: its application, its sockets, and the rules that it goes by."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from tidegauge.web.face import SERVER, Face, application
from tidegauge.web.gate import Gate, Rules
from tidegauge.web.listening import Listening, Opened

logger = logging.getLogger(__name__)

_DRAIN_SECONDS = 1.0
_LINGER_SECONDS = 2.0  # for a body that nobody reads to end, also of a client that has left


@dataclass(frozen=True, slots=True)
class Limits:
    """What clients may hold of us.

    `idle_seconds` is the time between two requests of a connection, and that for one to arrive
    whole: longer than scrapers pause. `answer_seconds` is the time to take what we answer.
    """

    connections: int = 512
    idle_seconds: float = 120.0
    answer_seconds: float = 30.0


class Front:
    """Serves a face. `start` it once; `turn` it as often as its configuration changes."""

    def __init__(self, face: Face, rules: Rules, *, limits: Limits | None = None) -> None:
        self.gate = Gate(rules)
        self._limits = limits = limits or Limits()
        self._runner = web.AppRunner(
            application(face, self.gate, answer_seconds=limits.answer_seconds),
            shutdown_timeout=_DRAIN_SECONDS,
        )
        self._listening = Listening(self._connection, stalled_seconds=limits.answer_seconds)
        self._addresses: tuple[str, ...] = ()
        self._turning = asyncio.Lock()  # addresses and certificates change at times of their own

    @property
    def ports(self) -> tuple[int, ...]:
        """Where it listens, in the order of its addresses."""
        return self._listening.ports

    async def start(self, addresses: Iterable[str]) -> None:
        """Set up, and listen.

        Raises:
            OSError: an address cannot be had; the message names it.
        """
        await self.setup()
        try:
            opened = await self.open(addresses)
        except OSError:
            await self.close()
            raise
        await self.turn(addresses, opened)

    async def setup(self) -> None:
        """Be ready for `open` and `turn`."""
        await self._runner.setup()

    async def open(self, addresses: Iterable[str]) -> Opened:
        """Bind what `turn` is going to need.

        Raises:
            OSError: an address cannot be had; the message names it.
        """
        return await self._listening.open(addresses)

    async def turn(self, addresses: Iterable[str], opened: Opened) -> None:
        """Listen at these addresses and no others."""
        async with self._turning:
            self._addresses = tuple(addresses)
            tls = self.gate.rules.tls
            await self._listening.turn(self._addresses, opened, tls)
        for address in opened.sockets:
            logger.info("listening", extra={"address": address, "tls": "on" if tls else "off"})

    async def adopt(self, rules: Rules) -> None:
        """Go by other rules: new connections get the new certificate."""
        async with self._turning:
            self.gate.adopt(rules)
            await self._listening.turn(self._addresses, Opened(), rules.tls)

    async def close(self) -> None:
        """Stop listening, and let the last answers out for a moment."""
        self._listening.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= self._limits.connections:
            return _Refused()
        return _Connection(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # none: what AppRunner takes None for
            auto_decompress=False,  # an input unpacks its own; nobody else has a use for a body
            logger=_quiet_logger(),
            keepalive_timeout=self._limits.idle_seconds,
            lingering_time=_LINGER_SECONDS,
        )


class _Connection(web.RequestHandler):
    """Answers of aiohttp's own, less what they quote of a request: others may log answers."""

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if resp.status == HTTPStatus.EXPECTATION_FAILED:
            resp = web.Response(status=resp.status, text=f"{HTTPStatus(resp.status).phrase}\n")
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # it quotes
    ) -> web.StreamResponse:
        response = super().handle_error(request, status, exc, f"{HTTPStatus(status).phrase}\n")
        response.headers["Server"] = SERVER
        return response


class _Refused(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _NoGarbage(logging.Filter):
    """Bytes that are no HTTP are the sender's mistake: not for every log, and never an excerpt."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        if kind is None or not issubclass(kind, HttpProcessingError):
            return True
        record.msg, record.args = f"{record.getMessage()}: {kind.__name__}", ()
        record.exc_info = record.exc_text = None
        return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger(f"{__name__}.server")
    if not any(isinstance(each, _NoGarbage) for each in logger.filters):
        logger.addFilter(_NoGarbage())
    return logger
