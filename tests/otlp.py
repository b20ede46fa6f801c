"""OTLP of tests' own making, in both encodings, and an OTLP input on a free port of loopback."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from io import BytesIO

import aiohttp
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.face import ANYWHERE, plain_face
from tidegauge.cli.otlp import otlp
from tidegauge.config.otlp import OtlpConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.server import Around
from tidegauge.server.otlp import PATH
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import Exchange
from tidegauge.web import Front, Guard, InputRules, Rules

PROTOBUF, JSON = "application/x-protobuf", "application/json"
Spans = Callable[[], Awaitable[dict[str, int]]]
BEGIN_NS = 1_790_000_000_000_000_000


@dataclass(frozen=True)
class Made:
    """A span to send; by default a chat that took half a second."""

    attributes: Mapping[str, object] = field(
        default_factory=lambda: {"gen_ai.operation.name": "chat", "gen_ai.request.model": "chat"}
    )
    events: Sequence[tuple[str, Mapping[str, object]]] = ()
    number: int = 1
    parent: int = 0
    kind: int = 3
    status: int = 0
    seconds: float = 0.5

    @property
    def times(self) -> tuple[int, int]:
        return BEGIN_NS, BEGIN_NS + int(self.seconds * 1e9)


def ids(made: Made) -> tuple[bytes, bytes, bytes]:
    parent = made.parent.to_bytes(8, "big") if made.parent else b""
    return bytes(15) + b"\1", made.number.to_bytes(8, "big"), parent


def as_protobuf(*spans: Made) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for made in spans:
        trace, ident, parent = ids(made)
        begin, end = made.times
        scope.spans.append(
            trace_pb2.Span(
                trace_id=trace,
                span_id=ident,
                parent_span_id=parent,
                kind=made.kind,  # type: ignore[arg-type]  # any number, as on the wire
                name="chat",
                start_time_unix_nano=begin,
                end_time_unix_nano=end,
                status=trace_pb2.Status(code=made.status),  # type: ignore[arg-type]
                attributes=_pairs(made.attributes),
                events=[
                    trace_pb2.Span.Event(name=name, attributes=_pairs(attributes))
                    for name, attributes in made.events
                ],
            )
        )
    return request.SerializeToString()


def as_json(*spans: Made) -> bytes:
    told = [_json_span(made) for made in spans]
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": told}]}]}).encode()


def _json_span(made: Made) -> dict[str, object]:
    trace, ident, parent = ids(made)
    begin, end = made.times
    return {
        "traceId": trace.hex().upper(),
        "spanId": ident.hex(),
        "parentSpanId": parent.hex(),
        "kind": made.kind,
        "name": "chat",
        "startTimeUnixNano": str(begin),
        "endTimeUnixNano": end,
        "status": {"code": made.status} if made.status else {},
        "attributes": _json_pairs(made.attributes),
        "events": [
            {"name": name, "attributes": _json_pairs(attributes)}
            for name, attributes in made.events
        ],
        "aFieldOfTheFuture": {"x": []},
    }


def _pairs(attributes: Mapping[str, object]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any(value)) for key, value in attributes.items()]


def _any(value: object) -> AnyValue:
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_any(each) for each in value]))
    if isinstance(value, dict):
        return AnyValue(kvlist_value=KeyValueList(values=_pairs(value)))
    made = AnyValue()
    setattr(made, f"{_kind(value)}_value", value)
    return made


def _json_pairs(attributes: Mapping[str, object]) -> list[dict[str, object]]:
    return [{"key": key, "value": _json_any(value)} for key, value in attributes.items()]


def _json_any(value: object) -> dict[str, object]:
    if isinstance(value, list):
        return {"arrayValue": {"values": [_json_any(each) for each in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": _json_pairs(value)}}
    kind = _kind(value)
    spelled = {"int": str, "bytes": lambda _: "AAAA"}.get(kind, lambda same: same)(value)
    return {f"{kind}Value": spelled}


def _kind(value: object) -> str:
    kinds = ((bool, "bool"), (int, "int"), (float, "double"), (str, "string"), (bytes, "bytes"))
    return next(name for kind, name in kinds if isinstance(value, kind))


@dataclass
class Listening:
    """An OTLP input, and what it made of what it was sent."""

    url: str
    guard: Guard
    arrivals: Arrivals
    exchanges: list[Exchange] = field(default_factory=list)

    async def send(
        self, body: bytes, kind: str = PROTOBUF, **headers: str
    ) -> tuple[int, str, bytes]:
        """Status, media type and body of the answer."""
        given = {"Content-Type": kind} | {n.replace("_", "-"): v for n, v in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=BytesIO(body), headers=given) as response,
        ):
            return response.status, response.content_type, await response.read()


@asynccontextmanager
async def listening(
    config: OtlpConfig | None = None, rules: InputRules | None = None
) -> AsyncIterator[tuple[Listening, Spans]]:
    """The part as `serve` makes it, behind its guard, and how many spans it counted as what."""
    exchanges: list[Exchange] = []
    arrivals, guard = Arrivals(), Guard(rules)
    traffic = TrafficConfig(models=("chat", "embedder"), versions={"chat": "v2"})
    part = otlp(config or OtlpConfig(enabled=True), traffic)
    assert part
    made = part.make(Around({}, exchanges.append, arrivals))
    pages = {path: guard.page(taken) for path, taken in made.inputs.items()}
    front = Front(replace(plain_face(), inputs=lambda: pages), Rules())
    await front.start([ANYWHERE])
    url = f"http://127.0.0.1:{front.ports[0]}{PATH}"

    async def spans() -> dict[str, int]:
        samples = await made.schedule.source.read()
        return {s.labels[0]: int(s.value) for s in samples if isinstance(s.value, int) and s.value}

    try:
        yield Listening(url, guard, arrivals, exchanges), spans
    finally:
        await front.close()
