"""An exchange as an app pushes it: JSON in, an `Exchange` and its text out.

No clock, no network, no logging: same arguments, same answer. docs/push.md documents the fields.
"""

from bisect import bisect_left
from collections.abc import Mapping

from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.ended import TEXT_MAX, Ended, Texts
from tidegauge.traffic.exchange import (
    ERROR_CLASSES,
    FINISH_REASONS,
    GAP_BOUNDS_SECONDS,
    NO_GAPS,
    OTHER,
    OUTCOMES,
    ROUTES,
    ErrorClass,
    Exchange,
    Gaps,
    Outcome,
)
from tidegauge.traffic.item import Item, ItemError
from tidegauge.traffic.labelling import Labelling

FIELDS = (
    "id",
    "model",
    "version",
    "route",
    "streamed",
    "outcome",
    "status",
    "error",
    "finish_reason",
    "duration_seconds",
    "first_token_seconds",
    "gaps_seconds",
    "prompt_tokens",
    "generation_tokens",
    "tokens_estimated",
    "client",
    "prompt",
    "answer",
)
LONGEST_SECONDS = 7 * 86400.0
MOST_TOKENS = 100_000_000
MOST_GAPS = 10_000  # 10 ms of work, in which nothing else runs
_NAME = 1024  # characters of an id, a name, a client
_TEXT = 64 << 20  # characters; the body's bound comes first
_FAILED, _SERVERS = 400, 500  # as RFC 9110 divides statuses
# What an error of a class is where no status says it; every other one is the server's.
_OUTCOMES: Mapping[ErrorClass, Outcome] = {
    "bad_request": "client_error",
    "context_length": "client_error",
    "auth": "client_error",
    "not_found": "client_error",
    "too_large": "client_error",
    "rate_limited": "client_error",
    "content_filter": "client_error",
    "stream_error": "cut",
    "malformed": "cut",
    "cut": "cut",
    "unreachable": "unreachable",
}


def pushed(value: object, labelling: Labelling) -> Ended:
    """What one item says.

    Raises:
        ItemError: it says it wrongly, or too little.
    """
    item = Item(value, FIELDS)
    duration = item.number("duration_seconds", 0, LONGEST_SECONDS)
    if duration is None:
        raise item.missing("duration_seconds")
    first = item.number("first_token_seconds", 0, LONGEST_SECONDS)
    if first is not None and first > duration:
        raise ItemError("first_token_seconds: is more than duration_seconds")
    status, outcome = item.whole("status", 100, 599), item.choice("outcome", OUTCOMES)
    error = item.choice("error", ERROR_CLASSES)
    model = labelling.model(item.text("model", most=_NAME))
    identifier, estimated = item.text("id", most=_NAME), item.flag("tokens_estimated") or False
    exchange = Exchange(
        model=model,
        version=_version(item.text("version", most=_NAME), model, labelling),
        streamed=item.flag("streamed") or False,
        outcome=outcome or _outcome(status, error),
        status=status,
        finish_reason=_finish_reason(item.text("finish_reason", most=_NAME)),
        duration_seconds=duration,
        first_token_seconds=first,
        gaps=_gaps(item.numbers("gaps_seconds", 0, LONGEST_SECONDS, most=MOST_GAPS)),
        prompt_tokens=item.whole("prompt_tokens", 0, MOST_TOKENS),
        generation_tokens=item.whole("generation_tokens", 0, MOST_TOKENS),
        features=None,
        route=item.choice("route", ROUTES) or "other",
        error=error,
        client=labelling.client(item.text("client", most=_NAME) or ""),
        answer_key=None if identifier is None else answer_key(identifier),
        prompt_tokens_estimated=estimated,
        generation_tokens_estimated=estimated,
    )
    return Ended(exchange, _texts(item))


def _version(name: str | None, model: str, labelling: Labelling) -> str:
    """A version becomes a label if the configuration names it, for whichever model."""
    if name is None:
        return labelling.version(model)
    return name if name in labelling.versions.values() else OTHER


def _outcome(status: int | None, error: ErrorClass | None) -> Outcome:
    """As the tap calls it: by a status of failure, else by the class of its error."""
    if status is not None and status >= _FAILED:
        return "server_error" if status >= _SERVERS else "client_error"
    return "ok" if error is None else _OUTCOMES.get(error, "server_error")


def _finish_reason(name: str | None) -> str | None:
    return name if name is None or name in FINISH_REASONS else OTHER


def _gaps(seconds: tuple[float, ...]) -> Gaps:
    if not seconds:
        return NO_GAPS
    counts = [0] * len(NO_GAPS.counts)
    for gap in seconds:
        counts[bisect_left(GAP_BOUNDS_SECONDS, gap)] += 1
    return Gaps(tuple(counts), sum(seconds))


def _texts(item: Item) -> Texts:
    prompt = item.text("prompt", most=_TEXT) or ""
    answer = item.text("answer", most=_TEXT) or ""
    return Texts(prompt[:TEXT_MAX], answer[:TEXT_MAX], len(prompt), len(answer))
