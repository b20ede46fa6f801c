"""The `serve.inputs:` section: who may send data to the sidecar, and how much."""

from pydantic import Field

from tidegauge.config.values import PositiveSeconds, ReadableFile, Section

_MEBIBYTE = 1 << 20


class InputsConfig(Section):
    """Who may send data by HTTP: pushed requests, feedback, traces."""

    token_file: ReadableFile | None = Field(
        default=None,
        description="Tokens, one a line, each of 16 characters or more; a sender gives one as "
        "`Authorization: Bearer TOKEN`. Read again when it changes. Left out: only programs of "
        "this machine, and who has a password or certificate of the web configuration file.",
    )
    trust_loopback: bool = Field(
        default=True,
        description="Programs of this machine need no token. Set to false behind a reverse proxy "
        "on the same machine: whatever it passes on seems to come from here.",
    )
    max_body_bytes: int = Field(
        default=_MEBIBYTE,
        ge=1024,
        le=64 * _MEBIBYTE,
        description="Size of a request's body at most, after decompression.",
    )
    max_requests: int = Field(
        default=16, ge=1, description="Requests that are under way at most, for each input."
    )
    body_timeout: PositiveSeconds = Field(
        default=10.0, description="Time for a request's body to come."
    )
    requests_per_second: int = Field(
        default=1000, ge=1, description="For each input; twice as many may come at once."
    )
