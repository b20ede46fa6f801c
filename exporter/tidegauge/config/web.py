"""The web configuration file, as Prometheus's exporter-toolkit documents it.

TLS, passwords, headers. It is a file of its own (`--web.config.file`), so that one can serve every
exporter of a host.
What Python's TLS cannot do is a mistake that names the key, never a promise that is not kept.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tidegauge.config.load import ConfigError, read_mapping, validated
from tidegauge.config.values import Section, seconds

ClientAuth = Literal["NoClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"]
Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
Curve = Literal["CurveP256", "CurveP384", "CurveP521", "X25519"]

_VERSIONS = ("TLS10", "TLS11", "TLS12", "TLS13")
_UNCHECKED = ("RequestClientCert", "RequireClientCert", "RequireAnyClientCert")
_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_LEAST_COST, _GREATEST_COST = 4, 31
# The headers that may be set, and the values that a header is limited to; () is anything.
_HEADERS: dict[str, tuple[str, ...]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}


class WebTls(Section):
    """Without it, plain HTTP is served."""

    cert: str = Field(default="", description="Certificate chain, PEM, in the file itself.")
    key: str = Field(default="", repr=False, description="Private key, PEM, in the file itself.")
    client_ca: str = Field(default="", description="Authorities of clients, PEM.")
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    client_auth_type: Literal["", ClientAuth] = ""
    client_allowed_sans: tuple[str, ...] | None = None
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: tuple[str, ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: tuple[Curve, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _checked(cls, keys: object) -> object:
        kind = keys.get("client_auth_type") if isinstance(keys, dict) else None
        if kind in _UNCHECKED:
            raise ValueError(
                f"client_auth_type: {kind!r} takes certificates that nobody has checked, which is "
                "not supported; write RequireAndVerifyClientCert or VerifyClientCertIfGiven"
            )
        return keys

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if not self.enabled:
            return self
        for name in ("cert", "key"):
            inline, file = getattr(self, name), getattr(self, f"{name}_file")
            if not inline and not file:
                raise ValueError(f"{name}_file: is missing; give it, or {name}")
            if inline and file:
                raise ValueError(f"{name}: is given beside {name}_file; keep one")
        if self.client_ca and self.client_ca_file:
            raise ValueError("client_ca: is given beside client_ca_file; keep one")
        if (self.client_ca or self.client_ca_file) and not self._asks_clients:
            raise ValueError(
                "client_auth_type: is missing; with client_ca_file, write "
                "RequireAndVerifyClientCert or VerifyClientCertIfGiven"
            )
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        required = self.client_auth_type == "RequireAndVerifyClientCert"
        if self.client_allowed_sans is not None and not required:
            raise ValueError(
                "client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert; other "
                "clients show no name that somebody has checked"
            )
        if self.max_version in ("TLS10", "TLS11"):
            raise ValueError(
                f"max_version: {self.max_version!r} is too old for OpenSSL; write TLS12 or TLS13"
            )
        if _VERSIONS.index(self.min_version) > _VERSIONS.index(self.max_version):
            raise ValueError(
                f"min_version: {self.min_version} is above max_version ({self.max_version})"
            )
        return self

    @property
    def enabled(self) -> bool:
        """Whether TLS is asked for: any of these keys says so, as in the exporter-toolkit."""
        return any(
            (
                self.cert,
                self.key,
                self.client_ca,
                self.cert_file,
                self.key_file,
                self.client_ca_file,
                self.client_auth_type,
            )
        )

    @property
    def _asks_clients(self) -> bool:
        return self.client_auth_type not in ("", "NoClientCert")


class WebHttp(Section):
    """How answers look."""

    http2: bool = Field(default=True, description="Accepted without effect: HTTP/1.1 is spoken.")
    headers: dict[str, str] = Field(default={})

    @model_validator(mode="after")
    def _known_headers(self) -> Self:
        for name, value in self.headers.items():
            if name not in _HEADERS:
                raise ValueError(
                    f"headers: {name!r} can not be set; known here: {', '.join(_HEADERS)}"
                )
            allowed = _HEADERS[name]
            if value and allowed and value not in allowed:
                raise ValueError(f"headers: {name} is {value!r}; write {' or '.join(allowed)}")
            if not value.isprintable():
                raise ValueError(f"headers: {name} is {value!r}; write one line")
        return self


def _interval(value: object) -> float:
    return 0.0 if value in (0, "0") and not isinstance(value, bool) else seconds(value)


class WebRate(Section):
    """A token bucket: `burst` requests at once, and one more per `interval`."""

    interval: Annotated[float, BeforeValidator(_interval)] = 0.0
    burst: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _lets_something_through(self) -> Self:
        if self.interval and not self.burst:
            raise ValueError("burst: is missing; without it every request would be refused")
        return self


class WebConfig(Section):
    """The whole of a web configuration file."""

    tls_server_config: WebTls = WebTls()
    http_server_config: WebHttp = WebHttp()
    basic_auth_users: dict[str, str] = Field(default={}, repr=False)
    rate_limit: WebRate = WebRate()

    @model_validator(mode="after")
    def _hashed(self) -> Self:
        for user, password in self.basic_auth_users.items():
            found = _BCRYPT.fullmatch(password)
            if not found or not _LEAST_COST <= int(found[1]) <= _GREATEST_COST:
                raise ValueError(
                    f"basic_auth_users: the password of {user!r} is no bcrypt hash; "
                    "write what `htpasswd -nBC 10 NAME` prints after the colon"
                )
        return self


def load_web(path: Path) -> WebConfig:
    """The web configuration in `path`.

    Raises:
        ConfigError: one line per mistake, each with the file's name.
    """
    tree = read_mapping(path)
    try:
        return validated(WebConfig, tree)
    except ConfigError as error:
        raise ConfigError([f"{path}: {line}" for line in error.lines]) from None
