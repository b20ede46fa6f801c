"""Somebody else's JSON as an opinion, by a mapping."""

import pytest

from tidegauge.traffic.answer_key import answer_key
from tidegauge.traffic.feedback.opinion import Opinion
from tidegauge.traffic.feedback.rating import Scale
from tidegauge.traffic.feedback.webhook import Mapped
from tidegauge.traffic.item import ItemError

STARS = Scale(low=1, high=5, bad=2, good=4)
# The shape of a survey's webhook; the id came with the page's address.
SURVEY = {
    "event": "survey_response",
    "version": 1,
    "data": {
        "page": "https://app.example/chat?answer=chatcmpl-1&lang=en",
        "attributes": {"answer/id": " chatcmpl-1 "},
        "answers": [
            {"question": "Tell us more", "answer": "Swordfish"},
            {"question": "How was it?", "answer": "4"},
            {"question": "What about?", "answer": "tone"},
        ],
    },
}
MAPPED = Mapped(
    identifier="/data/attributes/answer~1id",
    rating="/data/answers/question=How was it?/answer",
    category="/data/answers/2/answer",
    scale=STARS,
    when={"/event": "survey_response", "/version": "1"},
)


def test_a_mapping_finds_id_rating_and_category() -> None:
    assert MAPPED.opinion(SURVEY, {"tone"}) == Opinion(answer_key("chatcmpl-1"), "good", "tone")
    assert MAPPED.opinion(SURVEY, set()) == Opinion(answer_key("chatcmpl-1"), "good", "other")


def test_an_id_may_be_a_parameter_of_an_address() -> None:
    mapped = Mapped("/data/page", "/data/answers/1/answer", STARS, parameter="answer")
    assert mapped.opinion(SURVEY, set()) == Opinion(answer_key("chatcmpl-1"), "good")


@pytest.mark.parametrize(
    "rating, verdict",
    [
        ("Love it", "good"),
        (" meh ", "neutral"),
        (True, "good"),
        (1, "bad"),
        (3.0, "neutral"),
        ("5", "good"),
        ("9", "bad"),
    ],
)
def test_a_rating_may_be_a_word_or_a_number(rating: object, verdict: str) -> None:
    words = {"Love it": "good", "meh": "neutral", "true": "good", "9": "bad"}
    mapped = Mapped("/id", "/rating", STARS, verdicts=words)  # type: ignore[arg-type]
    said = mapped.opinion({"id": 7, "rating": rating}, set())
    assert said
    assert (said.key, said.verdict) == (answer_key("7"), verdict)


@pytest.mark.parametrize("document", [{"event": "test_message"}, {}, [], None, 5, "Swordfish"])
def test_a_document_of_another_kind_is_ignored(document: object) -> None:
    assert MAPPED.opinion(document, set()) is None


@pytest.mark.parametrize(
    "document, line",
    [
        ({}, "id: there is no id at /id"),
        ({"id": {"Swordfish": 1}}, "id: there is no id at /id"),
        ({"id": "x" * 2000}, "id: there is no id at /id"),
        ({"id": "a"}, "rating: there is no number from 1 to 5, nor one of Love it at /rating"),
        ({"id": "a", "rating": "Swordfish"}, "rating: there is no number"),
        ({"id": "a", "rating": "nan"}, "rating: there is no number"),
        ({"id": "a", "rating": 6}, "rating: there is no number"),
        ({"id": "a", "rating": [1]}, "rating: there is no number"),
    ],
)
def test_what_is_missing_is_said_and_nothing_of_what_is_there(document: object, line: str) -> None:
    mapped = Mapped("/id", "/rating", STARS, verdicts={"Love it": "good"})
    with pytest.raises(ItemError) as refused:
        mapped.opinion(document, set())
    assert str(refused.value).startswith(line)
    assert "Swordfish" not in str(refused.value)
