"""The prompt and the answer of a span, wherever its instrumentation has put them.

No clock, no network, no logging: same arguments, same answer. Text parts only: a tool's answer
and an image are parts too, and no prompt.
"""

import json
import re
from collections.abc import Iterator, Mapping

from tidegauge.traffic.ended import TEXT_MAX, Texts
from tidegauge.traffic.otlp import conventions
from tidegauge.traffic.otlp.span import Event, Span

# A string that spells JSON is read up to here, so that `[[],[],…` can't be blown up.
_JSON_MAX = 1 << 20
_DEPTH_MAX = 6  # messages > message > parts > part > content, and one for who wraps them
_TEXT_PARTS = (None, "text", "input_text", "output_text")


def texts(span: Span) -> Texts:
    """What was asked and answered; "" where the span doesn't say."""
    prompt = "".join(_prompt(span))
    answer = "".join(_answer(span))
    return Texts(
        prompt=prompt[:TEXT_MAX],
        answer=answer[:TEXT_MAX],
        prompt_chars=len(prompt),
        answer_chars=len(answer),
    )


def _prompt(span: Span) -> Iterator[str]:
    return _first_of(
        _named(span, conventions.PROMPT_MESSAGES),
        _told(span.events, conventions.PROMPT_EVENTS),
        _indexed(span.attributes, conventions.PROMPT_INDEXED),
        _named(span, conventions.PROMPT_TEXT),
    )


def _answer(span: Span) -> Iterator[str]:
    return _first_of(
        _named(span, conventions.ANSWER_MESSAGES),
        _told(span.events, conventions.ANSWER_EVENTS),
        _indexed(span.attributes, conventions.ANSWER_INDEXED),
        _named(span, conventions.ANSWER_TEXT),
    )


def _first_of(*places: Iterator[str]) -> Iterator[str]:
    """Of all places where a text can be, the first that holds any: some write it twice."""
    for place in places:
        found = next(place, None)
        if found is not None:
            yield found
            yield from place
            return


def _named(span: Span, names: tuple[str, ...]) -> Iterator[str]:
    """Of the span, else of its event of details, which holds the same attributes."""
    details = (e.attributes for e in span.events if e.name == conventions.DETAILS_EVENT)
    for attributes in (span.attributes, *details):
        found = [text for name in names for text in _texts_in(_spelled(attributes.get(name)))]
        if found:
            yield from found
            return


def _told(events: tuple[Event, ...], names: frozenset[str]) -> Iterator[str]:
    for event in events:
        if event.name in names:
            held = (event.attributes.get(name) for name in conventions.EVENT_TEXT)
            yield from _texts_in(_spelled(next((each for each in held if each), None)))


def _indexed(attributes: Mapping[str, object], names: re.Pattern[str]) -> Iterator[str]:
    found = ((names.fullmatch(name), value) for name, value in attributes.items())
    ordered = sorted(
        ((int(match[match.lastindex or 0]), match[0], value) for match, value in found if match),
        key=lambda each: each[:2],
    )
    for _, _, value in ordered:
        yield from _texts_in(_spelled(value))


def _spelled(value: object) -> object:
    """What a string spells, where that is JSON: attributes held no lists and mappings before."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    if len(value) > _JSON_MAX:
        return None
    try:
        spelled: object = json.loads(value)
    except (ValueError, RecursionError):
        return value  # a prompt may begin with a bracket
    return spelled


def _texts_in(value: object, depth: int = 0) -> Iterator[str]:
    """Texts in a message, a part of one, a list of either, or what wraps them."""
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, list):
        for member in value:
            yield from _texts_in(member, depth + 1)
    elif isinstance(value, dict) and value.get("type") in _TEXT_PARTS:
        inside = (value.get(name) for name in ("parts", "content", "text", "message"))
        yield from _texts_in(next((each for each in inside if each), None), depth + 1)
