"""The one seam between facts and verdicts: a check judges facts, and never reads them.

A component of which too little is known gets no result: absent, not passed and not failed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tidegauge.sources.environment.facts import Facts
from tidegauge.sources.environment.limits import Limits


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One component's verdict. `reason` says in words what was seen and what would be right."""

    component: str
    passed: bool
    reason: str


Judge = Callable[[Facts, Limits], tuple[CheckResult, ...]]


@dataclass(frozen=True, slots=True)
class Check:
    """`name` is the label value of `check`, and a row in docs/health.md."""

    name: str
    judge: Judge
