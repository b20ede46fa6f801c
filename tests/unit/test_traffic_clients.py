"""Clients as hashes: what a label may be, and that it cannot be turned back."""

from dataclasses import replace
from hashlib import blake2b, sha256

import pytest

from tests.unit.test_traffic_ledger import OK
from tidegauge.catalog import Metric, traffic
from tidegauge.traffic.client_key import LONGEST, ClientKey
from tidegauge.traffic.counting.clients import Clients
from tidegauge.traffic.labelling import Labelling

SECRET = b"0123456789abcdef"
BY_HEADER = Labelling(clients=ClientKey(SECRET, header="X-Api-Key"))
BY_FIELD = Labelling(clients=ClientKey(SECRET, field="user"))


def clients(top: int = 2) -> Clients:
    return Clients(top, clock=lambda: 0.0)


def values(counted: Clients, metric: Metric) -> dict[str, object]:
    return {
        sample.labels[0]: sample.value for sample in counted.samples() if sample.metric is metric
    }


def test_a_value_becomes_twelve_digits_that_only_the_secret_explains() -> None:
    value = "Bearer sk-1234"
    label = BY_HEADER.client(value)
    assert len(label) == 12
    assert set(label) <= set("0123456789abcdef")
    assert label == BY_HEADER.client(f" {value} ")
    assert label != replace(BY_HEADER, clients=ClientKey(SECRET + b"x", header="X")).client(value)
    guessed = {hashed(value.encode()).hexdigest()[:12] for hashed in (blake2b, sha256)}
    assert label not in guessed


def test_the_secret_is_in_no_text_of_it() -> None:
    assert SECRET.decode() not in repr(BY_HEADER)
    assert SECRET.decode() not in str(BY_HEADER.clients)


def test_where_a_client_is_named() -> None:
    assert BY_HEADER.client_header == "X-Api-Key"
    assert BY_HEADER.client_in({"user": "alice"}) == ""
    assert BY_FIELD.client_header is None
    assert BY_FIELD.client_in({"user": "alice"}) == BY_HEADER.client("alice") != ""
    assert Labelling().client_header is None
    assert Labelling().client("alice") == Labelling().client_in({"user": "alice"}) == ""


@pytest.mark.parametrize(
    "document", [None, {}, {"user": ""}, {"user": "  "}, {"user": 7}, {"user": ["alice"]}]
)
def test_a_document_that_names_nobody(document: dict[str, object] | None) -> None:
    assert BY_FIELD.client_in(document) == ""


@pytest.mark.parametrize("value", ["\ud800", "\x00", "é" * 10, "x" * LONGEST * 2])
def test_any_text_has_a_hash(value: str) -> None:
    assert len(BY_HEADER.client(value)) == 12


def test_requests_and_tokens_have_rankings_of_their_own() -> None:
    counted = clients(top=1)
    for _ in range(200):
        counted.add(replace(OK, client="aa", prompt_tokens=1, generation_tokens=None))
    for _ in range(20):
        counted.add(replace(OK, client="bb", prompt_tokens=50_000, generation_tokens=50_000))
    counted.add(replace(OK, client=""))
    requests = values(counted, traffic.CLIENT_REQUESTS)
    tokens = values(counted, traffic.CLIENT_TOKENS)
    assert requests == {"aa": 200, "other": 20, "": 1}
    assert tokens == {"bb": 2_000_000, "other": 0, "": 8}


def test_series_of_nobody_and_of_others_are_there_before_any_request() -> None:
    assert values(clients(), traffic.CLIENT_REQUESTS) == {"": 0, "other": 0}
    assert values(clients(), traffic.CLIENT_TOKENS) == {"": 0, "other": 0}


@pytest.mark.parametrize("client", ["alice", "AB", "a" * 65, "a\n", "other", " "])
def test_what_is_no_hash_becomes_no_label(client: str) -> None:
    counted = clients()
    counted.add(replace(OK, client=client))
    assert values(counted, traffic.CLIENT_REQUESTS) == {"": 0, "other": 1}


@pytest.mark.parametrize("tokens", [-5, 10**400, 2**41])
def test_numbers_that_cannot_be_are_not_added(tokens: int) -> None:
    counted = clients()
    counted.add(replace(OK, client="aa", prompt_tokens=tokens, generation_tokens=3))
    assert values(counted, traffic.CLIENT_TOKENS) == {"": 0, "other": 0, "aa": 3}
