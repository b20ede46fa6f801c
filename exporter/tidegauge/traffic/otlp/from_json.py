"""OTLP as JSON, decoded: bytes in, spans out.

No clock, no network, no logging: same arguments, same answer. Bytes that are none raise OtlpError,
and nothing else. Fields of other types than OTLP's are taken for absent.
"""

from collections.abc import Callable, Iterator

from tidegauge.traffic.document import (
    TooLargeError,
    WireError,
    mapping,
    objects,
    read_object,
    text,
)
from tidegauge.traffic.otlp.conventions import is_read, is_read_event, is_read_of_event
from tidegauge.traffic.otlp.span import (
    ERROR_CODE,
    PARTS_MAX,
    SIDES,
    SPANS_MAX,
    Event,
    OtlpError,
    Span,
    TooManySpansError,
)

# Every value of a document costs 50 to 200 bytes, whatever it is: `[[],[],…` takes 25 times
# its own size. Prose has one comma or bracket in 60 bytes.
_MARKS_MAX = 1_000_000
_DEPTH_MAX = 8


def spans(body: bytes) -> Iterator[Span]:
    """The spans of an ExportTraceServiceRequest.

    Raises:
        OtlpError: it is no such request, or holds too much.
    """
    try:
        document = read_object(body, marks_max=_MARKS_MAX)
    except TooLargeError:
        many = f"the JSON holds more than {_MARKS_MAX} values; send less at once"
        raise TooManySpansError(many) from None
    except WireError:
        raise OtlpError("the body is no JSON object") from None
    read = 0
    for resource in objects(document.get("resourceSpans")):
        for scope in objects(resource.get("scopeSpans")):
            for span in objects(scope.get("spans")):
                read += 1
                if read > SPANS_MAX:
                    raise TooManySpansError(f"more than {SPANS_MAX} spans; send less at once")
                yield _span(span)


def _span(span: dict[str, object]) -> Span:
    status = mapping(span.get("status")) or {}
    some = objects(span.get("events"))[:PARTS_MAX]
    events = (event for event in some if is_read_event(text(event.get("name"))))
    return Span(
        trace=_hexadecimal(span.get("traceId")),
        ident=_hexadecimal(span.get("spanId")),
        parent=_hexadecimal(span.get("parentSpanId")),
        side=SIDES.get(_integer(span.get("kind")) or 0, "other"),
        begin_ns=_integer(span.get("startTimeUnixNano")) or 0,
        end_ns=_integer(span.get("endTimeUnixNano")) or 0,
        failed=status.get("code") == ERROR_CODE,
        attributes=dict(_attributes(span.get("attributes"), is_read)),
        events=tuple(
            Event(text(e["name"]), dict(_attributes(e.get("attributes"), is_read_of_event)))
            for e in events
        ),
    )


def _attributes(
    given: object, wanted: Callable[[str], bool], depth: int = 0
) -> Iterator[tuple[str, object]]:
    for pair in objects(given)[:PARTS_MAX]:
        name = text(pair.get("key"))
        if wanted(name):
            yield name, _value(mapping(pair.get("value")) or {}, depth)


def _value(value: dict[str, object], depth: int) -> object:
    """An AnyValue; bytes are no text, and of no use."""
    if depth > _DEPTH_MAX:
        return None
    if "intValue" in value:
        return _integer(value["intValue"])
    if "arrayValue" in value:
        members = (mapping(value["arrayValue"]) or {}).get("values")
        return [_value(member, depth + 1) for member in objects(members)[:PARTS_MAX]]
    if "kvlistValue" in value:
        pairs = (mapping(value["kvlistValue"]) or {}).get("values")
        return dict(_attributes(pairs, lambda _: True, depth + 1))
    plain = (value.get(name) for name in ("stringValue", "doubleValue", "boolValue"))
    return next((each for each in plain if isinstance(each, str | float | int)), None)


def _integer(value: object) -> int | None:
    """A 64-bit number, which JSON spells as a number or as a string of digits."""
    if isinstance(value, str) and len(value) <= 20 and value.isascii():  # noqa: PLR2004
        digits = value.removeprefix("-")
        value = int(value) if digits.isdigit() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if -(2**63) <= value < 2**64 else None


def _hexadecimal(value: object) -> bytes:
    digits = text(value)
    try:
        return bytes.fromhex(digits) if len(digits) in (16, 32) else b""
    except ValueError:
        return b""
