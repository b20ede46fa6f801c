"""How one engine's rows become our metrics, as data: a Dialect is a table of Rules.

No clock, no network, no logging: same arguments, same answer. An engine's peculiarity is a field
here and a line in its table, never a branch in `translate`.
"""

import math
from dataclasses import dataclass
from typing import Literal

from tidegauge.catalog import Metric

Part = Literal["whole", "sum", "count"]
Combine = Literal["first", "sum"]

COMMON_LABELS = ("model", "engine", "rank")
"""Labels that every translated metric begins with; the dialect fills them, not the rule."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One of our metrics, and the engine's rows that it comes from.

    `raw` names rows as OpenMetrics would (a counter ends in `_total`), newest name first.
    `combine` "first" takes the first name that has a usable row, "sum" adds all of them and says
    nothing unless each is there. `part` "sum" or "count" takes that row of a histogram or summary;
    "whole" is the plain row, or for a histogram all of it with the engine's own buckets.
    `labels` maps raw labels to ours, ((theirs, ours), …). `match` keeps rows whose raw labels have
    these values, ((theirs, value), …). `scale` brings values, or bounds and sum of a histogram, to
    the base unit. `absent` is the raw value by which the engine says "unknown".

    Raises:
        ValueError: the rule contradicts its metric; the message names the metric.
    """

    raw: tuple[str, ...]
    metric: Metric
    combine: Combine = "first"
    part: Part = "whole"
    labels: tuple[tuple[str, str], ...] = ()
    match: tuple[tuple[str, str], ...] = ()
    scale: float = 1.0
    absent: float | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            message = f"rule for {self.metric.name}: {problem}"
            raise ValueError(message)

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows that the rule reads; of a whole histogram, the rows' common stem."""
        return self.raw if self.part == "whole" else tuple(f"{r}_{self.part}" for r in self.raw)


@dataclass(frozen=True, slots=True)
class Dialect:
    """One engine's vocabulary.

    `fingerprint` are row names that this engine always has, from its first second, and that no
    other engine has all of. `model_label` and `rank_label` name the raw labels that carry the
    model and the data-parallel rank; None where the engine has none. `prefixes` begin the names
    that only this engine writes: what begins so, is read by no rule and is not in `ignored` (family
    names that we know and leave alone on purpose) is a name that we have yet to learn. `paths` are
    where the engine serves its metrics, the usual one first.

    Raises:
        ValueError: there is nothing to recognise or to translate.
    """

    name: str
    fingerprint: tuple[str, ...]
    rules: tuple[Rule, ...]
    model_label: str | None = None
    rank_label: str | None = None
    prefixes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    paths: tuple[str, ...] = ("/metrics",)

    def __post_init__(self) -> None:
        if not self.name or not self.fingerprint or not self.rules:
            message = f"dialect {self.name!r}: name, fingerprint and rules must not be empty"
            raise ValueError(message)

    def recognises(self, names: frozenset[str]) -> bool:
        """Whether an exposition with rows of these names comes from this engine."""
        return names.issuperset(self.fingerprint)


def _problem(rule: Rule) -> str | None:
    metric, ours = rule.metric, tuple(our for _, our in rule.labels)
    checks = (
        (not rule.raw or not all(rule.raw), "raw names at least one row"),
        (len(set(rule.raw)) != len(rule.raw), f"raw {rule.raw!r} names a row twice"),
        (
            metric.labels[: len(COMMON_LABELS)] != COMMON_LABELS,
            f"labels {metric.labels!r} must begin with {COMMON_LABELS!r}",
        ),
        (
            sorted(ours) != sorted(metric.labels[len(COMMON_LABELS) :]),
            f"labels {ours!r} must be the metric's own, {metric.labels[len(COMMON_LABELS) :]!r}",
        ),
        (
            not (math.isfinite(rule.scale) and rule.scale > 0),
            f"scale {rule.scale!r} must be finite and above 0",
        ),
        (
            metric.kind == "histogram"
            and (rule.part != "whole" or rule.combine != "first" or rule.absent is not None),
            "a histogram passes whole, from one raw name, and has no value for unknown",
        ),
        (
            metric.kind == "gauge" and rule.part != "whole",
            f"a histogram's {rule.part} only grows: that is a counter",
        ),
    )
    return next((text for broken, text in checks if broken), None)
