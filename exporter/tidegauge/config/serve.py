"""The `serve:` section: what the sidecar reads and where it listens."""

from typing import Self

from pydantic import Field, model_validator

from tidegauge.config.engine import DiscoveryConfig, EngineConfig
from tidegauge.config.errors import ErrorsConfig
from tidegauge.config.feedback import FeedbackConfig
from tidegauge.config.forwarding import ForwardingConfig
from tidegauge.config.gpu import GpuConfig
from tidegauge.config.health import EnvironmentConfig
from tidegauge.config.inputs import InputsConfig
from tidegauge.config.otlp import OtlpConfig
from tidegauge.config.probe import ProbeConfig
from tidegauge.config.push import PushConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.config.values import Addresses, PositiveSeconds, ReadableFile, Section


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

    listen_address: Addresses = Field(
        default=("127.0.0.1:9470",),
        description="Where /metrics, /-/healthy and / are served: HOST:PORT, or a list of them.",
    )
    gpu: GpuConfig = GpuConfig()
    environment: EnvironmentConfig = EnvironmentConfig()
    engine: EngineConfig | None = Field(
        default=None, description="Left out: an engine is looked for (`serve.discovery`)."
    )
    discovery: DiscoveryConfig = DiscoveryConfig()
    traffic: TrafficConfig | None = Field(
        default=None, description="Left out: no request is measured."
    )
    drift: DriftConfig | None = Field(default=None, description="Left out: no drift scores.")
    errors: ErrorsConfig | None = Field(
        default=None, description="Left out: no log of the engine is read."
    )
    probe: ProbeConfig | None = Field(default=None, description="Left out: /probe answers 404.")
    inputs: InputsConfig = InputsConfig()
    push: PushConfig | None = Field(
        default=None, description="Left out: no exchange is taken from apps."
    )
    feedback: FeedbackConfig | None = Field(
        default=None, description="Left out: no feedback is taken."
    )
    otlp: OtlpConfig = OtlpConfig()
    forwarding: ForwardingConfig = ForwardingConfig()
