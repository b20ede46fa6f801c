"""The `serve.gpu:` section."""

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from tidegauge.config.values import PositiveSeconds, Section

SHORTEST = 0.1  # seconds; what is faster costs the workload, and finds nothing more


class GpuConfig(Section):
    """GPUs through NVML, which is read in a process of its own."""

    renamed: ClassVar[Mapping[str, str]] = {"interval": "fast_interval"}

    enabled: bool = Field(default=True, description="Read GPUs; false on machines without one.")
    fast_interval: PositiveSeconds = Field(
        default=1.0, description="Time between two reads of power, energy and utilisation."
    )
    medium_interval: PositiveSeconds = Field(
        default=5.0, description="The same for memory, clocks, temperatures and throttling."
    )
    slow_interval: PositiveSeconds = Field(
        default=30.0, description="The same for errors, links and processes, and for new devices."
    )
    gpm: bool = Field(
        default=False, description="Read profiling metrics (Hopper and later) as well."
    )
    gpm_interval: PositiveSeconds = Field(
        default=1.0, description="Time between two reads of profiling metrics."
    )
    ring: bool = Field(
        default=True, description="Read NVML's own samples of power and utilisation, every second."
    )
    window: PositiveSeconds = Field(
        default=120.0,
        description="Length of the windows of `llm_gpu_power_watts_window`. Longer than the scrape "
        "interval, so that no window is missed.",
    )
    driver_budget_ratio: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description="Driver time per second that all calls may take; tiers slow down to keep it.",
    )
    processes: bool = Field(default=False, description="Read the processes on each device.")
    timeout: PositiveSeconds = Field(
        default=2.0, description="A device that has not answered by then costs its own series."
    )
    hung_limit: PositiveSeconds = Field(
        default=30.0,
        description="A device that hangs or is lost for so long has the process started anew; "
        "twice as long the next time.",
    )
    restart_backoff_max: PositiveSeconds = Field(
        default=300.0, description="Longest wait before the process is started anew."
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        for name in ("fast_interval", "medium_interval", "slow_interval", "gpm_interval"):
            seconds = getattr(self, name)
            if seconds < SHORTEST:
                raise ValueError(f"{name}: {seconds * 1000:g}ms is too often; at least 100ms")
        return self
