"""HAProxy (2.5 and later) through its runtime API on a UNIX socket.

Two facts order the commands. A dynamic server's check stays off until `enable health`; and
`state ready` counts as up before the first check, so a server is admitted only when its replica
has answered for itself.
"""

import asyncio
import contextlib
import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegauge.control.routes.route import Member, RouteError, State

_BACKENDS_AND_SERVERS = 6  # object types in `show stat PROXY TYPE ID`
_GOOD = ("", "New server registered.", "Server deleted.")


@dataclass(frozen=True, slots=True)
class HaproxyRoute:
    """Implements Route over those servers of one backend that are named as the pool's replicas.

    Servers of other names, such as those in HAProxy's own configuration, are left alone.
    """

    socket: Path
    backend: str
    pool: str
    check_interval_seconds: float
    timeout_seconds: float

    async def members(self) -> Sequence[Member]:
        # Not by name: a frontend may have the backend's name, and would be shown instead.
        text = await self._ask(f"show stat -1 {_BACKENDS_AND_SERVERS} -1")
        if not (text.startswith("# ") and text.endswith("\n\n")):
            raise RouteError(f"{self.socket}: half an answer to `show stat`: {text[-80:]!r}")
        try:
            rows = list(csv.DictReader(io.StringIO(text.removeprefix("# "))))
            if not any((row["pxname"], row["svname"]) == (self.backend, "BACKEND") for row in rows):
                raise RouteError(f"{self.socket}: there is no backend {self.backend!r}")
            return [_member(row) for row in rows if self._is_ours(row)]
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise RouteError(f"{self.socket}: an unknown form of `show stat`: {error!r}") from None

    async def admit(self, name: str, address: str) -> None:
        known = {member.name: member for member in await self.members()}
        server = self._server(name)
        if name in known and known[name].address != address:
            await self.remove(name)
        if name not in known or known[name].address != address:
            interval = f"{max(1, round(self.check_interval_seconds * 1000))}ms"
            await self._do(f"add server {server} {address} check inter {interval} rise 1 fall 2")
        await self._do(f"enable health {server}")
        await self._do(f"set server {server} state ready")

    async def drain(self, name: str) -> None:
        await self._do(f"set server {self._server(name)} state drain")

    async def remove(self, name: str) -> None:
        await self._do(f"set server {self._server(name)} state maint")
        await self._do(f"shutdown sessions server {self._server(name)}")
        await self._do(f"del server {self._server(name)}")

    def _is_ours(self, row: dict[str, str]) -> bool:
        replica = re.fullmatch(rf"{re.escape(self.pool)}-[0-9a-f]{{8}}", row["svname"])
        return row["pxname"] == self.backend and replica is not None

    def _server(self, name: str) -> str:
        return f"{self.backend}/{name}"

    async def _do(self, command: str) -> None:
        answer = (await self._ask(command)).strip()
        if answer not in _GOOD:
            raise RouteError(f"{self.socket}: {command!r}: {answer}")

    async def _ask(self, command: str) -> str:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                return await self._exchange(command)
        except TimeoutError:
            message = f"{self.socket}: no answer within {self.timeout_seconds:g} s"
            raise RouteError(message) from None
        except OSError as error:
            raise RouteError(f"{self.socket}: {error.strerror or error}") from None

    async def _exchange(self, command: str) -> str:
        reader, writer = await asyncio.open_unix_connection(self.socket)
        try:
            writer.write(f"{command}\n".encode())
            await writer.drain()
            return (await reader.read()).decode(errors="replace")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _member(row: dict[str, str]) -> Member:
    return Member(
        name=row["svname"],
        address=row["addr"],
        state=_state(row["status"]),
        up=row["status"].startswith("UP"),
        connections=int(row["scur"] or 0),
    )


def _state(status: str) -> State:
    if status.startswith("MAINT"):
        return "maint"
    return "drain" if status.startswith("DRAIN") else "ready"
