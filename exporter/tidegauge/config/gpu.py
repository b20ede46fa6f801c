"""The `serve.gpu:` section."""

from pydantic import Field

from tidegauge.config.values import PositiveSeconds, Section


class GpuConfig(Section):
    """GPUs through NVML."""

    enabled: bool = Field(default=True, description="Read GPUs; false on machines without one.")
    interval: PositiveSeconds = Field(default=1.0, description="Time between two reads.")
    timeout: PositiveSeconds = Field(
        default=2.0, description="A device that has not answered by then costs its own series."
    )
