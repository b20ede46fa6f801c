"""Which spans were counted lately: one that is sent again, or is part of another, counts once.

No clock, no network: it lives in one event loop, and holds the last LIMIT spans.
"""

from typing import Literal

from tidegauge.traffic.otlp.span import Span

LIMIT = 65_536  # two minutes at 500 requests a second, which no client takes to try again

Judgement = Literal["counted", "duplicate", "nested"]


class Seen:
    """Remembers what `judge` found worth counting."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._counted: dict[int, None] = {}
        self._parents: dict[int, None] = {}

    def judge(self, span: Span) -> Judgement:
        """Whether this request counts.

        nested: the request that it is part of has been counted, or one that is part of it: a
        framework and the client library below it both tell of the same request.
        """
        own, parent = hash((span.trace, span.ident)), hash((span.trace, span.parent))
        if own in self._counted:
            return "duplicate"
        if own in self._parents or (span.parent and parent in self._counted):
            return "nested"
        self._remember(self._counted, own)
        if span.parent:
            self._remember(self._parents, parent)
        return "counted"

    def _remember(self, memory: dict[int, None], key: int) -> None:
        memory[key] = None
        if len(memory) > self._limit:
            del memory[next(iter(memory))]
