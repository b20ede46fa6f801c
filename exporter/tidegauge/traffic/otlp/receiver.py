"""Takes OTLP trace requests: counts what they tell of, and lets their text go."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from tidegauge.catalog import otlp
from tidegauge.samples import Sample
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.otlp.answers import accepted
from tidegauge.traffic.otlp.reading import ended, route
from tidegauge.traffic.otlp.seen import Judgement, Seen
from tidegauge.traffic.otlp.span import SPAN_BYTES_MAX, Side, Span, is_whole

Decode = Callable[[bytes], Iterator[Span]]
Result = Judgement | Literal["ignored", "rejected"]

_RESULTS: tuple[Result, ...] = (*get_args(Judgement), "ignored", "rejected")
_REJECTED = f"spans without ids or times, or of more than {SPAN_BYTES_MAX} bytes, are not read"
_AT_ONCE = 16  # exchanges measured between two looks at other work: 4 ms or so


@dataclass(frozen=True, slots=True)
class _Told:
    """What one body tells of. Spans are bare: their text is in `requests` once."""

    requests: tuple[tuple[Span, Ended], ...]
    ignored: int
    rejected: int


class Memory:
    """What a receiver hands on to the one that takes its place: what it counted, and lately saw."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.results: Counter[Result] = Counter(dict.fromkeys(_RESULTS, 0))


class Receiver:
    """Counts each request of `side` (None: of both) that a span tells of, once.

    `measure` takes what has ended, in the event loop; it must not block. `decoders` are by media
    type.
    """

    def __init__(
        self,
        measure: Callable[[Ended], None],
        *,
        decoders: Mapping[str, Decode],
        labelling: Labelling,
        arrivals: Arrivals,
        side: Side | None,
        memory: Memory | None = None,
    ) -> None:
        self._measure = measure
        self._decoders = decoders
        self._labelling = labelling
        self._arrivals = arrivals
        self._side = side
        self.memory = memory or Memory()

    async def take(self, body: bytes, media_type: str) -> bytes:
        """The body of the answer to one request.

        Raises:
            OtlpError: the body is no trace request, or holds too much.
        """
        told = await asyncio.to_thread(self._told, self._decoders[media_type], body)
        self.memory.results["ignored"] += told.ignored
        self.memory.results["rejected"] += told.rejected
        for at, (span, exchange) in enumerate(told.requests):
            self._count(span, exchange)
            if at % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        return accepted(media_type, rejected=told.rejected, why=_REJECTED)

    def samples(self) -> tuple[Sample, ...]:
        """How many spans came, by what became of them."""
        return tuple(Sample(otlp.SPANS, n, (result,)) for result, n in self.memory.results.items())

    def _told(self, decode: Decode, body: bytes) -> _Told:
        """In a thread of its own: 8 MiB take some 100 ms."""
        requests, ignored, rejected = [], 0, 0
        for span in decode(body):
            asked = route(span)
            if not is_whole(span):
                rejected += 1
            elif asked is None or self._side not in (None, span.side):
                ignored += 1
            else:
                bare = replace(span, attributes={}, events=())
                requests.append((bare, ended(span, asked, self._labelling)))
        return _Told(tuple(requests), ignored, rejected)

    def _count(self, span: Span, exchange: Ended) -> None:
        result = self.memory.seen.judge(span)
        self.memory.results[result] += 1
        if result == "counted":
            self._arrivals.begin()
            self._arrivals.end()
            self._measure(exchange)
