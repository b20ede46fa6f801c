"""The `serve.otlp:` section: traces of programs that measure their requests already."""

from typing import Literal

from pydantic import Field

from tidegauge.config.values import Section

_MEBIBYTE = 1 << 20


class OtlpConfig(Section):
    """OTLP/HTTP traces, taken at `/v1/traces` and measured as the tap's requests are."""

    enabled: bool = Field(
        default=False, description="Needs `serve.traffic`, and `pip install 'tidegauge[otlp]'`."
    )
    count: Literal["all", "client", "server"] = Field(
        default="all",
        description="Spans of which side are requests. Where both the application and the engine "
        "send spans, name one, or each request counts twice.",
    )
    max_body_bytes: int = Field(
        default=8 * _MEBIBYTE,
        ge=64 * 1024,
        le=64 * _MEBIBYTE,
        description="Size of a request's body at most, after decompression.",
    )
