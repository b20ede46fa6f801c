"""Exchanges in, series out; and the counters that let Prometheus score replicas as one."""

from dataclasses import replace
from math import log

import numpy as np
import pytest

from tidegauge.catalog import drift as catalog
from tidegauge.catalog.metric import Metric
from tidegauge.drift.channels import Observation
from tidegauge.drift.learning import build
from tidegauge.drift.monitor import DriftMonitor
from tidegauge.drift.window import WindowLimits
from tidegauge.inject.prompts import PROMPT_KINDS
from tidegauge.samples import Sample
from tidegauge.sources.drift import DriftSource
from tidegauge.traffic.exchange import NO_GAPS, OUTCOMES, Exchange, Outcome
from tidegauge.traffic.features import prompt_features

LIMITS = WindowLimits(requests=2000, seconds=600.0, min_requests=100)
CHANNELS = ("prompt_length", "answer_length", "prompt_mix")
OK = Exchange(
    model="chat-7b",
    streamed=True,
    outcome="ok",
    status=200,
    finish_reason="length",
    duration_seconds=1.0,
    first_token_seconds=0.1,
    gaps=NO_GAPS,
    prompt_tokens=20,
    generation_tokens=12,
    features=prompt_features(["tide gauges are read through waves 4 5 6"]),
)


def exchanges(kind: str, count: int, *, seed: int) -> list[Exchange]:
    rng = np.random.default_rng(seed)
    prompts = (PROMPT_KINDS[kind](rng) for _ in range(count))
    return [
        replace(OK, features=prompt_features((p.text,)), generation_tokens=p.max_tokens)
        for p in prompts
    ]


REFERENCE = build(
    "chat-7b",
    [Observation(e.features, e.generation_tokens) for e in exchanges("chat", 1000, seed=1)],
)


def monitor() -> DriftMonitor:
    return DriftMonitor([REFERENCE], LIMITS)


def values(samples: tuple[Sample, ...], metric: Metric) -> dict[tuple[str, ...], float]:
    return {s.labels: s.value for s in samples if s.metric is metric and isinstance(s.value, float)}


def watched(*groups: list[Exchange]) -> tuple[Sample, ...]:
    watching = monitor()
    for number, exchange in enumerate(e for group in groups for e in group):
        watching.observe(exchange, now=number / 100)
    return watching.samples(now=0)


def test_every_bin_is_there_at_zero_before_the_first_request() -> None:
    samples = monitor().samples(now=0)
    bins = values(samples, catalog.BIN_REQUESTS)
    assert set(bins.values()) == {0.0}
    assert bins.keys() == values(samples, catalog.REFERENCE_RATIO).keys()
    expected = {(c.channel, label) for c in REFERENCE.channels for label in c.bins.labels}
    assert {labels[1:] for labels in bins} == expected
    assert set(values(samples, catalog.WINDOW_REQUESTS).values()) == {0.0}
    assert values(samples, catalog.SCORE) == {}
    assert values(samples, catalog.REFERENCE_INFO) == {("chat-7b", REFERENCE.digest, "2"): 1.0}


def test_reference_shares_sum_to_one_per_channel() -> None:
    ratios = values(monitor().samples(now=0), catalog.REFERENCE_RATIO)
    for channel in CHANNELS:
        shares = [share for labels, share in ratios.items() if labels[1] == channel]
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0


def test_ordinary_requests_score_low_and_another_kind_scores_high_and_back() -> None:
    chat, code = exchanges("chat", 1000, seed=2), exchanges("code", 2000, seed=3)
    ordinary = values(watched(chat), catalog.SCORE)
    shifted = values(watched(chat, code), catalog.SCORE)
    back = values(watched(chat, code, exchanges("chat", 2000, seed=4)), catalog.SCORE)
    assert ordinary.keys() == {("chat-7b", channel) for channel in CHANNELS}
    assert max(ordinary.values()) < 0.05
    assert min(shifted.values()) > 1
    assert max(back.values()) < 0.05


@pytest.mark.parametrize("outcome", [o for o in OUTCOMES if o != "ok"])
def test_a_request_that_did_not_end_well_is_not_counted(outcome: Outcome) -> None:
    watching = monitor()
    before = watching.samples(now=0)
    watching.observe(replace(OK, outcome=outcome), now=0)
    assert watching.samples(now=0) == before


def test_a_model_without_a_reference_is_passed_over() -> None:
    watching = monitor()
    before = watching.samples(now=0)
    watching.observe(replace(OK, model="other"), now=0)
    assert watching.samples(now=0) == before


def test_a_channel_that_a_request_does_not_speak_of_is_skipped() -> None:
    watching = monitor()
    watching.observe(replace(OK, features=None), now=0)
    watching.observe(replace(OK, generation_tokens=None), now=0)
    windows = values(watching.samples(now=0), catalog.WINDOW_REQUESTS)
    assert set(windows.values()) == {1.0}
    counts = values(watching.samples(now=0), catalog.BIN_REQUESTS)
    assert sum(counts.values()) == pytest.approx(3)


def test_models_are_scored_apart() -> None:
    other = replace(REFERENCE, model="code-7b")
    watching = DriftMonitor([REFERENCE, other], LIMITS)
    watching.observe(OK, now=0)
    windows = values(watching.samples(now=0), catalog.WINDOW_REQUESTS)
    assert windows["chat-7b", "prompt_length"] == 1
    assert windows["code-7b", "prompt_length"] == 0


def test_two_references_for_a_model_are_refused() -> None:
    with pytest.raises(ValueError, match="'chat-7b': two references"):
        DriftMonitor([REFERENCE, REFERENCE], LIMITS)


def test_an_unknown_test_is_refused() -> None:
    with pytest.raises(ValueError, match="'ks': known are psi"):
        DriftMonitor([REFERENCE], LIMITS, test="ks")


def test_summed_counters_of_two_replicas_score_as_one_that_saw_all() -> None:
    """The recording rule's arithmetic: sum over replicas, smooth, index against the shares."""
    requests = [*exchanges("chat", 300, seed=5), *exchanges("code", 200, seed=6)]
    whole = watched(requests)
    left, right = watched(requests[::3]), watched(requests[1::3], requests[2::3])
    ratios = values(whole, catalog.REFERENCE_RATIO)
    counts = {
        labels: values(left, catalog.BIN_REQUESTS)[labels] + count
        for labels, count in values(right, catalog.BIN_REQUESTS).items()
    }
    for channel in CHANNELS:
        bins = [labels for labels in ratios if labels[1] == channel]
        total = sum(counts[labels] for labels in bins)
        shares = {b: (counts[b] + 0.5) / (total + 0.5 * len(bins)) for b in bins}
        score = sum((shares[b] - ratios[b]) * log(shares[b] / ratios[b]) for b in bins)
        assert score == pytest.approx(values(whole, catalog.SCORE)["chat-7b", channel])


async def test_the_source_lets_old_requests_go_when_read() -> None:
    now = [1000.0]
    source = DriftSource(monitor(), clock=lambda: now[0])
    for exchange in exchanges("chat", 150, seed=7):
        source.observe(exchange)
    assert len(values(tuple(await source.read()), catalog.SCORE)) == 3
    now[0] += LIMITS.seconds + 1
    stale = tuple(await source.read())
    assert values(stale, catalog.SCORE) == {}
    assert set(values(stale, catalog.WINDOW_REQUESTS).values()) == {0.0}
    counted = values(stale, catalog.BIN_REQUESTS)
    assert sum(counted.values()) == pytest.approx(3 * 150), "counters never go back"
    assert source.name == "drift"
    assert source.unread() == ()
