"""The ledger: exchanges become series, bounded by configuration and by closed lists."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gaps import gaps
from tidegauge.catalog import Metric, traffic
from tidegauge.exposition import render
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.traffic import TrafficSource
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.clients import Clients
from tidegauge.traffic.counted import CODES, PHASES
from tidegauge.traffic.exchange import (
    ERROR_CLASSES,
    FINISH_REASONS,
    NO_GAPS,
    OUTCOMES,
    ROUTES,
    Exchange,
)
from tidegauge.traffic.ledger import Ledger

OK = Exchange(
    model="chat",
    streamed=True,
    outcome="ok",
    status=200,
    finish_reason="stop",
    duration_seconds=2.0,
    first_token_seconds=0.3,
    gaps=gaps(0.004, 0.2),
    prompt_tokens=5,
    generation_tokens=3,
    features=None,
    version="v1",
    route="chat",
)
VERSIONS = {"chat": "v1"}
CHAT = ("chat", "v1")


def chat() -> Ledger:
    return Ledger(["chat"], VERSIONS)


def values(ledger: Ledger, metric: Metric) -> dict[tuple[str, ...], float | Distribution]:
    return {sample.labels: sample.value for sample in ledger.samples() if sample.metric is metric}


def raised(ledger: Ledger, metric: Metric) -> dict[tuple[str, ...], float | Distribution]:
    return {labels: value for labels, value in values(ledger, metric).items() if value}


def distribution(ledger: Ledger, metric: Metric, *labels: str) -> Distribution:
    value = values(ledger, metric)[labels]
    assert isinstance(value, Distribution)
    return value


@pytest.mark.parametrize(
    "metric, values_of_the_last_label",
    [
        (traffic.REQUESTS, OUTCOMES),
        (traffic.RESPONSES, CODES),
        (traffic.ABORTED, PHASES),
        (traffic.ERRORS, ERROR_CLASSES),
        (traffic.FINISHED, FINISH_REASONS),
    ],
    ids=lambda value: value.name if isinstance(value, Metric) else "",
)
def test_each_model_and_version_has_its_counters_before_any_request(
    metric: Metric, values_of_the_last_label: tuple[str, ...]
) -> None:
    ledger = Ledger(["chat", "code"], VERSIONS)
    pairs = (CHAT, ("code", ""))
    expected = {(*pair, last): 0 for pair in pairs for last in values_of_the_last_label}
    assert values(ledger, metric) == expected


def test_each_model_has_its_histograms_before_any_request() -> None:
    ledger = chat()
    for metric in (traffic.TIME_TO_FIRST_TOKEN, traffic.INTER_CHUNK, traffic.DURATION):
        assert distribution(ledger, metric, *CHAT).count == 0
    for metric in (traffic.PROMPT_TOKENS, traffic.GENERATION_TOKENS, traffic.TOKENS_PER_SECOND):
        for source in ("usage", "estimate"):
            assert distribution(ledger, metric, *CHAT, source).count == 0


def test_there_are_as_many_series_as_the_page_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "traffic-series.md").read_text()
    lines = [line for line in render(chat().samples()).splitlines() if not line.startswith("#")]
    routes = sum(line.startswith(traffic.ROUTES.name) for line in lines)
    counters = sum("_total{" in line for line in lines) - routes
    rest = len(lines) - routes - counters
    assert f"{routes} by route" in page
    assert f"{counters} counters and {rest} lines of histograms" in page


def test_without_models_and_requests_there_are_routes_only() -> None:
    routes = {(route, outcome) for route in ROUTES for outcome in OUTCOMES}
    samples = Ledger([]).samples()
    assert {sample.labels for sample in samples} == routes
    assert {(sample.metric, sample.value) for sample in samples} == {(traffic.ROUTES, 0)}


def test_an_exchange_is_counted_once_everywhere() -> None:
    ledger = chat()
    ledger.add(OK)
    ledger.add(OK)
    assert raised(ledger, traffic.REQUESTS) == {(*CHAT, "ok"): 2}
    assert raised(ledger, traffic.RESPONSES) == {(*CHAT, "200"): 2}
    assert raised(ledger, traffic.FINISHED) == {(*CHAT, "stop"): 2}
    assert raised(ledger, traffic.ROUTES) == {("chat", "ok"): 2}
    assert raised(ledger, traffic.ERRORS) == raised(ledger, traffic.ABORTED) == {}
    assert distribution(ledger, traffic.DURATION, *CHAT).sum == 4
    assert distribution(ledger, traffic.PROMPT_TOKENS, *CHAT, "usage").sum == 10
    assert distribution(ledger, traffic.GENERATION_TOKENS, *CHAT, "usage").sum == 6
    assert distribution(ledger, traffic.INTER_CHUNK, *CHAT).count == 4


def test_buckets_are_cumulative_and_include_their_bound() -> None:
    ledger = Ledger([])
    for seconds in (0.01, 0.3, 0.5, 1e6):
        ledger.add(replace(OK, first_token_seconds=seconds, version=""))
    buckets = dict(distribution(ledger, traffic.TIME_TO_FIRST_TOKEN, "other", "").buckets)
    assert [buckets[bound] for bound in (0.01, 0.25, 0.5, 600, math.inf)] == [1, 1, 3, 3, 4]


@pytest.mark.parametrize("outcome", ["aborted", "cut", "client_error", "server_error"])
def test_only_answers_that_ended_well_have_a_duration_and_a_speed(outcome: str) -> None:
    ledger = chat()
    ledger.add(replace(OK, outcome=outcome))  # type: ignore[arg-type]
    assert distribution(ledger, traffic.DURATION, *CHAT).count == 0
    assert distribution(ledger, traffic.TOKENS_PER_SECOND, *CHAT, "usage").count == 0
    assert distribution(ledger, traffic.TIME_TO_FIRST_TOKEN, *CHAT).count == 1


def test_what_is_not_known_is_not_observed() -> None:
    ledger = chat()
    ledger.add(
        replace(
            OK,
            status=None,
            finish_reason=None,
            first_token_seconds=None,
            gaps=NO_GAPS,
            prompt_tokens=None,
            generation_tokens=None,
        )
    )
    assert raised(ledger, traffic.FINISHED) == raised(ledger, traffic.RESPONSES) == {}
    assert distribution(ledger, traffic.TIME_TO_FIRST_TOKEN, *CHAT).count == 0
    for metric in (traffic.PROMPT_TOKENS, traffic.GENERATION_TOKENS, traffic.TOKENS_PER_SECOND):
        assert distribution(ledger, metric, *CHAT, "usage").count == 0


@pytest.mark.parametrize("number", [-1, math.nan, math.inf, 10**400])
def test_a_number_that_cannot_be_is_not_observed(number: float) -> None:
    """A sum that falls, or is no number any more, would spoil a series for good."""
    ledger = chat()
    ledger.add(
        replace(
            OK,
            first_token_seconds=number,
            duration_seconds=number,
            prompt_tokens=number,  # type: ignore[arg-type]
            generation_tokens=number,  # type: ignore[arg-type]
        )
    )
    counts = [
        sample.value.count
        for sample in ledger.samples()
        if isinstance(sample.value, Distribution) and sample.metric is not traffic.INTER_CHUNK
    ]
    assert set(counts) == {0}


@pytest.mark.parametrize(
    "status,code",
    [
        *((200, "200"), (429, "429"), (302, "3xx"), (418, "4xx"), (599, "5xx")),
        *((99, "other"), (600, "other"), (-1, "other")),
    ],
)
def test_status_codes_are_bounded(status: int, code: str) -> None:
    ledger = chat()
    ledger.add(replace(OK, outcome="cut", status=status))
    assert raised(ledger, traffic.RESPONSES) == {(*CHAT, code): 1}


@pytest.mark.parametrize("first, phase", [(None, "waiting"), (0.3, "streaming")])
def test_an_aborted_request_says_when_the_client_left(first: float | None, phase: str) -> None:
    ledger = chat()
    ledger.add(replace(OK, outcome="aborted", first_token_seconds=first))
    assert raised(ledger, traffic.ABORTED) == {(*CHAT, phase): 1}
    assert raised(ledger, traffic.REQUESTS) == {(*CHAT, "aborted"): 1}
    assert raised(ledger, traffic.ERRORS) == {}


@pytest.mark.parametrize(
    "outcome, told, counted",
    [
        ("client_error", "rate_limited", "rate_limited"),
        ("server_error", None, "other"),
        ("client_error", "never heard of", "other"),
        ("cut", None, "cut"),
        ("cut", "stream_error", "stream_error"),
        ("unreachable", None, "unreachable"),
    ],
)
def test_each_request_that_failed_has_one_class(
    outcome: str, told: str | None, counted: str
) -> None:
    ledger = chat()
    ledger.add(replace(OK, outcome=outcome, error=told))  # type: ignore[arg-type]
    assert raised(ledger, traffic.ERRORS) == {(*CHAT, counted): 1}


@pytest.mark.parametrize("outcome", ["ok", "aborted"])
def test_no_other_request_has_one_whatever_a_door_says(outcome: str) -> None:
    ledger = chat()
    ledger.add(replace(OK, outcome=outcome, error="overloaded"))  # type: ignore[arg-type]
    assert raised(ledger, traffic.ERRORS) == {}


def test_numbers_of_tokens_say_where_they_are_from() -> None:
    ledger = chat()
    ledger.add(replace(OK, prompt_tokens_estimated=True))
    ledger.add(replace(OK, generation_tokens_estimated=True))
    for metric in (traffic.PROMPT_TOKENS, traffic.GENERATION_TOKENS, traffic.TOKENS_PER_SECOND):
        for source in ("usage", "estimate"):
            assert distribution(ledger, metric, *CHAT, source).count == 1


@pytest.mark.parametrize(
    "changes, expected",
    [
        pytest.param({}, (3 - 1) / (2.0 - 0.3), id="the first token is not waited for"),
        pytest.param({"streamed": False}, None, id="not streamed"),
        pytest.param({"first_token_seconds": None}, None, id="no first token"),
        pytest.param({"generation_tokens": 1}, None, id="a single token"),
        pytest.param({"first_token_seconds": 1.995}, None, id="came as one piece"),
        pytest.param({"first_token_seconds": 2.5}, None, id="a clock that goes back"),
    ],
)
def test_tokens_per_second(changes: dict[str, object], expected: float | None) -> None:
    ledger = chat()
    ledger.add(replace(OK, **changes))  # type: ignore[arg-type]
    seen = distribution(ledger, traffic.TOKENS_PER_SECOND, *CHAT, "usage")
    assert (seen.count, seen.sum) == ((0, 0) if expected is None else (1, expected))


def test_outside_names_make_no_series() -> None:
    ledger = chat()
    for index in range(100):
        name = f"m{index}"
        ledger.add(replace(OK, model=name, version=name, finish_reason=name, route=name))  # type: ignore[arg-type]
    pairs = {labels[:2] for labels in values(ledger, traffic.REQUESTS)}
    assert pairs == {CHAT, ("other", "other")}
    assert raised(ledger, traffic.FINISHED) == {("other", "other", "other"): 100}
    assert raised(ledger, traffic.ROUTES) == {("other", "ok"): 100}


async def test_the_source_adds_what_was_begun_what_is_in_flight_and_clients() -> None:
    ledger, clients, arrivals = chat(), Clients(3, clock=lambda: 0.0), Arrivals()
    for _ in range(9):
        arrivals.begin()
    for _ in range(2):
        arrivals.begin_stream()
    arrivals.end()
    arrivals.end()
    arrivals.end_stream()
    clients.add(replace(OK, client="a1"))
    source = TrafficSource(ledger, arrivals, clients)
    assert source.name == "traffic"
    now = (
        Sample(traffic.STARTED, 9),
        Sample(traffic.IN_FLIGHT, 7),
        Sample(traffic.STREAMS_IN_FLIGHT, 1),
    )
    assert await source.read() == (*ledger.samples(), *clients.samples(), *now)
    assert await TrafficSource(ledger, arrivals).read() == (*ledger.samples(), *now)
    assert source.unread() == ()
