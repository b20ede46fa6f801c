"""Every health check, by name; being listed here is what gets one run, tested and documented.

No clock, no network, no logging in this package: same facts, same verdict.
"""

from tidegauge.sources.environment.check import Check
from tidegauge.sources.environment.checks import (
    clock,
    descriptors,
    gpu_memory,
    gpu_state,
    model_files,
    requirements,
    space,
    versions,
)

CHECKS: tuple[Check, ...] = (
    Check("version", versions.judge),
    Check("requirements", requirements.judge),
    Check("ecc", gpu_memory.judge_ecc),
    Check("row_remap", gpu_memory.judge_row_remap),
    Check("retired_pages", gpu_memory.judge_retired_pages),
    Check("recovery_action", gpu_state.judge_recovery),
    Check("persistence", gpu_state.judge_persistence),
    Check("disk", space.judge_disk),
    Check("shared_memory", space.judge_shared_memory),
    Check("clock", clock.judge),
    Check("file_descriptors", descriptors.judge),
    Check("model_files", model_files.judge),
)
