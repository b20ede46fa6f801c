"""One of our metrics and the engine's rows that it comes from: a line of a dialect's table.

No clock, no network, no logging: same arguments, same answer.
"""

import math
from dataclasses import dataclass
from typing import Literal

from tidegauge.catalog import Metric

Part = Literal["whole", "sum", "count"]
Combine = Literal["first", "sum"]
Join = Literal["sum", "max"]
Pick = Literal["all", "newest"]
Pairs = tuple[tuple[str, str], ...]

COMMON_LABELS = ("model", "engine", "rank")
"""Labels that every translated metric begins with; the dialect fills them, not the rule."""

_SHARED = ("ratio", "info")  # units of which two rows' values are never added up


@dataclass(frozen=True, slots=True)
class Rule:
    """Which rows, and what to do with them.

    `raw` names rows as OpenMetrics would (a counter ends in `_total`), newest name first.
    `combine` "first" takes for each series the first name that has a usable row, "sum" adds all of
    them and says nothing unless each is there. `part` "sum" or "count" takes that row of a
    histogram or summary; "whole" is the plain row, or for a histogram all of it with the engine's
    own buckets.

    `match` keeps rows whose raw labels have these values, ((theirs, value), …); the value ""
    means that the row has no such label. `pick` "newest" keeps only the row with the largest
    value, which is a Unix time, and takes it as 1.

    `labels` maps raw labels to ours, ((theirs, ours), …), and `constant` fills those that the
    engine does not have, ((ours, value), …). `values` renames raw label values, ((theirs, ours),
    …): the first that fits counts, a `*` at the end of theirs stands for any rest, and None for
    ours leaves the row out; a counter starts at 0 for each of ours that is named there. `split`
    names a raw label that lists several values, separated by commas: one series for each.

    `value_of` names raw labels that hold numbers; their product is the value. `absent` is the raw
    value by which the engine says "unknown". `scale` brings values, or bounds and sum of a
    histogram, to the base unit; `times` names a row of the same model and rank to multiply by.
    `join` says what rows that differ only in labels that we drop make together; None for what
    suits the unit (shares don't add).

    Raises:
        ValueError: the rule contradicts its metric; the message names the metric.
    """

    raw: tuple[str, ...]
    metric: Metric
    combine: Combine = "first"
    part: Part = "whole"
    labels: Pairs = ()
    match: Pairs = ()
    scale: float = 1.0
    absent: float | None = None
    constant: Pairs = ()
    values: tuple[tuple[str, str | None], ...] = ()
    split: str = ""
    value_of: tuple[str, ...] = ()
    pick: Pick = "all"
    times: str = ""
    join: Join | None = None

    def __post_init__(self) -> None:
        problem = _problem(self)
        if problem:
            message = f"rule for {self.metric.name}: {problem}"
            raise ValueError(message)

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows that the rule is about; of a whole histogram, the rows' common stem."""
        return self.raw if self.part == "whole" else tuple(f"{r}_{self.part}" for r in self.raw)

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of every row that the rule looks at."""
        if self.metric.kind == "histogram":
            return tuple(f"{raw}_{part}" for raw in self.raw for part in ("bucket", "sum"))
        return (*self.rows, self.times) if self.times else self.rows

    @property
    def adds(self) -> bool:
        """Whether rows that differ only in dropped labels add up; else the largest is kept."""
        return self.metric.unit not in _SHARED if self.join is None else self.join == "sum"


def _problem(rule: Rule) -> str | None:
    metric = rule.metric
    own = metric.labels[len(COMMON_LABELS) :]
    ours = tuple(our for _, our in rule.labels) + tuple(our for our, _ in rule.constant)
    checks = (
        (not rule.raw or not all(rule.raw), "raw names at least one row"),
        (len(set(rule.raw)) != len(rule.raw), f"raw {rule.raw!r} names a row twice"),
        (
            metric.labels[: len(COMMON_LABELS)] != COMMON_LABELS,
            f"labels {metric.labels!r} must begin with {COMMON_LABELS!r}",
        ),
        (sorted(ours) != sorted(own), f"labels {ours!r} must be the metric's own, {own!r}"),
        (
            not (math.isfinite(rule.scale) and rule.scale > 0),
            f"scale {rule.scale!r} must be finite and above 0",
        ),
        (
            bool(rule.split) and rule.split not in dict(rule.labels),
            f"split {rule.split!r} must be one of the raw labels that it fills",
        ),
        (
            metric.kind == "histogram" and _does_more_than_pass(rule),
            "a histogram passes whole, from one raw name, and has no value for unknown",
        ),
        (
            metric.kind == "gauge" and rule.part != "whole",
            f"a histogram's {rule.part} only grows: that is a counter",
        ),
        (
            metric.kind == "counter" and bool(rule.value_of or rule.pick == "newest"),
            "what a label says, and a time, are states: that is a gauge",
        ),
    )
    return next((text for broken, text in checks if broken), None)


def _does_more_than_pass(rule: Rule) -> bool:
    return (
        (rule.part, rule.combine, rule.pick) != ("whole", "first", "all")
        or rule.absent is not None
        or bool(rule.value_of or rule.split or rule.times)
    )
