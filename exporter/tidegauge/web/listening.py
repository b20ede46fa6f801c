"""Sockets that accept connections, and go over to other addresses or certificates unnoticed.

A socket is opened before another is closed. The listening socket itself outlives a change of
certificate: the next server accepts from a duplicate of it before the last one stops, so that no
connection finds nobody there; those that are open stay open.
"""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_BACKLOG = 512
_HANDSHAKE_SECONDS = 10.0

Factory = Callable[[], asyncio.BaseProtocol]


@dataclass(frozen=True, slots=True)
class Opened:
    """Sockets that are bound and not accepted from yet, by address."""

    sockets: Mapping[str, tuple[socket.socket, ...]] = field(default_factory=dict)

    def close(self) -> None:
        """Nobody is going to need them."""
        for each in self.sockets.values():
            _close(each)


class Listening:
    """Accepts connections for `factory`.

    `stalled_seconds` is how long a peer may leave what we sent unread or unconfirmed.
    """

    def __init__(self, factory: Factory, *, stalled_seconds: float | None = None) -> None:
        self._factory = factory
        self._stalled_seconds = stalled_seconds
        self._held: dict[str, tuple[socket.socket, ...]] = {}
        self._servers: dict[str, list[asyncio.Server]] = {}
        self._tls: ssl.SSLContext | None = None

    @property
    def ports(self) -> tuple[int, ...]:
        """The ports of its sockets, in the order of their addresses."""
        return tuple(each.getsockname()[1] for held in self._held.values() for each in held)

    async def open(self, addresses: Iterable[str]) -> Opened:
        """Bind those of `addresses` that are not listened on yet.

        Raises:
            OSError: one cannot be had; the message names it, and none is left open.
        """
        opened: dict[str, tuple[socket.socket, ...]] = {}
        try:
            for address in addresses:
                if address not in self._held:
                    opened[address] = await self._bound(address)
        except OSError:
            Opened(opened).close()
            raise
        return Opened(opened)

    async def turn(
        self, addresses: Iterable[str], opened: Opened, tls: ssl.SSLContext | None
    ) -> None:
        """Accept at `addresses` and nowhere else, with `tls` or without; `opened` is used up."""
        changed, self._tls = tls is not self._tls, tls
        held = {**self._held, **opened.sockets}
        self._held = {address: held[address] for address in addresses}
        for address, sockets in self._held.items():
            before = self._servers.get(address)
            if before is None or changed:
                servers = [await self._made(each) for each in sockets]
                self._servers[address] = servers  # before it waits: who is cancelled leaves none
                try:
                    for server in servers:
                        await server.start_serving()
                finally:
                    _stop(before or ())
        for address in held.keys() - self._held.keys():
            _stop(self._servers.pop(address, ()))
            _close(held[address])

    def close(self) -> None:
        """Accept no more; connections that are open stay so."""
        for address, sockets in self._held.items():
            _stop(self._servers.pop(address, ()))
            _close(sockets)
        self._held = {}

    async def _bound(self, address: str) -> tuple[socket.socket, ...]:
        bound: list[socket.socket] = []
        absent: OSError | None = None
        try:
            for family, name in await named_by(address):
                try:
                    bound.append(self._listen(family, name))
                except OSError as error:
                    if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                        raise
                    absent = error  # a host without IPv6 still calls ::1 localhost
            if absent and not bound:
                raise absent
        except OSError as error:
            _close(bound)
            # A name that is unknown has a number of its own, below 0, and says what it means.
            number = error.errno or 0
            reason = os.strerror(number) if number > 0 else error.strerror or str(error)
            raise OSError(number, f"cannot listen on {address}: {reason}") from None
        return tuple(bound)

    def _listen(self, family: int, name: tuple[object, ...]) -> socket.socket:
        made = socket.create_server(name[:2], family=family, backlog=_BACKLOG)
        if self._stalled_seconds:  # connections inherit it
            milliseconds = round(self._stalled_seconds * 1000)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        return made

    async def _made(self, listening: socket.socket) -> asyncio.Server:
        """A server that does not accept yet."""
        timeout = _HANDSHAKE_SECONDS if self._tls else None
        return await asyncio.get_running_loop().create_server(
            self._factory,
            sock=listening.dup(),
            ssl=self._tls,
            ssl_handshake_timeout=timeout,
            backlog=_BACKLOG,
            start_serving=False,
        )


async def named_by(address: str) -> tuple[tuple[int, tuple[object, ...]], ...]:
    """Each socket address that HOST:PORT means, and its family: without HOST, all there are.

    Raises:
        OSError: the host is unknown.
    """
    host, _, port = address.rpartition(":")
    found = await asyncio.get_running_loop().getaddrinfo(
        host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    return tuple((family, name) for family, _, _, _, name in found)


def _stop(servers: Iterable[asyncio.Server]) -> None:
    for server in servers:
        server.close()


def _close(sockets: Iterable[socket.socket]) -> None:
    for each in sockets:
        each.close()
