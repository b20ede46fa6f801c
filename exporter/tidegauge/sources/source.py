"""The one seam between the world and the pipeline: a Source is read, and gives samples or raises.

SourceError is the only exception that a source lets out; `reason` is one of REASONS, because it
becomes a label value and must be bounded.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

from tidegauge.samples import Sample

Reason = Literal[
    "unavailable",
    "timeout",
    "http_status",
    "parse",
    "too_large",
    "lost",
    "unknown_engine",
    "secret",
    "internal",
]
REASONS: tuple[Reason, ...] = get_args(Reason)


class SourceError(Exception):
    """A source could not be read. Carries no samples: missing is never zero.

    With `retry_after_seconds` it need not be asked again before then.
    """

    def __init__(
        self, reason: Reason, message: str, *, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason: Reason = reason
        self.retry_after_seconds = retry_after_seconds


class Source(Protocol):
    """Something that can be read again and again."""

    @property
    def name(self) -> str:
        """Label value of `source`, unique in one sidecar."""

    async def read(self) -> Sequence[Sample]:
        """The source's samples now.

        Raises:
            SourceError: they could not be had; nothing is known.
        """

    def unread(self) -> Sequence[Sample]:
        """What is still true when a read failed, such as `llm_engine_up 0`; often empty."""

    async def close(self) -> None:
        """Let go of connections and threads; it is not read again."""
