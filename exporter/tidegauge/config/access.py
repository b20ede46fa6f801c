"""How a sidecar reaches an engine that asks who is there: names as in Prometheus's scrape_config.

A value here may be a secret: no message repeats one, and no repr shows one.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator

from tidegauge.config.values import ReadableFile, Section


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("is no text; put it in quotes")  # noqa: TRY004 - pydantic's to catch
    if not value.strip() or not value.isprintable():
        raise ValueError("must be one line that is not empty")
    return value.strip()


def _scheme(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise ValueError(f"{text!r} is no scheme; write one word such as Bearer")
    if text.lower() == "basic":
        raise ValueError("basic authentication has a section of its own: basic_auth")
    return text


def _header_name(text: str) -> str:
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"{text!r} is no header; write a name such as X-Api-Key")
    if text.lower() in {"authorization", "host", "content-length", "accept", "accept-encoding"}:
        raise ValueError(f"{text} is not for `headers`; see authorization and basic_auth")
    return text


def mapping(value: object) -> object:
    """Refuses anything else without repeating it, as pydantic would: it may be a secret."""
    if not isinstance(value, dict):
        raise ValueError("must be a mapping of keys")  # noqa: TRY004 - pydantic's to catch
    return value


def _pairs(value: object) -> object:
    """`{model: x, tag: [a, b]}` as ((model, x), (tag, a), (tag, b))."""
    if not isinstance(value, dict):
        raise ValueError("must be a mapping of names to values")  # noqa: TRY004 - pydantic's
    many = [(name, v if isinstance(v, list) else [v]) for name, v in value.items()]
    return tuple((str(name), _written(one)) for name, all_of_them in many for one in all_of_them)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()  # as in the query, and in YAML
    if not isinstance(value, str | int | float):
        raise ValueError("must be texts, or lists of texts")  # noqa: TRY004 - pydantic's to catch
    return str(value)


def _header_values(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("must be a mapping of names to values")  # noqa: TRY004 - pydantic's
    return value


Secret = Annotated[SecretStr, BeforeValidator(_text)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
Headers = Annotated[dict[HeaderName, Secret], BeforeValidator(_header_values)]
Params = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)]


class AuthorizationConfig(Section):
    """The `Authorization` header: an API key, most often."""

    type: Annotated[str, AfterValidator(_scheme)] = Field(
        default="Bearer", description="Word before the credentials."
    )
    credentials: Secret | None = Field(
        default=None, description="The key itself. A file is safer: see credentials_file."
    )
    credentials_file: ReadableFile | None = Field(
        default=None, description="File that holds the key; read anew for each request."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.credentials is None) == (self.credentials_file is None):
            raise ValueError("give one of credentials_file and credentials")
        return self


class EngineTlsConfig(Section):
    """TLS towards the engine. Files that change are read anew."""

    ca_file: ReadableFile | None = Field(
        default=None, description="CA bundle to trust, instead of the system's."
    )
    cert_file: ReadableFile | None = Field(default=None, description="Client certificate.")
    key_file: ReadableFile | None = Field(default=None, description="Client key, not encrypted.")
    server_name: str | None = Field(
        default=None, min_length=1, description="Name that the certificate must have."
    )
    insecure_skip_verify: bool = Field(default=False, description="Accept any certificate.")

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if self.key_file and not self.cert_file:
            raise ValueError("cert_file: is missing; key_file is of no use without it")
        return self
