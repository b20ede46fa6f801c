"""The `serve.forwarding:` section: errors handed on to what people already use for them."""

from typing import Annotated

from pydantic import Field

from tidegauge.config.values import PositiveSeconds, ReadableFile, Section


class SentryConfig(Section):
    """A project of Sentry, or of what speaks its protocol; needs `tidegauge[sentry]`."""

    dsn_file: ReadableFile = Field(description="Holds the project's DSN.")
    environment: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        default="production", description="What Sentry calls environment."
    )
    sample_ratio: float = Field(
        default=1.0, gt=0, le=1, description="Share of the events that are sent."
    )


class ForwardingConfig(Section):
    """Errors of requests and new patterns of log lines: classes and counts, never text."""

    sentry: SentryConfig | None = Field(default=None, description="Left out: nothing is sent.")
    ecs: bool = Field(
        default=False,
        description="Writes a line of JSON per event to standard output, in the names of the "
        "Elastic Common Schema.",
    )
    interval: PositiveSeconds = Field(
        default=60.0,
        description="A kind of error is sent at once when it is new, and then once in this time "
        "with how many there were.",
    )
