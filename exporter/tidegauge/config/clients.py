"""The `serve.traffic.clients:` section: how clients are told apart, and how many get a series."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tidegauge.config.values import ReadableFile, Section

_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")  # RFC 9110, 5.6.2


def _header_name(text: str) -> str:
    if not text or not set(text.lower()) <= _TOKEN:
        raise ValueError(f"{text!r} is no header; write a name such as X-Api-Key")
    return text


class ClientsConfig(Section):
    """Requests and tokens by client, as a keyed hash, for those who have most."""

    header: Annotated[str, AfterValidator(_header_name)] | None = Field(
        default=None,
        description="The request header that names the client, such as X-Api-Key or Authorization. "
        "Only a keyed hash of its value is kept.",
    )
    body: Literal["user", "safety_identifier"] | None = Field(
        default=None, description="The field of the request's JSON that names it, instead."
    )
    top: int = Field(
        default=10,
        ge=1,
        le=50,
        description="How many clients have a series of their own, by requests and by tokens; "
        "the rest is `other`.",
    )
    secret_file: ReadableFile | None = Field(
        default=None,
        description="The hash's secret, 16 bytes or more, the same for all replicas. Left out: a "
        "random one per start, so that a client has another name on each replica and after each "
        "restart.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.header is None) == (self.body is None):
            raise ValueError("give one of header and body")
        return self
