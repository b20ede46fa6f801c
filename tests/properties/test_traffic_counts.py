"""Laws of the ledger: whatever an exchange says, it is counted once, and labels are ours alone."""

import re
from collections import Counter
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gaps import gaps
from tidegauge.catalog import Metric, traffic
from tidegauge.exposition import render
from tidegauge.samples import Distribution, Sample
from tidegauge.traffic.clients import Clients
from tidegauge.traffic.exchange import ERROR_CLASSES, OUTCOMES, ROUTES, Exchange
from tidegauge.traffic.ledger import Ledger

MARKER = "zxqv"
TEXTS = st.one_of(st.sampled_from(("chat", "v1", "other", "")), st.text().map(MARKER.__add__))
COUNTS = st.one_of(st.none(), st.integers(-3, 10**6), st.integers())
SECONDS = st.one_of(st.floats(0, 1000), st.floats())
EXCHANGES = st.builds(
    Exchange,
    model=TEXTS,
    streamed=st.booleans(),
    outcome=st.sampled_from(OUTCOMES),
    status=st.one_of(st.none(), st.integers(-1, 700)),
    finish_reason=st.one_of(st.none(), st.just("stop"), TEXTS),
    duration_seconds=SECONDS,
    first_token_seconds=st.one_of(st.none(), SECONDS),
    gaps=st.lists(st.floats(0, 20), max_size=4).map(lambda found: gaps(*found)),
    prompt_tokens=COUNTS,
    generation_tokens=COUNTS,
    features=st.none(),
    version=TEXTS,
    route=st.one_of(st.sampled_from(ROUTES), TEXTS),
    error=st.one_of(st.none(), st.sampled_from(ERROR_CLASSES), TEXTS),
    client=st.one_of(st.sampled_from(("", "aa", "bb", "cc", "dd")), TEXTS),
    prompt_tokens_estimated=st.booleans(),
    generation_tokens_estimated=st.booleans(),
)


def total(samples: tuple[Sample, ...], metric: Metric) -> float:
    values = (sample.value for sample in samples if sample.metric is metric)
    return sum(value for value in values if not isinstance(value, Distribution))


@given(exchanges=st.lists(EXCHANGES, max_size=5))
@settings(max_examples=60, deadline=None)
def test_each_exchange_is_counted_once_and_no_text_of_it_is_a_label(
    exchanges: list[Exchange],
) -> None:
    ledger, clients = Ledger(["chat"], {"chat": "v1"}), Clients(3, clock=lambda: 0.0)
    for exchange in exchanges:
        ledger.add(exchange)
        clients.add(exchange)
    samples = (*ledger.samples(), *clients.samples())
    ended = Counter(exchange.outcome for exchange in exchanges)
    assert total(samples, traffic.REQUESTS) == len(exchanges)
    assert total(samples, traffic.ROUTES) == len(exchanges)
    assert total(samples, traffic.ABORTED) == ended["aborted"]
    failed = len(exchanges) - ended["ok"] - ended["aborted"]
    assert total(samples, traffic.ERRORS) == failed
    answered = sum(exchange.status is not None for exchange in exchanges)
    assert total(samples, traffic.RESPONSES) == answered
    assert total(samples, traffic.CLIENT_REQUESTS) == len(exchanges)  # four clients, three names
    text = render(samples)
    assert MARKER not in text
    pairs = {sample.labels[:2] for sample in samples if sample.metric is traffic.REQUESTS}
    assert pairs <= set(product(("chat", "", "other"), ("v1", "", "other")))
    assert not re.search(r" (NaN|-\S+|\+Inf)$", text, re.MULTILINE)
