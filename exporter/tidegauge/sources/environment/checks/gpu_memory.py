"""Has a GPU's memory gone bad? Errors, remapped rows (Ampere and later), retired pages (before)."""

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.facts import Facts, Gpu
from tidegauge.sources.environment.limits import Limits

PAGES = 64
"""Pages that a board before Ampere can retire.

https://docs.nvidia.com/deploy/a100-gpu-mem-error-mgmt/row-remapping.html
"""
PAGES_WORN_OUT = 60  # next to nothing is left; from here on, boards are commonly replaced


def judge_ecc(facts: Facts, _: Limits) -> tuple[CheckResult, ...]:
    """Fails on any uncorrected error since the driver was loaded; corrected ones are harmless."""
    return tuple(
        CheckResult(
            f"gpu{gpu.index}",
            passed=gpu.uncorrected_errors == 0,
            reason=f"{gpu.uncorrected_errors:g} uncorrected errors since the driver was loaded",
        )
        for gpu in facts.gpus
        if gpu.uncorrected_errors is not None
    )


def judge_row_remap(facts: Facts, _: Limits) -> tuple[CheckResult, ...]:
    """Fails while a remapping waits for a reset, and for good once one has failed."""
    return tuple(
        CheckResult(f"gpu{gpu.index}", passed=reason is None, reason=reason or "no row waits")
        for gpu in facts.gpus
        if gpu.row_remap_pending is not None or gpu.row_remap_failed is not None
        for reason in (_rows(gpu),)
    )


def judge_retired_pages(facts: Facts, _: Limits) -> tuple[CheckResult, ...]:
    """Fails while a page waits for the driver's reload, and when too many are retired."""
    return tuple(
        CheckResult(f"gpu{gpu.index}", passed=reason is None, reason=reason or "no page waits")
        for gpu in facts.gpus
        if gpu.retired_pages_pending is not None or gpu.retired_pages is not None
        for reason in (_pages(gpu),)
    )


def _rows(gpu: Gpu) -> str | None:
    if gpu.row_remap_failed:
        return "a bad row could not be remapped; the board has to be replaced"
    if gpu.row_remap_pending:
        return "a bad row waits to be remapped by a reset of the GPU"
    return None


def _pages(gpu: Gpu) -> str | None:
    if gpu.retired_pages is not None and gpu.retired_pages >= PAGES_WORN_OUT:
        return f"{gpu.retired_pages:g} of {PAGES} pages are retired: the board wears out"
    if gpu.retired_pages_pending:
        return "a bad page waits to be retired by a reload of the driver"
    return None
