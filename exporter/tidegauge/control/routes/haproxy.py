"""HAProxy (2.4 and later) through its runtime API on a UNIX socket.

Two facts order the commands. A dynamic server's check stays off until `enable health`; and
`state ready` counts as up before the first check, so a server is admitted only when its replica
has answered for itself.
"""

import asyncio
import contextlib
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegauge.control.routes.route import Member, RouteError, State

_SERVERS = 4  # object type in `show stat PROXY TYPE ID`
_GOOD = ("", "New server registered.", "Server deleted.")


@dataclass(frozen=True, slots=True)
class HaproxyRoute:
    """Implements Route over one backend."""

    socket: Path
    backend: str
    check_interval_seconds: float
    timeout_seconds: float

    async def members(self) -> Sequence[Member]:
        # Not by name: a frontend may have the backend's name, and would be shown instead.
        text = await self._ask(f"show stat -1 {_SERVERS} -1")
        if not text.startswith("# "):
            raise RouteError(
                f"{self.socket}: an unknown form of `show stat`: {text[:80].strip()!r}"
            )
        rows = csv.DictReader(io.StringIO(text.removeprefix("# ")))
        try:
            return [_member(row) for row in rows if row["pxname"] == self.backend]
        except (KeyError, ValueError) as error:
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
