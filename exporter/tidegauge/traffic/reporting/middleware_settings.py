"""How the middleware is set: by the environment of the engine, which can give it no arguments.

A wrong value costs one line in the log and is as if it were not there: it never costs the engine.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.reporting.middleware_clients import client_key
from tidegauge.traffic.texts.embedding import (
    STATIC,
    Embedding,
    EmbeddingMissingError,
    Endpoint,
)
from tidegauge.traffic.texts.vector_settings import NO_VECTORS, VectorSettings
from tidegauge.traffic.texts.vectors import VECTOR_KINDS
from tidegauge.traffic.texts.vectors_onnx import onnx_of

logger = logging.getLogger(__name__)

SOCKET = "TIDEGAUGE_SOCKET"
MODELS = "TIDEGAUGE_MODELS"
VERSIONS = "TIDEGAUGE_VERSIONS"
VECTORS = "TIDEGAUGE_VECTORS"
VECTOR_SAMPLE_RATIO = "TIDEGAUGE_VECTOR_SAMPLE_RATIO"
VECTOR_BUDGET_RATIO = "TIDEGAUGE_VECTOR_BUDGET_RATIO"
SEMANTIC_URL = "TIDEGAUGE_SEMANTIC_URL"
SEMANTIC_MODEL = "TIDEGAUGE_SEMANTIC_MODEL"
SEMANTIC_DIMENSIONS = "TIDEGAUGE_SEMANTIC_DIMENSIONS"
SEMANTIC_API_KEY_FILE = "TIDEGAUGE_SEMANTIC_API_KEY_FILE"
SEMANTIC_CA_FILE = "TIDEGAUGE_SEMANTIC_CA_FILE"
SEMANTIC_ONNX = "TIDEGAUGE_SEMANTIC_ONNX"
SEMANTIC_TOKENIZER = "TIDEGAUGE_SEMANTIC_TOKENIZER"
SEMANTIC_MAX_TOKENS = "TIDEGAUGE_SEMANTIC_MAX_TOKENS"
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
    embedding = _embedding(variables) if "semantic" in kinds else STATIC
    return VectorSettings(
        tuple(k for k in VECTOR_KINDS if k in kinds and (k != "semantic" or embedding)),
        _ratio(VECTOR_SAMPLE_RATIO, variables, NO_VECTORS.sample_ratio),
        _ratio(VECTOR_BUDGET_RATIO, variables, NO_VECTORS.budget_ratio),
        embedding or STATIC,
    )


def _embedding(variables: Mapping[str, str]) -> Embedding | None:
    """None, and so no semantic vectors, where what is asked for can't be: another is no stand-in.

    Files of a model are read, about half a second, before the engine serves.
    """
    url, onnx = (variables.get(name, "").strip() for name in (SEMANTIC_URL, SEMANTIC_ONNX))
    if url and onnx:
        _unusable(SEMANTIC_ONNX, onnx, f"{SEMANTIC_URL} is set too; keep one of them")
        return None
    if url:
        return _endpoint(url, variables)
    if not onnx:
        return STATIC
    tokenizer = variables.get(SEMANTIC_TOKENIZER, "").strip()
    if not tokenizer:
        _unusable(SEMANTIC_ONNX, onnx, f"{SEMANTIC_TOKENIZER} is missing")
        return None
    tokens = _count(SEMANTIC_MAX_TOKENS, variables)
    try:
        return onnx_of(Path(onnx), Path(tokenizer), max_tokens=tokens or 256)
    except EmbeddingMissingError as error:
        _unusable(SEMANTIC_ONNX, onnx, str(error))
        return None


def _endpoint(url: str, variables: Mapping[str, str]) -> Endpoint | None:
    model = variables.get(SEMANTIC_MODEL, "").strip()
    if not _is_endpoint(url):
        logger.warning("tidegauge: %s: no URL such as http://HOST/v1/embeddings", SEMANTIC_URL)
        return None
    if not model:
        _unusable(SEMANTIC_URL, url, f"{SEMANTIC_MODEL} is missing")
        return None
    return Endpoint(
        url,
        model,
        dimensions=_count(SEMANTIC_DIMENSIONS, variables),
        api_key_file=_path(SEMANTIC_API_KEY_FILE, variables),
        ca_file=_path(SEMANTIC_CA_FILE, variables),
    )


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(
        parts.scheme in {"http", "https"}
        and host
        and parts.path
        and parts.username is None
        and url.isprintable()
        and " " not in url
    )


def _path(variable: str, variables: Mapping[str, str]) -> Path | None:
    text = variables.get(variable, "").strip()
    return Path(text) if text else None


def _count(variable: str, variables: Mapping[str, str]) -> int | None:
    text = variables.get(variable, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit() and 1 < int(text) <= 8192:  # noqa: PLR2004  # as in config
        return int(text)
    _wrong(variable, text, "write a whole number from 2 to 8192")
    return None


def _unusable(variable: str, value: str, right: str) -> None:
    _wrong(variable, value, f"{right}. No semantic vectors are made")


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
