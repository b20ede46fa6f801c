"""An exchange out of what an app pushes; and what is said of one that cannot be taken."""

import pytest

from tests.gaps import gaps
from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.ended import TEXT_MAX, Ended
from tidegauge.traffic.exchange import NO_GAPS
from tidegauge.traffic.item import ItemError
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.pushed import pushed

CHAT = Labelling(frozenset({"chat"}), {"chat": "v2", "old": "v1"}, ClientKey(b"secret"))
LEAST = {"duration_seconds": 1.5}
WHOLE = {
    "id": "answer-1",
    "model": "chat",
    "version": "v1",
    "route": "chat",
    "streamed": True,
    "outcome": "cut",
    "status": 200,
    "error": "stream_error",
    "finish_reason": "length",
    "duration_seconds": 2,
    "first_token_seconds": 0.25,
    "gaps_seconds": [0.01, 0.5],
    "prompt_tokens": 12,
    "generation_tokens": 3,
    "tokens_estimated": True,
    "client": "alice",
    "prompt": "What is a tide?",
    "answer": "Water.",
}


def said(value: object) -> str:
    with pytest.raises(ItemError) as refused:
        pushed(value, CHAT)
    return str(refused.value)


def taken(**fields: object) -> Ended:
    return pushed(LEAST | fields, CHAT)


def test_every_field_is_where_it_belongs() -> None:
    ended = pushed(WHOLE, CHAT)
    exchange = ended.exchange
    assert (exchange.model, exchange.version, exchange.route) == ("chat", "v1", "chat")
    assert (exchange.streamed, exchange.outcome, exchange.status) == (True, "cut", 200)
    assert (exchange.error, exchange.finish_reason) == ("stream_error", "length")
    assert (exchange.duration_seconds, exchange.first_token_seconds) == (2.0, 0.25)
    assert exchange.gaps == gaps(0.01, 0.5)
    assert (exchange.prompt_tokens, exchange.generation_tokens) == (12, 3)
    assert exchange.prompt_tokens_estimated
    assert exchange.generation_tokens_estimated
    assert exchange.client == CHAT.client("alice") != ""
    assert exchange.answer_key == answer_key("answer-1")
    assert (ended.texts.prompt, ended.texts.answer) == ("What is a tide?", "Water.")
    assert "tide" not in repr(ended)


def test_a_duration_is_enough() -> None:
    exchange = taken().exchange
    assert (exchange.outcome, exchange.status, exchange.route) == ("ok", None, "other")
    assert (exchange.model, exchange.version, exchange.client) == ("chat", "v2", "")
    assert exchange.gaps == NO_GAPS
    assert exchange.answer_key is None
    assert exchange.prompt_tokens is None


@pytest.mark.parametrize(
    "fields, outcome",
    [
        ({"status": 204}, "ok"),
        ({"status": 404}, "client_error"),
        ({"status": 503}, "server_error"),
        ({"error": "timeout"}, "server_error"),
        ({"error": "rate_limited"}, "client_error"),
        ({"status": 200, "error": "stream_error"}, "cut"),
        ({"error": "unreachable"}, "unreachable"),
        ({"status": 429, "outcome": "aborted"}, "aborted"),
    ],
)
def test_the_status_says_the_outcome_where_nothing_else_does(
    fields: dict[str, object], outcome: str
) -> None:
    assert taken(**fields).exchange.outcome == outcome


def test_no_name_of_a_sender_becomes_a_label() -> None:
    exchange = taken(model="evil", version="v9", finish_reason="because").exchange
    assert (exchange.model, exchange.version, exchange.finish_reason) == ("other",) * 3
    assert taken(model="other-model").exchange.version == "", "no version of a model that is none"


def test_text_is_cut_and_its_length_is_not() -> None:
    texts = taken(prompt="a" * (TEXT_MAX + 1)).texts
    assert (len(texts.prompt), texts.prompt_chars, texts.answer_chars) == (
        TEXT_MAX,
        TEXT_MAX + 1,
        0,
    )


@pytest.mark.parametrize(
    "fields, line",
    [
        ({"duration_seconds": None}, "duration_seconds: is missing"),
        ({"duration_seconds": "Swordfish"}, "duration_seconds: a number from 0 to 604800 is"),
        ({"duration_seconds": True}, "true or false"),
        ({"duration_seconds": -1}, "not another number"),
        ({"duration_seconds": 1e300}, "not another number"),
        ({"duration_seconds": 10**400}, "not another number"),
        ({"first_token_seconds": 2}, "first_token_seconds: is more than duration_seconds"),
        ({"gaps_seconds": "Swordfish"}, "gaps_seconds: an array of numbers is wanted, not text"),
        ({"gaps_seconds": [0.1, {"Swordfish": 1}]}, "gaps_seconds: a number from 0"),
        ({"gaps_seconds": [0.1] * 10_001}, "gaps_seconds: at most 10000 numbers are wanted"),
        ({"status": 99}, "status: a whole number from 100 to 599 is wanted"),
        ({"status": 200.0}, "status: a whole number from 100 to 599 is wanted"),
        ({"outcome": "Swordfish"}, "outcome: one of ok, client_error"),
        ({"outcome": ["Swordfish"]}, "not an array"),
        ({"route": 1}, "not a number"),
        ({"streamed": "Swordfish"}, "streamed: true or false is wanted, not text"),
        ({"prompt_tokens": -1}, "prompt_tokens: a whole number from 0"),
        ({"model": {"Swordfish": 1}}, "model: text of at most 1024 characters is wanted"),
        ({"id": "Swordfish" * 1000}, "not 9000 characters"),
        ({"prompt": 5}, "prompt: text of at most"),
        ({"Swordfish": 1}, "has a field that is not known; known are id, model"),
    ],
)
def test_what_cannot_be_taken_says_why_and_repeats_nothing(
    fields: dict[str, object], line: str
) -> None:
    message = said(LEAST | fields)
    assert line in message
    assert "Swordfish" not in message
    assert "\n" not in message


@pytest.mark.parametrize("value", [None, 1, "Swordfish", ["Swordfish"], True])
def test_what_is_no_object_says_so(value: object) -> None:
    assert said(value).startswith("an object is wanted, not ")
    assert "Swordfish" not in said(value)
