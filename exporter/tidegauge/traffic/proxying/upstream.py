"""The engine that a tap stands before: where it is, and a fresh connection to it."""

import asyncio
import base64
import ipaddress
import socket
import ssl
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

# As long as aiohttp and most resolvers' own caches: a service that moves is followed soon.
_NAMES_SECONDS = 10.0


class Upstream:
    """An engine's base URL such as "http://127.0.0.1:8080", taken apart.

    `prefix` stands before every request's path, `authority` is what Host is for a client that says
    none, and `authorization` what the URL's user and password are as a header, b"" without.
    Certificates of https are verified as the system does. `clock` is monotonic, in seconds.
    """

    def __init__(self, url: str, *, clock: Callable[[], float]) -> None:
        parts = urlsplit(url.rstrip("/"))
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self._clock = clock
        self._addresses: tuple[str, ...] = ()
        self._known_until = float("-inf")
        self.prefix = parts.path.encode()
        self.authority = parts.netloc.rpartition("@")[2].encode()
        self.authorization = b""
        if parts.username is not None:
            known = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self.authorization = b"Basic " + base64.b64encode(known.encode())

    async def connect(self, factory: Callable[[], asyncio.BaseProtocol], *, seconds: float) -> None:
        """Connect a protocol of `factory`, to the first of the host's addresses that answers.

        Raises:
            OSError: none does within `seconds` (TimeoutError is one), or none is known.
        """
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(seconds):
            *others, last = await self._found()
            for address in others:  # one that swallows what is sent leaves time for the next
                try:
                    async with asyncio.timeout(seconds / (len(others) + 1)):
                        await self._connected(loop, factory, address)
                        return
                except OSError:
                    continue
            await self._connected(loop, factory, last)

    async def _connected(
        self,
        loop: asyncio.AbstractEventLoop,
        factory: Callable[[], asyncio.BaseProtocol],
        address: str,
    ) -> None:
        name = self._host if self._tls else None
        await loop.create_connection(
            factory, address, self._port, ssl=self._tls, server_hostname=name
        )

    async def _found(self) -> tuple[str, ...]:
        if self._clock() >= self._known_until:
            self._addresses = await _addresses(self._host, self._port)
            self._known_until = self._clock() + _NAMES_SECONDS
        return self._addresses


async def _addresses(host: str, port: int) -> tuple[str, ...]:
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(name[0]) for *_, name in found))
