"""The ledger: exchanges become series, bounded by configuration and by closed lists."""

import math
from dataclasses import replace

import pytest

from tests.gaps import gaps
from tidegauge.catalog import Metric, traffic
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.traffic import TrafficSource
from tidegauge.traffic.arrivals import Arrivals
from tidegauge.traffic.exchange import NO_GAPS, Exchange
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
)


def values(ledger: Ledger, metric: Metric) -> dict[tuple[str, ...], float | Distribution]:
    return {sample.labels: sample.value for sample in ledger.samples() if sample.metric is metric}


def distribution(ledger: Ledger, metric: Metric, model: str = "chat") -> Distribution:
    value = values(ledger, metric)[(model,)]
    assert isinstance(value, Distribution)
    return value


def test_a_configured_model_has_its_series_before_any_request() -> None:
    ledger = Ledger(["chat"])
    assert values(ledger, traffic.REQUESTS)["chat", "ok", "200"] == 0
    assert values(ledger, traffic.REQUESTS)["chat", "unreachable", ""] == 0
    assert values(ledger, traffic.FINISHED)["chat", "length"] == 0
    assert distribution(ledger, traffic.TIME_TO_FIRST_TOKEN).count == 0


def test_without_models_and_requests_there_are_no_series() -> None:
    assert Ledger([]).samples() == ()


def test_an_exchange_is_counted_once_everywhere() -> None:
    ledger = Ledger(["chat"])
    ledger.add(OK)
    ledger.add(OK)
    assert values(ledger, traffic.REQUESTS)["chat", "ok", "200"] == 2
    assert values(ledger, traffic.FINISHED)["chat", "stop"] == 2
    assert distribution(ledger, traffic.DURATION).sum == 4
    assert distribution(ledger, traffic.PROMPT_TOKENS).sum == 10
    assert distribution(ledger, traffic.GENERATION_TOKENS).sum == 6
    assert distribution(ledger, traffic.INTER_CHUNK).count == 4


def test_buckets_are_cumulative_and_include_their_bound() -> None:
    ledger = Ledger([])
    for seconds in (0.01, 0.3, 0.5, 1e6):
        ledger.add(replace(OK, first_token_seconds=seconds))
    buckets = dict(distribution(ledger, traffic.TIME_TO_FIRST_TOKEN, "other").buckets)
    assert [buckets[bound] for bound in (0.01, 0.25, 0.5, 600, math.inf)] == [1, 1, 3, 3, 4]


@pytest.mark.parametrize("outcome", ["aborted", "cut", "client_error", "server_error"])
def test_only_answers_that_ended_well_have_a_duration(outcome: str) -> None:
    ledger = Ledger(["chat"])
    ledger.add(replace(OK, outcome=outcome))  # type: ignore[arg-type]
    assert distribution(ledger, traffic.DURATION).count == 0
    assert distribution(ledger, traffic.TIME_TO_FIRST_TOKEN).count == 1


def test_what_is_not_known_is_not_observed() -> None:
    ledger = Ledger(["chat"])
    ledger.add(
        replace(
            OK,
            finish_reason=None,
            first_token_seconds=None,
            gaps=NO_GAPS,
            prompt_tokens=None,
            generation_tokens=None,
        )
    )
    assert sum(float(n) for n in values(ledger, traffic.FINISHED).values()) == 0  # type: ignore[arg-type]
    for metric in (traffic.TIME_TO_FIRST_TOKEN, traffic.PROMPT_TOKENS, traffic.GENERATION_TOKENS):
        assert distribution(ledger, metric).count == 0


@pytest.mark.parametrize(
    "status,code",
    [(None, ""), (200, "200"), (599, "599"), (99, "other"), (600, "other")],
)
def test_status_codes_are_bounded(status: int | None, code: str) -> None:
    ledger = Ledger(["chat"])
    ledger.add(replace(OK, outcome="cut", status=status))
    assert values(ledger, traffic.REQUESTS)["chat", "cut", code] == 1


def test_outside_names_make_no_series() -> None:
    ledger = Ledger(["chat"])
    for index in range(100):
        ledger.add(replace(OK, model=f"m{index}", finish_reason=f"r{index}"))
    assert {labels[0] for labels in values(ledger, traffic.REQUESTS)} == {"chat", "other"}
    assert values(ledger, traffic.FINISHED)["other", "other"] == 100


async def test_the_source_adds_what_was_begun_and_what_is_in_flight() -> None:
    ledger = Ledger(["chat"])
    arrivals = Arrivals()
    for _ in range(9):
        arrivals.begin()
    arrivals.end()
    arrivals.end()
    source = TrafficSource(ledger, arrivals)
    assert source.name == "traffic"
    begun = (Sample(traffic.STARTED, 9), Sample(traffic.IN_FLIGHT, 7))
    assert await source.read() == (*ledger.samples(), *begun)
    assert source.unread() == ()
