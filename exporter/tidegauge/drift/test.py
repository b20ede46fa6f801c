"""The seam of drift detection: a DriftTest is fed what requests measured, and gives its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tidegauge.drift.bins import Value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a test says of one channel now.

    `effect_size` is in the test's own unit, None until there is enough evidence;
    `evidence_requests` is how many requests it rests on; `effect_by_chance` is the effect size to
    expect with no shift at all, None while `effect_size` is; `calibrated_for` says on which
    assumption.
    """

    effect_size: float | None
    evidence_requests: int
    effect_by_chance: float | None
    calibrated_for: str


class DriftTest(Protocol):
    """One test on one channel of one model."""

    def update(self, batch: Sequence[Value], *, now: float) -> Verdict:
        """Take in the requests that were measured at `now`; an empty batch only lets time pass.

        `now` is in seconds of a clock that does not go back.
        """
