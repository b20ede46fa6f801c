"""Are file descriptors running out? An engine holds one for each streaming client."""

from tidegauge.sources.environment.check import CheckResult
from tidegauge.sources.environment.facts import Facts
from tidegauge.sources.environment.limits import Limits


def judge(facts: Facts, limits: Limits) -> tuple[CheckResult, ...]:
    """`tidegauge`, and `engine` where its process is known: fails above the ratio."""
    return tuple(
        CheckResult(
            one.component,
            passed=one.open <= limits.descriptors_ratio * one.limit,
            reason=f"{one.open} of {one.limit} open, at most {limits.descriptors_ratio:.0%} wanted",
        )
        for one in facts.descriptors
    )
