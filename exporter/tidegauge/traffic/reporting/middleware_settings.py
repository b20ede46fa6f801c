"""How the middleware is set: by the environment of the engine, which can give it no arguments.

A wrong value costs one line in the log and is as if it were not there: it never costs the engine.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.reporting.middleware_clients import client_key
from tidegauge.traffic.texts.vector_settings import NO_VECTORS, VectorSettings
from tidegauge.traffic.texts.vectors import VECTOR_KINDS

logger = logging.getLogger(__name__)

SOCKET = "TIDEGAUGE_SOCKET"
MODELS = "TIDEGAUGE_MODELS"
VERSIONS = "TIDEGAUGE_VERSIONS"
VECTORS = "TIDEGAUGE_VECTORS"
VECTOR_SAMPLE_RATIO = "TIDEGAUGE_VECTOR_SAMPLE_RATIO"
VECTOR_BUDGET_RATIO = "TIDEGAUGE_VECTOR_BUDGET_RATIO"
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
    vectors: VectorSettings = NO_VECTORS

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
        vectors=_vectors(variables),
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


def _vectors(variables: Mapping[str, str]) -> VectorSettings:
    kinds = _listed(variables.get(VECTORS, ""))
    for kind in set(kinds) - set(VECTOR_KINDS):
        _wrong(VECTORS, kind, f"write {' or '.join(VECTOR_KINDS)}")
    return VectorSettings(
        tuple(kind for kind in VECTOR_KINDS if kind in kinds),
        _ratio(VECTOR_SAMPLE_RATIO, variables, NO_VECTORS.sample_ratio),
        _ratio(VECTOR_BUDGET_RATIO, variables, NO_VECTORS.budget_ratio),
    )


def _ratio(variable: str, variables: Mapping[str, str], default: float) -> float:
    text = variables.get(variable, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0 < value <= 1:
        return value
    _wrong(variable, text, "write a number above 0 and up to 1")
    return default


def _wrong(variable: str, value: str, right: str) -> None:
    logger.warning("tidegauge: %s: %r is left out; %s", variable, value, right)
