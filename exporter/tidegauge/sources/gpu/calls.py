"""The table of what is asked of each device, tier by tier, and the names of all calls.

A new series is one row in questions_now.py or questions_health.py, and for a call that we don't
use yet one function in nvml_*.py.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from tidegauge.sources.gpu.question import FIELD_VALUES, Call, Question
from tidegauge.sources.gpu.questions_health import SLOW
from tidegauge.sources.gpu.questions_now import FAST, MEDIUM, REASONS, thermal_throttling

__all__ = ["CALL_NAMES", "QUESTIONS", "REASONS", "TIERS", "Tier", "questions"]

Tier = Literal["fast", "medium", "slow", "gpm"]
TIERS: tuple[Tier, ...] = get_args(Tier)

QUESTIONS: Mapping[Tier, tuple[Question, ...]] = {
    "fast": FAST,
    "medium": MEDIUM,
    "slow": SLOW,
    "gpm": (),
}
"""What is asked of every device on each tier's clock, GPM left out (gpm.py)."""


def questions(tier: Tier, driver_version: str) -> tuple[Question, ...]:
    """What is asked under this driver."""
    if tier == "medium":
        return (*MEDIUM, *thermal_throttling(driver_version))
    return QUESTIONS[tier]


_DRIVER = ("nvmlInit", "nvmlSystemGetDriverVersion", "nvmlDeviceGetCount")
_IDENTITY = (
    "nvmlDeviceGetHandleByIndex",
    "nvmlDeviceGetUUID",
    "nvmlDeviceGetName",
    "nvmlDeviceGetPciInfo",
    "nvmlSystemGetCudaDriverVersion",
    "nvmlSystemGetConfComputeState",
    "nvmlDeviceGetEccMode",
    "nvmlDeviceGetPersistenceMode",
)
_MIG = (
    "nvmlDeviceGetMigMode",
    "nvmlDeviceGetMigDeviceHandleByIndex",
    "nvmlDeviceGetGpuInstanceId",
)
_GPM = (
    "nvmlGpmQueryDeviceSupport",
    "nvmlGpmSampleGet",
    "nvmlGpmMigSampleGet",
    "nvmlGpmMetricsGet",
)
_PROCESSES = ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetProcessUtilization")
_XIDS = ("nvmlEventSetCreate", "nvmlDeviceRegisterEvents", "nvmlEventSetWait")
_OUTSIDE_THE_TABLE = (
    FIELD_VALUES,
    "nvmlDeviceGetSamples",
    *_DRIVER,
    *_IDENTITY,
    *_MIG,
    *_GPM,
    *_PROCESSES,
    *_XIDS,
)


def _names() -> tuple[str, ...]:
    rows = (row for tier in QUESTIONS.values() for question in tier for row in question)
    functions = {row.function for row in rows if isinstance(row, Call)}
    return tuple(sorted(functions.union(_OUTSIDE_THE_TABLE)))


CALL_NAMES: tuple[str, ...] = _names()
"""Every name that OnCall is told: bounded, so that series for all of them can be there at 0."""
