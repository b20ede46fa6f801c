"""The `serve.engine:` and `serve.discovery:` sections."""

import difflib
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from tidegauge.config.access import (
    AuthorizationConfig,
    EngineTlsConfig,
    HeaderName,
    Headers,
    Params,
    mapping,
)
from tidegauge.config.control import BasicAuthConfig
from tidegauge.config.dialect import DialectConfig
from tidegauge.config.values import HttpUrl, PositiveSeconds, ReadableFile, Section
from tidegauge.engines import ENGINES
from tidegauge.sources.discovery import USUAL_PORTS

_DIALECTS = ("auto", *(dialect.name for dialect in ENGINES), "custom")


def _bare(text: object) -> object:
    """A URL without what has a key of its own; a user name may come with a password."""
    if not isinstance(text, str):
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return text  # the next check says so
    if "@" in parts.netloc:
        raise ValueError("has a user name in it; write basic_auth with a password_file instead")
    if parts.query or parts.fragment:
        raise ValueError("has a query or a fragment; write params instead")
    return text


def _dialect(text: str) -> str:
    if text not in _DIALECTS:
        close = difflib.get_close_matches(text, _DIALECTS, n=1)
        right = f"did you mean {close[0]}?" if close else f"write one of {', '.join(_DIALECTS)}"
        raise ValueError(f"{text!r} is no dialect; {right}")
    return text


def _path(text: str) -> str:
    if not text.startswith("/") or not text.isprintable() or set(text) & set("?# "):
        raise ValueError(f"{text!r} is no path; write one such as /metrics, without a query")
    return text


class EngineReading(Section):
    """How an engine is read, wherever it is: all but its address."""

    metrics_path: Annotated[str, AfterValidator(_path)] | None = Field(
        default=None,
        description="Path of its metrics below `url`; by default where engines of its dialect "
        "have them, tried in turn.",
    )
    dialect: Annotated[str, AfterValidator(_dialect)] = Field(
        default="auto",
        description="Which engine it is: auto tells by the names of its metrics; otherwise one "
        f"of {', '.join(_DIALECTS[1:])}.",
    )
    custom: DialectConfig | None = Field(
        default=None, description="An engine that we don't know, described (custom-engine.md)."
    )
    model: str = Field(
        default="", description="Model name for engines that do not say it (llama.cpp)."
    )
    timeout: PositiveSeconds = Field(default=3.0, description="When to give up on one read.")
    max_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="An answer larger than this is refused."
    )
    params: Params = Field(
        default=(),
        repr=False,
        description="Query of the request, such as `{model: NAME}` for llama.cpp as a router; "
        "with a model, `autoload: false` is added, so that reading never loads one.",
    )
    authorization: Annotated[AuthorizationConfig, BeforeValidator(mapping)] | None = Field(
        default=None, description="`Authorization` header, such as an API key."
    )
    basic_auth: Annotated[BasicAuthConfig, BeforeValidator(mapping)] | None = Field(
        default=None, description="HTTP basic authentication, instead of authorization."
    )
    headers: Headers = Field(default={}, description="Extra request headers.")
    header_files: dict[HeaderName, ReadableFile] = Field(
        default={}, description="The same for secrets: each value is the content of a file."
    )
    tls_config: EngineTlsConfig = EngineTlsConfig()

    @model_validator(mode="after")
    def _custom_is_meant(self) -> Self:
        if self.dialect == "custom" and self.custom is None:
            raise ValueError("custom: is missing, and dialect is custom; see docs/custom-engine.md")
        if self.custom and self.dialect not in {"auto", "custom"}:
            raise ValueError(f"custom: is not read, since dialect is {self.dialect}; leave it out")
        return self

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.authorization and self.basic_auth:
            raise ValueError("authorization and basic_auth are both set; keep one of them")
        twice = sorted({*self.headers} & {*self.header_files})
        if twice:
            raise ValueError(f"headers: {twice[0]} is in header_files too; keep one of them")
        return self


class EngineConfig(EngineReading):
    """The inference engine beside this sidecar."""

    url: Annotated[HttpUrl, BeforeValidator(_bare)] = Field(
        description="Base URL of the engine, with its path prefix if it has one."
    )
    interval: PositiveSeconds = Field(default=5.0, description="Time between two reads.")


class DiscoveryConfig(Section):
    """Looks for an engine at the usual ports of this machine while `serve.engine` is left out."""

    enabled: bool = Field(default=True, description="False: without serve.engine none is read.")
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(
        default=USUAL_PORTS,
        min_length=1,
        max_length=32,
        description="Ports of 127.0.0.1, the first that answers as an engine is taken; our own "
        "are left out.",
    )
    interval: PositiveSeconds = Field(
        default=30.0, description="Time between two looks while there is none."
    )

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len(set(self.ports)) != len(self.ports):
            raise ValueError(f"ports: must differ (got {', '.join(map(str, self.ports))})")
        return self
