"""The `serve.engine:` section."""

from typing import Literal

from pydantic import Field

from tidegauge.config.values import HttpUrl, PositiveSeconds, Section


class EngineReading(Section):
    """How an engine is read, wherever it is: what `serve.engine` and a probe's module share."""

    dialect: Literal["auto", "llamacpp", "vllm"] = Field(
        default="auto", description="Which engine it is; auto tells by the names of its metrics."
    )
    model: str = Field(
        default="", description="Model name for engines that do not say it (llama.cpp)."
    )
    timeout: PositiveSeconds = Field(default=3.0, description="When to give up on one read.")
    max_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="An answer larger than this is refused."
    )


class EngineConfig(EngineReading):
    """The inference engine beside this sidecar."""

    url: HttpUrl = Field(description="Base URL of the engine; its metrics are read at /metrics.")
    interval: PositiveSeconds = Field(default=5.0, description="Time between two reads.")
