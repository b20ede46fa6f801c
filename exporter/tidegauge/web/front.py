"""A face on the network: its application, its sockets, and the rules that it goes by."""

import asyncio
import logging
from collections.abc import Iterable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from tidegauge.web.face import Face, application
from tidegauge.web.gate import Gate, Rules
from tidegauge.web.listening import Listening, Opened

_CONNECTIONS = 512  # scrapers are few; whoever holds more wants to hold us
_IDLE_SECONDS = 120.0  # longer than scrapers wait; also the time for a request to arrive whole
_STALLED_SECONDS = 30.0
_DRAIN_SECONDS = 1.0


class Front:
    """Serves a face. `start` it once; `turn` it as often as its configuration changes."""

    def __init__(self, face: Face, rules: Rules, *, idle_seconds: float = _IDLE_SECONDS) -> None:
        self.gate = Gate(rules)
        self._runner = web.AppRunner(
            application(face, self.gate),
            access_log=None,
            logger=_quiet_logger(),
            keepalive_timeout=idle_seconds,
            shutdown_timeout=_DRAIN_SECONDS,
        )
        self._listening = Listening(self._connection, stalled_seconds=_STALLED_SECONDS)
        self._addresses: tuple[str, ...] = ()

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
        self._addresses = tuple(addresses)
        await self._listening.turn(self._addresses, opened, self.gate.rules.tls)

    async def adopt(self, rules: Rules) -> None:
        """Go by other rules: new connections get the new certificate."""
        self.gate.adopt(rules)
        await self._listening.turn(self._addresses, Opened(), rules.tls)

    async def close(self) -> None:
        """Stop listening, and let the last answers out for a moment."""
        self._listening.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.Protocol:
        server = self._runner.server
        if server is None or len(server.connections) >= _CONNECTIONS:
            return _Refused()
        return server()


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
