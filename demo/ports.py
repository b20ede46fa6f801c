"""Which loopback port each part of the demo listens on: the usual one where it is free."""

import socket
from dataclasses import dataclass

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Ports:
    """One port per part that people or parts talk to."""

    chat: int
    haproxy_metrics: int
    prometheus: int
    alertmanager: int
    webhook: int
    control: int

    def at(self, port: int) -> str:
        return f"{_LOOPBACK}:{port}"


def usual_ports() -> Ports:
    """The ports that people expect; another free one where somebody else listens already."""
    return Ports(
        chat=_usual(8080),
        haproxy_metrics=_usual(8405),
        prometheus=_usual(9090),
        alertmanager=_usual(9093),
        webhook=_usual(9490),
        control=_usual(9480),
    )


def free_ports() -> Ports:
    """Six free ports, for tests that run beside each other and beside a demo."""
    sockets = [socket.create_server((_LOOPBACK, 0)) for _ in range(6)]
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return Ports(*ports)


def _usual(port: int) -> int:
    for wanted in (port, 0):
        try:
            with socket.create_server((_LOOPBACK, wanted)) as probe:
                return int(probe.getsockname()[1])
        except OSError:
            continue
    raise OSError(f"no free port on {_LOOPBACK}")
