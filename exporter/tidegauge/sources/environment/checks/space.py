"""Is there room on disks, and in the shared memory that engines pass tensors through?"""

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.facts import Facts, Space
from tidegauge.sources.environment.limits import MIB, Limits

_SHARING_GPUS = 2  # a single GPU's engine passes nothing from process to process


def judge_disk(facts: Facts, limits: Limits) -> tuple[CheckResult, ...]:
    """Fails where a file system has less free than the ratio, or less than the bytes."""
    return tuple(
        CheckResult(
            disk.path,
            passed=disk.free_bytes >= _disk_bound(disk, limits),
            reason=f"{_mib(disk.free_bytes)} free of {_mib(disk.size_bytes)}, "
            f"at least {_mib(_disk_bound(disk, limits))} wanted",
        )
        for disk in facts.disks
        if disk.size_bytes
    )


def judge_shared_memory(facts: Facts, limits: Limits) -> tuple[CheckResult, ...]:
    """Fails where it is smaller than wanted (Docker's default is 64 MiB) or nearly full."""
    space = facts.shared_memory
    needed = limits.shared_memory_always or len(facts.gpus) >= _SHARING_GPUS
    if space is None or not space.size_bytes or not needed:
        return ()
    big_enough = space.size_bytes >= limits.shared_memory_bytes
    free_enough = space.free_bytes >= limits.shared_memory_free_bytes
    reason = (
        f"{_mib(space.size_bytes)} with {_mib(space.free_bytes)} free, at least "
        f"{_mib(limits.shared_memory_bytes)} and {_mib(limits.shared_memory_free_bytes)} wanted"
    )
    return (CheckResult(space.path, passed=big_enough and free_enough, reason=reason),)


def _disk_bound(disk: Space, limits: Limits) -> float:
    return max(limits.disk_free_ratio * disk.size_bytes, limits.disk_free_bytes)


def _mib(count: float) -> str:
    return f"{count / MIB:.0f} MiB"
