"""The `serve.errors:` section: where the engine's log is, and what may be shown of it."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from tidegauge.config.values import PositiveSeconds, Seconds, Section


def _word(text: str) -> str:
    if not text or not all(c == "_" or (c.isascii() and c.isalpha()) for c in text):
        raise ValueError(f"{text!r} is no word; use letters and _, one word an entry")
    return text


class EngineLogConfig(Section):
    """One log: a file, or standard input."""

    path: str | None = Field(
        default=None,
        min_length=1,
        description="A file, there yet or not; with `*` all files that match, 64 at most.",
    )
    stdin: bool = Field(
        default=False, description="Standard input: `engine 2>&1 | tidegauge serve …`."
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.path is None) != self.stdin:
            given = "a path and standard input" if self.stdin else "nothing"
            raise ValueError(f"{given} is no log; write a path, or stdin: true")
        return self


class ErrorsConfig(Section):
    """Errors behind the counts, from the engine's log. No line of it is kept or shown."""

    logs: tuple[EngineLogConfig, ...] = Field(min_length=1, description="Where the engine logs to.")
    from_start: bool = Field(
        default=False,
        description="Read what was in the files already when tidegauge started.",
    )
    interval: PositiveSeconds = Field(
        default=1.0, description="Time between two looks at what was added."
    )
    max_lines_per_second: int = Field(
        default=5000, ge=1, description="Lines beyond are counted as skipped, and not looked at."
    )
    max_patterns: int = Field(
        default=50,
        ge=0,
        le=500,
        description="Patterns without a name that have a series of their own; the rest is `other`.",
    )
    learning: Seconds = Field(
        default=600.0,
        description="Time after the start in which no pattern counts as new, because all are.",
    )
    words: tuple[Annotated[str, AfterValidator(_word)], ...] = Field(
        default=(),
        description="Words of your engine's messages that patterns may show, beside those that "
        "we ship. Anybody who can write to the log can have them shown.",
    )

    @model_validator(mode="after")
    def _one_input(self) -> Self:
        if sum(log.stdin for log in self.logs) > 1:
            raise ValueError("logs: standard input is given twice; keep one")
        return self
