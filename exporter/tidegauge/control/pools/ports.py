"""Free loopback ports for a replica."""

import socket
from collections.abc import Collection, Sequence


def free_ports(names: Sequence[str], taken: Collection[int]) -> dict[str, int]:
    """A free loopback port for each name, none of them in `taken`.

    Raises:
        OSError: there is none to be had.
    """
    ports: dict[str, int] = {}
    while len(ports) < len(names):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken and port not in ports.values():
            ports[names[len(ports)]] = port
    return ports
