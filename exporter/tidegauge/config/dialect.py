"""The `serve.engine.custom:` section: an engine that we don't know, described by who runs it.

The keys are those of `engines.dialect.Dialect` and `engines.rule.Rule`, whose words count.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from tidegauge.config.values import Name, Section
from tidegauge.engines import Dialect, DialectError, custom_dialect
from tidegauge.engines.custom import rule_of


class RuleConfig(Section):
    """One of our metrics and the engine's rows that it comes from."""

    metric: str = Field(description="Our metric's name, from the inference table of metrics.md.")
    raw: str | tuple[str, ...] = Field(
        description="The engine's name for it, or several, the newest first. A counter's name "
        "ends in `_total` here even if the engine leaves that out, which matters with `combine: "
        "sum`; a histogram's is without `_bucket`."
    )
    combine: Literal["first", "sum"] = Field(
        default="first", description="Of several names take the first that is there, or add all up."
    )
    part: Literal["whole", "sum", "count"] = Field(
        default="whole", description="Of a histogram or summary, for a counter: its sum or count."
    )
    labels: dict[str, str] = Field(
        default={}, description="Their label to ours, for those of our metric after `rank`."
    )
    constant: dict[str, str] = Field(
        default={}, description="Our label to a fixed value, where the engine has no such label."
    )
    match: dict[str, str] = Field(
        default={}, description="Only rows with these labels; an empty value: without that label."
    )
    values: dict[str, str | None] = Field(
        default={},
        description="Their label values to ours. The first that fits counts, `*` at the end "
        "stands for any rest, null leaves the row out. A counter starts at 0 for each of ours.",
    )
    split: str = Field(
        default="", description="Their label that lists values with commas: a series for each."
    )
    value_of: str | tuple[str, ...] = Field(
        default=(), description="Labels that hold the value, as a product, instead of the row's."
    )
    pick: Literal["all", "newest"] = Field(
        default="all", description="newest: only the row with the largest value, a Unix time."
    )
    scale: float = Field(
        default=1.0,
        strict=True,
        gt=0,
        allow_inf_nan=False,
        description="Factor to our unit: 0.001 for milliseconds, 0.01 for percent.",
    )
    times: str = Field(default="", description="Row to multiply by, such as tokens per block.")
    absent: float | None = Field(
        default=None,
        strict=True,
        allow_inf_nan=False,
        description="Value by which the engine says unknown.",
    )
    join: Literal["sum", "max"] | None = Field(
        default=None,
        description="What rows that differ in other labels make together; shares: max, else sum.",
    )

    @model_validator(mode="after")
    def _is_a_rule(self) -> Self:
        rule_of(self.model_dump())
        return self


class DialectConfig(Section):
    """How to read an engine that tidegauge does not know."""

    name: Name = Field(default="custom", description="Value of the label `engine`.")
    rules: tuple[RuleConfig, ...] = Field(
        min_length=1, description="What to read, in order: of two that give a series the first."
    )
    model_label: str = Field(default="", description="Their label that names the model.")
    rank_label: str = Field(
        default="", description="Their label that tells data-parallel ranks apart."
    )
    copies: tuple[str, ...] = Field(
        default=(),
        description="Their labels by which workers repeat one fact: the largest row counts.",
    )
    prefixes: tuple[str, ...] = Field(
        default=(),
        description="What their names begin with; such a name that no rule reads is reported.",
    )
    ignored: tuple[str, ...] = Field(
        default=(),
        description="Names not to report, without `_total`; `*` at the end for any rest.",
    )
    paths: tuple[str, ...] = Field(
        default=("/metrics",), description="Where the engine serves its metrics."
    )

    @model_validator(mode="after")
    def _is_a_dialect(self) -> Self:
        as_dialect(self)
        return self


def as_dialect(config: DialectConfig) -> Dialect:
    """The dialect that the section describes.

    Raises:
        DialectError: never for a section that was validated.
    """
    return custom_dialect(config.model_dump())


__all__ = ["DialectConfig", "DialectError", "RuleConfig", "as_dialect"]
