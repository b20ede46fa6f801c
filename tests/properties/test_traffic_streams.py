"""Laws of the wire parser over each answer under tests/fixtures/streams."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams import Recorded, recorded
from tidegauge.traffic.ended import Ended
from tidegauge.traffic.hearing.document import WireError
from tidegauge.traffic.hearing.ndjson import NdjsonDecoder
from tidegauge.traffic.hearing.ollama import read_chunk as read_ollama
from tidegauge.traffic.hearing.openai import read_chunk as read_openai
from tidegauge.traffic.hearing.sse import Event, EventDecoder
from tidegauge.traffic.hearing.told import Told
from tidegauge.traffic.hearing.ways import StreamHearing

ANSWERS = recorded()
END = re.compile(rb'\[DONE\]|"done":true[^\n]*')
_byte_by_byte = st.just(list(range(5_000)))
_cuts = st.lists(st.integers(0, 5_000), max_size=30) | _byte_by_byte


def pieces(whole: bytes, cuts: list[int]) -> list[bytes]:
    bounds = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    return [whole[start:end] for start, end in pairwise(bounds)]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
@settings(max_examples=8)
@given(cuts=_cuts)
def test_any_split_of_any_answer_gives_the_same(answer: Recorded, cuts: list[int]) -> None:
    assert answer.heard(pieces(answer.answer, cuts), step=0.0) == answer.heard(step=0.0)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
def test_an_answer_broken_off_anywhere_is_cut(answer: Recorded) -> None:
    """Up to its end marker; a document up to its last byte. However the transport ended."""
    whole = answer.heard()
    if whole.exchange.outcome != "ok":
        return  # refused, or cut as it is
    marker = END.search(answer.answer) if whole.exchange.streamed else None
    end = marker.end() if marker else len(answer.answer.rstrip())
    step = 1 + end // 100  # of long ones not every byte, but all near the end
    for length in sorted({*range(0, end, step), *range(max(0, end - 30), end)}):
        ended = answer.heard([answer.answer[:length]]).exchange
        assert ended.outcome == "cut"
        assert ended.error == ("cut" if ended.streamed else "malformed")
        broken = answer.heard([answer.answer[:length]], how="cut").exchange
        assert (broken.outcome, broken.error) == ("cut", "cut")


@pytest.mark.parametrize(
    "decoder,read",
    [(EventDecoder, read_openai), (NdjsonDecoder, read_ollama), (EventDecoder, read_ollama)],
    ids=["OpenAI", "Ollama", "Ollama over SSE"],
)
@given(
    st.lists(
        st.builds(
            Event,
            st.sampled_from(["", "message", "error", "ping"]),
            st.binary(max_size=30) | st.sampled_from([b"{", b"[]", b"[[", b'"', b"1", b"\xff{}"]),
        ),
        max_size=5,
    )
)
def test_malformed_events_raise_only_its_own_error(decoder, read, events: list[Event]) -> None:
    hearing = StreamHearing(decoder(), read, Told(200))
    errors: list[WireError] = []
    for event in events:
        try:
            hearing.event(event, 0.0)
        except WireError as error:
            errors.append(error)
    # JSONDecodeError holds the document, so none may come along.
    assert [error.__cause__ or error.__context__ for error in errors] == [None] * len(errors)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)
@settings(max_examples=8)
@given(at=st.integers(0, 5_000), put=st.binary(max_size=6), drop=st.integers(0, 6))
def test_a_damaged_answer_never_raises_and_splits_alike(
    answer: Recorded, at: int, put: bytes, drop: int
) -> None:
    at = min(at, len(answer.answer))
    damaged = answer.answer[:at] + put + answer.answer[at + drop :]
    whole = answer.heard([damaged], step=0.0)
    assert answer.heard(pieces(damaged, [at, at + 1, at + 2]), step=0.0) == whole


def test_no_repr_shows_text() -> None:
    ended = next(answer for answer in ANSWERS if answer.name == "ollama-shapes/chat-stream").heard()
    assert ended.texts.answer == "On its way"
    assert ended.texts.prompt == "Where is my parcel?"
    assert not re.search("way|parcel", repr(ended) + repr(Ended(ended.exchange, ended.texts)))
