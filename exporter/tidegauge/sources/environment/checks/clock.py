"""Does the clock tell the time? By the kernel's own estimate of how wrong it may be.

A kernel that nobody has ever synchronised knows nothing of its error: that is not judged, unless
the owner says that it must be synchronised. Many a virtual machine gets its time elsewhere.
"""

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.facts import Facts
from tidegauge.sources.environment.limits import Limits


def judge(facts: Facts, limits: Limits) -> tuple[CheckResult, ...]:
    """`kernel`: fails when the possible error is too large, or when synchronisation was lost."""
    clock = facts.clock
    if clock is None:
        return ()
    if clock.synchronised:
        passed = clock.max_error_seconds <= limits.clock_error_seconds
        reason = (
            f"wrong by at most {clock.max_error_seconds:.3g} s, "
            f"{limits.clock_error_seconds:g} s allowed"
        )
        return (CheckResult("kernel", passed=passed, reason=reason),)
    if clock.was_synchronised or limits.clock_required:
        reason = "the kernel's clock is not synchronised: is chronyd, ntpd or timesyncd running?"
        return (CheckResult("kernel", passed=False, reason=reason),)
    return ()
