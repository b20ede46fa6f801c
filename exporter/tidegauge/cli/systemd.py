"""Tells systemd how we are (sd_notify): ready, reloading, stopping, and alive every few seconds.

The protocol is a datagram of NAME=VALUE lines to the socket that NOTIFY_SOCKET names. Without
one, and when nobody takes it, nothing happens: no service fails because its manager is deaf.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Mapping
from typing import Literal

logger = logging.getLogger(__name__)

Stage = Literal["ready", "reloading", "stopping"]


class Notifier:
    """`address` is a path, or a name in the abstract namespace that begins with @; None: be silent.

    `watchdog_seconds` is within how long systemd wants to hear that we live, None if it does not.
    """

    def __init__(self, address: str | None, *, watchdog_seconds: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self._watchdog_seconds = watchdog_seconds

    def tell(self, stage: Stage) -> None:
        """Say what we are doing."""
        match stage:
            case "ready":
                self._send("READY=1")
            case "reloading":  # the time is how systemd tells this reload's READY=1 from another's
                self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
            case "stopping":
                self._send("STOPPING=1")

    async def keep_alive(self) -> None:
        """Say that we live, twice as often as asked; an event loop that is stuck says nothing."""
        if self._watchdog_seconds is None:
            return
        while True:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / 2)

    def _send(self, text: str) -> None:
        if self._address is None:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(0)
                sender.sendto(text.encode(), self._address)
        except OSError as error:
            logger.debug("systemd not told", extra={"text": text, "error": str(error)})


def notifier(environment: Mapping[str, str], *, pid: int) -> Notifier:
    """What systemd's variables ask of the process `pid`."""
    address = environment.get("NOTIFY_SOCKET") or None
    microseconds = environment.get("WATCHDOG_USEC", "")
    ours = environment.get("WATCHDOG_PID") in (None, "", str(pid))
    watched = ours and microseconds.isdigit() and int(microseconds) > 0
    return Notifier(address, watchdog_seconds=int(microseconds) / 1e6 if watched else None)


def our_notifier() -> Notifier:
    """The notifier of this process."""
    return notifier(os.environ, pid=os.getpid())
