"""The `serve.probe:` section: engines that are read when somebody asks for them at /probe."""

from typing import Self

from pydantic import Field, model_validator

from tidegauge.config.engine import EngineReading
from tidegauge.config.values import HttpUrl, Name, Section

DEFAULT_MODULE = "default"


class ModuleConfig(EngineReading):
    """How the targets of one kind are read."""


class ProbeConfig(Section):
    """`/probe?target=&module=` reads one of these engines now, and no other address."""

    targets: tuple[HttpUrl, ...] = Field(
        min_length=1, description="Base URLs that may be asked for, letter by letter."
    )
    modules: dict[Name, ModuleConfig] = Field(
        default={},
        description="How to read them, by the name that `module` gives; `default` is used without.",
    )
    max_reads: int = Field(
        default=16, ge=1, description="Reads at the same time at most; others wait for their turn."
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        twice = next((url for url in self.targets if self.targets.count(url) > 1), None)
        if twice:
            raise ValueError(f"targets: {twice!r} is given twice; keep one")
        return self
