"""The `serve:` section: what the sidecar reads and where it listens."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tidegauge.config.values import Address, HttpUrl, PositiveSeconds, ReadableFile, Section


class GpuConfig(Section):
    """GPUs through NVML."""

    enabled: bool = Field(default=True, description="Read GPUs; false on machines without one.")
    interval: PositiveSeconds = Field(default=1.0, description="Time between two reads.")
    timeout: PositiveSeconds = Field(
        default=2.0, description="A device that has not answered by then costs its own series."
    )


class EngineConfig(Section):
    """The inference engine beside this sidecar."""

    url: HttpUrl = Field(description="Base URL of the engine; its metrics are read at /metrics.")
    dialect: Literal["auto", "llamacpp", "vllm"] = Field(
        default="auto", description="Which engine it is; auto tells by the names of its metrics."
    )
    model: str = Field(
        default="", description="Model name for engines that do not say it (llama.cpp)."
    )
    interval: PositiveSeconds = Field(default=5.0, description="Time between two reads.")
    timeout: PositiveSeconds = Field(default=3.0, description="When to give up on one read.")
    max_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, description="An answer larger than this is refused."
    )


class TrafficConfig(Section):
    """The traffic tap: a reverse proxy in front of the engine that measures each request."""

    listen_address: Address = Field(description="Where the tap accepts requests.")
    upstream: HttpUrl | None = Field(
        default=None, description="Where it passes them on; the engine's URL by default."
    )
    models: tuple[str, ...] = Field(
        default=(),
        description="Model names that become label values; any other name is counted as `other`.",
    )
    connect_timeout: PositiveSeconds = Field(
        default=5.0, description="When to give up on reaching the engine."
    )


class DriftConfig(Section):
    """Drift of requests and answers against a reference."""

    references: tuple[ReadableFile, ...] = Field(
        description="Files written by `tidegauge reference build`, one per model."
    )
    window: PositiveSeconds = Field(
        default=600.0, description="Age at which a request leaves the window."
    )
    window_requests: int = Field(
        default=1000, ge=20, description="Requests in the window at most; the oldest leave first."
    )
    min_requests: int = Field(
        default=100, ge=20, description="No score before the window holds this many requests."
    )
    interval: PositiveSeconds = Field(default=5.0, description="Time between two scores.")

    @model_validator(mode="after")
    def _scorable(self) -> Self:
        if self.min_requests > self.window_requests:
            raise ValueError(
                f"min_requests: {self.min_requests} is more than window_requests "
                f"({self.window_requests}); the window could never be scored"
            )
        return self


class ServeConfig(Section):
    """The sidecar exporter, `tidegauge serve`."""

    listen_address: Address = Field(
        default="127.0.0.1:9470", description="Where /metrics, /-/healthy and / are served."
    )
    gpu: GpuConfig = GpuConfig()
    engine: EngineConfig | None = Field(default=None, description="Left out: no engine is read.")
    traffic: TrafficConfig | None = Field(default=None, description="Left out: no tap.")
    drift: DriftConfig | None = Field(default=None, description="Left out: no drift scores.")
