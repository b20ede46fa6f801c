"""How the middleware is set: by the environment of the engine, which can give it no arguments.

A wrong value costs one line in the log and is as if it were not there: it never costs the engine.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.middleware_clients import client_key

logger = logging.getLogger(__name__)

SOCKET = "TIDEGAUGE_SOCKET"
MODELS = "TIDEGAUGE_MODELS"
VERSIONS = "TIDEGAUGE_VERSIONS"
DEFAULT_SOCKET = "/run/tidegauge/traffic.sock"

SOCKET_BYTES_MAX = 107  # what the kernel takes as the path of a socket, less the NUL at its end


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the sidecar listens, and what may be said by name.

    Without `models` the sidecar is asked for them. `versions` says which version a model runs in.
    """

    socket: str = DEFAULT_SOCKET
    models: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    clients: ClientKey | None = None

    def labelling(self, models: tuple[str, ...] | None = None) -> Labelling:
        """What may become a label; `models` are those of the sidecar, for want of our own."""
        return Labelling(frozenset(self.models or models or ()), self.versions, self.clients)


def from_environment(variables: Mapping[str, str]) -> Settings:
    """What the TIDEGAUGE_… variables ask for.

    >>> asked = from_environment({"TIDEGAUGE_MODELS": "chat, code", "TIDEGAUGE_VERSIONS": "chat=7"})
    >>> asked.models, asked.versions
    (('chat', 'code'), {'chat': '7'})
    """
    return Settings(
        socket=_socket(variables.get(SOCKET, "").strip()),
        models=_listed(variables.get(MODELS, "")),
        versions=_versions(variables.get(VERSIONS, "")),
        clients=client_key(variables),
    )


def _socket(path: str) -> str:
    if not path:
        return DEFAULT_SOCKET
    if not path.startswith("/"):
        _wrong(SOCKET, path, "write an absolute path")
        return DEFAULT_SOCKET
    if len(path.encode()) > SOCKET_BYTES_MAX:
        _wrong(SOCKET, path, f"a socket's path has at most {SOCKET_BYTES_MAX} bytes")
        return DEFAULT_SOCKET
    return path


def _listed(text: str) -> tuple[str, ...]:
    return tuple(name for part in text.split(",") if (name := part.strip()))


def _versions(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _listed(text):
        model, separator, version = part.partition("=")
        if separator and model.strip() and version.strip():
            found[model.strip()] = version.strip()
        else:
            _wrong(VERSIONS, part, "write MODEL=VERSION,MODEL=VERSION")
    return found


def _wrong(variable: str, value: str, right: str) -> None:
    logger.warning("tidegauge: %s: %r is left out; %s", variable, value, right)
