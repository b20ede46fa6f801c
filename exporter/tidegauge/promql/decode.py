"""Prometheus's HTTP API answers as values, or one PromqlError that says what is wrong with them.

Sans-IO: status and bytes in, values out. No clock, no network, no logging.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Reason = Literal[
    "secret",  # a file with a token, password or header cannot be used
    "unreachable",  # no connection, or it broke
    "timeout",  # no answer in time
    "http_status",  # an answer that is no success
    "bad_query",  # Prometheus refused the expression
    "parse",  # an answer that is not the API's JSON
    "too_large",  # an answer of more than we read, or of more than Prometheus looks at
    "empty",  # no series
    "ambiguous",  # more than one series where one number is wanted
    "not_a_number",  # NaN or infinite
    "negative",  # below zero where an amount is wanted
    "partial",  # the server warns that stores were missing
]
REASONS: tuple[Reason, ...] = get_args(Reason)

_MOST_TEXT = 300  # of what a server says, in a message of ours

_TOO_MANY = "too many samples"  # --query.max-samples: "would load too many samples into memory"


class PromqlError(Exception):
    """A query gave nothing that may be acted on; `reason` is one of REASONS."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


@dataclass(frozen=True, slots=True)
class Series:
    """One element of an instant vector."""

    labels: tuple[tuple[str, str], ...]
    value: float


@dataclass(frozen=True, slots=True)
class Answer:
    """An instant query's result; a scalar is one series without labels."""

    series: tuple[Series, ...]
    warnings: tuple[str, ...] = ()


def decode(status: int, body: bytes) -> Answer:
    """The answer to an instant query.

    Raises:
        PromqlError: bad_query, http_status or parse.
    """
    tree, data = result(status, body)
    return Answer(_series(data), warnings(tree))


def result(status: int, body: bytes) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """The whole answer, and what it holds under `data`, of a query that was a success.

    Raises:
        PromqlError: bad_query, http_status, too_large or parse.
    """
    tree = _tree(status, body)
    if status == 400 or tree.get("errorType") == "bad_data":  # noqa: PLR2004 - Bad Request
        raise PromqlError("bad_query", f"Prometheus refused the query: {_said(tree)}")
    if status != 200 or tree.get("status") != "success":  # noqa: PLR2004 - OK
        kind: Reason = "too_large" if _TOO_MANY in str(tree.get("error")) else "http_status"
        raise PromqlError(kind, f"Prometheus answered {status}: {_said(tree)}")
    data = tree.get("data")
    if not isinstance(data, dict):
        raise PromqlError("parse", "the answer has no data")
    return tree, data


def number(answer: Answer) -> float:
    """The one finite number of an answer.

    Raises:
        PromqlError: empty, ambiguous, not_a_number or partial.
    """
    if answer.warnings:
        raise PromqlError("partial", f"Prometheus warns: {answer.warnings[0]}")
    if not answer.series:
        raise PromqlError("empty", "the query gave no series")
    if len(answer.series) > 1:
        message = f"the query gave {len(answer.series)} series; aggregate it to one, as with sum()"
        raise PromqlError("ambiguous", message)
    value = answer.series[0].value
    if not math.isfinite(value):
        raise PromqlError("not_a_number", f"the query gave {value}")
    return value


def amount(answer: Answer) -> float:
    """The one number of an answer, not below zero.

    Raises:
        PromqlError: as `number`, or negative: a mistake in the query, such as a rate over a gauge.
    """
    value = number(answer)
    if value < 0:
        raise PromqlError("negative", f"the query gave {value:g}; an amount is wanted")
    return value


def _said(tree: Mapping[str, object]) -> str:
    return str(tree.get("error"))[:_MOST_TEXT]


def _tree(status: int, body: bytes) -> Mapping[str, object]:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        kind: Reason = "parse" if status == 200 else "http_status"  # noqa: PLR2004 - OK
        start = body[:60].decode(errors="replace")
        raise PromqlError(kind, f"answered {status} with no JSON: {start!r}") from None
    if not isinstance(tree, dict):
        raise PromqlError("parse", f"answered {status} with JSON that is no object")
    return tree


def warnings(tree: Mapping[str, object]) -> tuple[str, ...]:
    """What an answer warns of: stores that were missing."""
    # `infos` (PromQL hints such as "might not be a counter") say nothing about missing stores.
    said = tree.get("warnings") or []
    texts = said if isinstance(said, list) else [said]
    # VictoriaMetrics's cluster version says so in a field of its own.
    cut = tuple(str(text)[:_MOST_TEXT] for text in texts)
    return (*cut, "the answer is partial") if tree.get("isPartial") else cut


def _series(found: Mapping[str, object]) -> tuple[Series, ...]:
    rows = found.get("result")
    try:
        match found.get("resultType"), rows:
            case "scalar", [_, text]:
                return (Series((), float(str(text))),)
            case "vector", list():
                return tuple(_element(row) for row in rows)
            case other, _:
                raise PromqlError("parse", f"a vector or scalar is needed, not {other}")
    except (TypeError, ValueError, KeyError, IndexError):
        raise PromqlError("parse", "the answer is not an instant query's") from None


def _element(row: Mapping[str, object]) -> Series:
    labels, value = row["metric"], row["value"]
    if not isinstance(labels, dict) or not isinstance(value, list):
        raise TypeError
    pairs = sorted((str(name), str(text)) for name, text in labels.items())
    return Series(tuple(pairs), float(str(value[1])))
