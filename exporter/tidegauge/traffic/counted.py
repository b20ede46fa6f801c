"""Which counters one exchange raises, and which exist before any exchange does.

No clock, no network, no logging: same arguments, same answer. A label value is configured or comes
from a closed list, whatever an exchange says.
"""

from collections.abc import Iterator
from typing import Literal, get_args

from tidegauge.catalog import Metric, traffic
from tidegauge.traffic.exchange import (
    ERROR_CLASSES,
    FINISH_REASONS,
    OTHER,
    OUTCOMES,
    ROUTES,
    ErrorClass,
    Exchange,
)

Phase = Literal["waiting", "streaming"]
"""When a client gave up. waiting: no content had come, so it was queued, being read, or an answer
that is not streamed was being written; streaming: some had."""
PHASES: tuple[Phase, ...] = get_args(Phase)

# What engines, gateways and proxies before them answer. Others are counted by their hundred.
CODES = (
    *("200", "400", "401", "403", "404", "408", "413", "422", "429"),
    *("500", "501", "502", "503", "504"),
)

Pair = tuple[str, str]
"""A model and its version, as label values."""
Series = tuple[Metric, tuple[str, ...]]


def counted(exchange: Exchange, pair: Pair) -> Iterator[Series]:
    """The counters that `exchange`, of that model and version, raises by one each."""
    yield traffic.REQUESTS, (*pair, exchange.outcome)
    yield traffic.ROUTES, (_one_of(ROUTES, exchange.route), exchange.outcome)
    if exchange.status is not None:
        yield traffic.RESPONSES, (*pair, code(exchange.status))
    if exchange.outcome == "aborted":
        yield traffic.ABORTED, (*pair, phase(exchange))
    if failure := error_class(exchange):
        yield traffic.ERRORS, (*pair, failure)
    if exchange.finish_reason is not None:
        yield traffic.FINISHED, (*pair, _one_of(FINISH_REASONS, exchange.finish_reason))


def expected(pair: Pair) -> Iterator[Series]:
    """Counters of a configured model, so that increase() sees the first event of each."""
    of_model: tuple[tuple[Metric, tuple[str, ...]], ...] = (
        (traffic.REQUESTS, OUTCOMES),
        (traffic.RESPONSES, CODES),
        (traffic.ABORTED, PHASES),
        (traffic.ERRORS, ERROR_CLASSES),
        (traffic.FINISHED, FINISH_REASONS),
    )
    for metric, values in of_model:
        yield from ((metric, (*pair, value)) for value in values)


def expected_routes() -> Iterator[Series]:
    """Counters by route, which is of no one model."""
    for route in ROUTES:
        yield from ((traffic.ROUTES, (route, outcome)) for outcome in OUTCOMES)


def code(status: int) -> str:
    """A status as a label value: one of CODES, else its hundred.

    >>> code(429), code(418), code(204), code(99)
    ('429', '4xx', '2xx', 'other')
    """
    if str(status) in CODES:
        return str(status)
    return f"{status // 100}xx" if 100 <= status <= 599 else OTHER  # noqa: PLR2004 - HTTP's range


def phase(exchange: Exchange) -> Phase:
    """When the client of an aborted exchange gave up."""
    return "waiting" if exchange.first_token_seconds is None else "streaming"


def error_class(exchange: Exchange) -> ErrorClass | None:
    """Why it failed, and "other" if nobody said: each exchange that failed has one class.

    One that is ok, or that its client left, has none, whatever a door says.
    """
    if exchange.outcome in {"ok", "aborted"}:
        return None
    if exchange.error is not None:
        return exchange.error if exchange.error in ERROR_CLASSES else "other"
    match exchange.outcome:
        case "cut" | "unreachable":
            return exchange.outcome
        case _:
            return "other"


def _one_of(known: tuple[str, ...], value: str) -> str:
    return value if value in known else OTHER
