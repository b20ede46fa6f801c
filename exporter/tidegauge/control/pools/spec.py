"""What a replica of a process pool is made of."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One process of a replica; `{port}` and `{replica}` in its texts are filled in.

    `ready` is a URL that answers 200 when the process can serve. A part that `restarts` is one
    that the replica serves on without: once that has served, it is started again by itself.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    ready: str
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class ReplicaSpec:
    """What new replicas are made of, and how patient to be with all of them (seconds).

    `serve` and `scrape` name ports, and so does `backup` where it is not empty: what the route may
    send traffic to when nobody answers at `serve`. A replica's name is the pool's and eight
    hexadecimal digits: `chat-1f00ba12`.
    """

    pool: str
    ports: tuple[str, ...]
    serve: str
    scrape: str
    parts: tuple[Part, ...]
    start_timeout_seconds: float
    unhealthy_timeout_seconds: float
    kill_grace_seconds: float
    backup: str = ""


def filled(text: str, replica: str, ports: Mapping[str, int]) -> str:
    """`text` with its placeholders replaced.

    >>> filled("http://127.0.0.1:{engine}/health", "chat-1f00ba12", {"engine": 8000})
    'http://127.0.0.1:8000/health'
    """
    return text.format(replica=replica, **ports)
