"""The `serve:` section: what the sidecar reads and where it listens."""

from pydantic import Field

from tidegauge.config.drift import DriftConfig
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
from tidegauge.config.values import Addresses, Section


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
