"""Does the driver want something done, and does it stay loaded between processes?"""

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.facts import Facts
from tidegauge.sources.environment.limits import Limits

_ACTIONS = {
    0: "nothing",
    1: "a reset of the GPU",
    2: "a reboot of the node",
    3: "work drained from the NVLink peers",
    4: "work drained, then a reset",
}
"""nvmlDeviceGpuRecoveryAction_t, NVML_FI_DEV_GET_GPU_RECOVERY_ACTION."""


def judge_recovery(facts: Facts, _: Limits) -> tuple[CheckResult, ...]:
    """Fails while the driver says that the GPU needs something to recover."""
    return tuple(
        CheckResult(
            f"gpu{gpu.index}",
            passed=gpu.recovery_action == 0,
            reason=f"the driver asks for {_ACTIONS.get(gpu.recovery_action, 'something new')}",
        )
        for gpu in facts.gpus
        if gpu.recovery_action is not None
    )


def judge_persistence(facts: Facts, _: Limits) -> tuple[CheckResult, ...]:
    """Fails where the driver unloads a GPU that nobody uses: the next process waits for it."""
    return tuple(
        CheckResult(
            f"gpu{gpu.index}",
            passed=gpu.persistence == "on",
            reason=f"persistence mode is {gpu.persistence}",
        )
        for gpu in facts.gpus
        if gpu.persistence in ("on", "off")
    )
