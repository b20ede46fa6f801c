"""What has come over a non-blocking socket that keeps the bounds of datagrams (SOCK_SEQPACKET)."""

import socket
from collections.abc import Iterator

from tidegauge.traffic.reporting.datagram import BYTES_MAX


def received(connection: socket.socket, *, at_most: int) -> Iterator[bytes]:
    """The datagrams that have come, `at_most` so many; also those that a peer sent before it left.

    Raises:
        OSError: the peer has left, and nothing of it remains.
    """
    was_reset = False
    for _ in range(at_most):
        try:
            said = connection.recv(BYTES_MAX)
        except BlockingIOError:
            return
        except ConnectionResetError:  # said once, ahead of what still lies in the queue
            if was_reset:
                raise
            was_reset = True
            continue
        if not said:
            raise ConnectionResetError
        yield said
