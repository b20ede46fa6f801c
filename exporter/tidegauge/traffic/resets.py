"""Resets of connections: what came before one, and how to send one. asyncio does neither."""

import asyncio
import socket
import struct
from contextlib import suppress

_PIECE_BYTES = 64 << 10
_PIECES = 64


def left_behind(transport: asyncio.Transport | None) -> list[bytes]:
    """Up to 4 MiB that still lie unread in the socket of a connection that was lost.

    An engine that refuses a large body before it has read it does so: its answer has come,
    and lies unread behind the error that our own writing met.
    """
    plain = transport and transport.get_extra_info("ssl_object") is None
    inside = transport.get_extra_info("socket") if transport and plain else None
    found: list[bytes] = []
    if inside is None or inside.fileno() < 0:
        return found
    with suppress(OSError), socket.socket(fileno=socket.dup(inside.fileno())) as left:
        left.settimeout(0)
        while len(found) < _PIECES and (data := left.recv(_PIECE_BYTES)):
            found.append(data)
    return found


def reset_at_close(transport: asyncio.Transport) -> None:
    """From now on closing says that something went wrong: RST, not FIN."""
    at_once = struct.pack("ii", 1, 0)  # linger for 0 seconds
    inside: socket.socket = transport.get_extra_info("socket")
    inside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
