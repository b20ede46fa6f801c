"""From a span to what is known of an exchange, by the tables of `conventions`.

No clock, no network, no logging: same arguments, same answer. No span makes this raise.
"""

import math
from collections.abc import Iterator, Mapping

from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.exchange import (
    FINISH_REASONS,
    NO_GAPS,
    OTHER,
    ErrorClass,
    Exchange,
    Outcome,
    Route,
)
from tidegauge.traffic.hearing.document import count
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.otlp import conventions
from tidegauge.traffic.otlp.errors import failure, status_in
from tidegauge.traffic.otlp.span import Span
from tidegauge.traffic.otlp.texts import texts

_LONGEST_SECONDS = 7 * 24 * 3600.0  # a clock that was set lies behind what takes longer
_FINISH_REASONS: Mapping[str, str] = {
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "max_tokens": "length",
    "safety": "content_filter",
    "refusal": "content_filter",
}


def route(span: Span) -> Route | None:
    """What was asked of a model; None for a span that asks none, such as an agent's or a tool's."""
    attributes = span.attributes
    for name, routes in (
        (conventions.OPERATION, conventions.ROUTES),
        (conventions.KIND, conventions.KIND_ROUTES),
        (conventions.REQUEST_TYPE, conventions.REQUEST_TYPE_ROUTES),
    ):
        said = attributes.get(name)
        if isinstance(said, str) and said:
            return routes.get(said) or routes.get(said.lower())
    if conventions.CHAIN in attributes:
        return None
    # An engine's own span says no operation, but how long it took; an old client, what it used.
    told = (*conventions.DURATION_SECONDS, *conventions.PROMPT_TOKENS)
    return "other" if any(name in attributes for name in told) else None


def ended(span: Span, asked: Route, labelling: Labelling) -> Ended:
    """The exchange that a span tells of, and its texts."""
    attributes = span.attributes
    model = labelling.model(_text(attributes, conventions.MODEL))
    first_token = _seconds(attributes, conventions.FIRST_TOKEN_SECONDS)
    identifier = _text(attributes, conventions.ANSWER_ID)
    outcome, error, status = _end(span)
    exchange = Exchange(
        model=model,
        streamed=_truth(attributes, conventions.STREAMED) or first_token is not None,
        outcome=outcome,
        status=status,
        finish_reason=_finish_reason(attributes),
        duration_seconds=_duration(span),
        first_token_seconds=first_token,
        gaps=NO_GAPS,
        prompt_tokens=_tokens(attributes, conventions.PROMPT_TOKENS),
        generation_tokens=_tokens(attributes, conventions.GENERATION_TOKENS),
        features=None,
        version=labelling.version(model),
        route=asked,
        error=error,
        answer_key=answer_key(identifier) if identifier else None,
    )
    return Ended(exchange, texts(span))


def _end(span: Span) -> tuple[Outcome, ErrorClass | None, int | None]:
    error_type = next(_error_types(span), None)
    codes = (*_present(span.attributes, conventions.STATUS), error_type)
    status = next((code for code in map(status_in, codes) if code is not None), None)
    refused = status is not None and status >= 400  # noqa: PLR2004  # as RFC 9110 divides statuses
    if not (span.failed or refused or error_type):
        return "ok", None, status
    outcome, error = failure(error_type, status if refused else None)
    return outcome, error, status


def _error_types(span: Span) -> Iterator[object]:
    yield from _present(span.attributes, conventions.ERROR_TYPE)
    if span.failed:  # an exception that was caught is noted too, and harms nobody
        for event in span.events:
            if event.name == conventions.EXCEPTION_EVENT:
                yield from _present(event.attributes, conventions.ERROR_TYPE)


def _duration(span: Span) -> float:
    said = _seconds(span.attributes, conventions.DURATION_SECONDS)
    return (span.end_ns - span.begin_ns) / 1e9 if said is None else said


def _finish_reason(attributes: Mapping[str, object]) -> str | None:
    for said in _present(
        attributes, (*conventions.FINISH_REASON, conventions.INDEXED_FINISH_REASON)
    ):
        reasons = said if isinstance(said, list) else [said]
        named = [reason.lower() for reason in reasons if isinstance(reason, str) and reason]
        if named:
            reason = _FINISH_REASONS.get(named[-1], named[-1])
            return reason if reason in FINISH_REASONS else OTHER
    return None


def _present(attributes: Mapping[str, object], names: tuple[str, ...]) -> Iterator[object]:
    return (attributes[name] for name in names if attributes.get(name) not in (None, ""))


def _text(attributes: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((v for v in _present(attributes, names) if isinstance(v, str)), None)


def _truth(attributes: Mapping[str, object], names: tuple[str, ...]) -> bool:
    return any(value is True for value in _present(attributes, names))


def _tokens(attributes: Mapping[str, object], names: tuple[str, ...]) -> int | None:
    found = (_whole(value) for value in _present(attributes, names))
    return next((tokens for tokens in found if tokens is not None), None)


def _whole(value: object) -> int | None:
    """Some languages know no whole numbers: 12.0 is 12."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return count(value)


def _seconds(attributes: Mapping[str, object], names: tuple[str, ...]) -> float | None:
    for value in _present(attributes, names):
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value) if abs(value) < _LONGEST_SECONDS else math.inf
            if 0 <= seconds < _LONGEST_SECONDS:
                return seconds
    return None
