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
_BACKUP = "-backup"  # behind a replica's name: the server that stands in for its own
# Where something stands in, the first refused connection is enough: HAProxy's own second try of
# that request already goes to whoever is up, and the check lets the server back in.
_NOTICES = "observe layer4 error-limit 1 on-error mark-down"
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
        rows = await self._rows()
        names = dict.fromkeys(name.removesuffix(_BACKUP) for name in rows)
        try:
            return [_member(name, rows.get(name), rows.get(f"{name}{_BACKUP}")) for name in names]
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise self._unknown_form(error) from None

    async def admit(self, name: str, address: str, backup: str = "") -> None:
        # The backup first: a replica whose own server is there counts as admitted.
        if backup:
            await self._serve(f"{name}{_BACKUP}", backup, "backup")
        await self._serve(name, address, _NOTICES if backup else "")

    async def drain(self, name: str) -> None:
        for each in await self._both(name):
            await self._do(f"set server {self._server(each)} state drain")

    async def remove(self, name: str) -> None:
        for each in await self._both(name):
            await self._delete(each)

    async def _serve(self, name: str, address: str, manner: str) -> None:
        known = (await self._rows()).get(name)
        if known and known["addr"] != address:
            await self._delete(name)
            known = None
        server = self._server(name)
        if not known:
            interval = f"{max(1, round(self.check_interval_seconds * 1000))}ms"
            check = f"check inter {interval} rise 1 fall 2"
            await self._do(f"add server {server} {address} {check} {manner}".rstrip())
        await self._do(f"enable health {server}")
        await self._do(f"set server {server} state ready")

    async def _delete(self, name: str) -> None:
        await self._do(f"set server {self._server(name)} state maint")
        await self._do(f"shutdown sessions server {self._server(name)}")
        await self._do(f"del server {self._server(name)}")

    async def _both(self, name: str) -> list[str]:
        """What is there of a replica: its backup, then its own server.

        In this order a removal that fails half-way is tried again: the replica is still a member.
        """
        rows = await self._rows()
        return [each for each in (f"{name}{_BACKUP}", name) if each in rows]

    async def _rows(self) -> dict[str, dict[str, str]]:
        """HAProxy's row of each server that is named as a replica of the pool, or as its backup."""
        # Not by name: a frontend may have the backend's name, and would be shown instead.
        text = await self._ask(f"show stat -1 {_BACKENDS_AND_SERVERS} -1")
        if not (text.startswith("# ") and text.endswith("\n\n")):
            raise RouteError(f"{self.socket}: half an answer to `show stat`: {text[-80:]!r}")
        try:
            rows = list(csv.DictReader(io.StringIO(text.removeprefix("# "))))
            if not any((row["pxname"], row["svname"]) == (self.backend, "BACKEND") for row in rows):
                raise RouteError(f"{self.socket}: there is no backend {self.backend!r}")
            return {row["svname"]: row for row in rows if self._is_ours(row)}
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise self._unknown_form(error) from None

    def _unknown_form(self, error: Exception) -> RouteError:
        return RouteError(f"{self.socket}: an unknown form of `show stat`: {error!r}")

    def _is_ours(self, row: dict[str, str]) -> bool:
        pattern = rf"{re.escape(self.pool)}-[0-9a-f]{{8}}({re.escape(_BACKUP)})?"
        return row["pxname"] == self.backend and re.fullmatch(pattern, row["svname"]) is not None

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


def _member(name: str, row: dict[str, str] | None, backup: dict[str, str] | None) -> Member:
    """A replica by its own server's row; a backup that is left alone is out of service."""
    connections = sum(int(each["scur"] or 0) for each in (row, backup) if each)
    if row is None:
        address = backup["addr"] if backup else ""
        return Member(name, address, "maint", up=False, connections=connections)
    return Member(
        name=name,
        address=row["addr"],
        state=_state(row["status"]),
        up=row["status"].startswith("UP"),
        connections=connections,
    )


def _state(status: str) -> State:
    if status.startswith("MAINT"):
        return "maint"
    return "drain" if status.startswith("DRAIN") else "ready"
