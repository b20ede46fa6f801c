"""A reference is learned, written, read back the same, and refused in one clear line."""

import pytest

from tidegauge.drift.channels import Observation
from tidegauge.drift.learning import build
from tidegauge.drift.reference import DriftReferenceError, Reference
from tidegauge.drift.reference_text import dump, load
from tidegauge.traffic.features import prompt_features


def observations(count: int = 100, *, answered: int | None = None) -> list[Observation]:
    tokens = count if answered is None else answered
    return [
        Observation(prompt_features(["sea " * (5 + n % 15)]), 8 + n % 9 if n < tokens else None)
        for n in range(count)
    ]


@pytest.fixture
def reference() -> Reference:
    return build("chat-7b", observations())


@pytest.fixture
def text(reference: Reference) -> str:
    return dump(reference)


def test_every_channel_that_requests_speak_of_is_learned(reference: Reference) -> None:
    names = [channel.channel for channel in reference.channels]
    assert names == ["prompt_length", "answer_length", "prompt_mix"]
    assert all(sum(c.counts) == pytest.approx(c.requests) == 100 for c in reference.channels)
    assert reference.channels[2].counts == (75.0, 0.0, 0.0, 25.0, 0.0, 0.0)
    assert all(share > 0 for channel in reference.channels for share in channel.shares)


def test_a_channel_that_too_few_requests_speak_of_is_left_out() -> None:
    learned = build("chat-7b", observations(150, answered=99))
    assert [c.channel for c in learned.channels] == ["prompt_length", "prompt_mix"]


def test_too_few_requests_make_no_reference() -> None:
    with pytest.raises(DriftReferenceError, match=r"^99 requests: a reference needs at least 100$"):
        build("chat-7b", observations(99))


def test_a_reference_without_a_models_name_is_none() -> None:
    with pytest.raises(DriftReferenceError, match="model ''"):
        build("", observations())


def test_written_and_read_back_it_is_the_same(reference: Reference, text: str) -> None:
    assert load(text) == reference
    assert load(text.encode()).digest == reference.digest


def test_equal_content_has_an_equal_digest_and_other_content_another(reference: Reference) -> None:
    assert build("chat-7b", observations()).digest == reference.digest
    assert build("chat-7b", observations(101)).digest != reference.digest
    assert build("other", observations()).digest != reference.digest


@pytest.mark.parametrize(
    "old,new,message",
    [
        pytest.param(
            '"features": "2"', '"features": "1"', "features: '1' is not the version of this "
            "tidegauge ('2'); build the reference again", id="another features version",
        ),
        pytest.param(
            '"model": "chat-7b"', '"model": "chat-8b"', "does not match the content",
            id="altered by hand",
        ),
        pytest.param('"model": "chat-7b", ', "", "model: is missing", id="no model"),
        pytest.param('"chat-7b"', "7", "model: Input should be a valid string, not 7", id="model"),
        pytest.param('"format": 1', '"format": 2', "format: Input should be 1, not 2", id="format"),
        pytest.param(
            '"requests": 100, "edges"', '"requests": 99, "edges"',
            "channels.0.counts: they sum to 100, not to the 99 requests", id="counts and requests",
        ),
        pytest.param(
            "[75.0,", "[-75.0,",
            "channels.2.counts.0: Input should be greater than or equal to 0, not -75.0",
            id="a count below zero",
        ),
        pytest.param(
            "[75.0,", "[1e999,", "channels.2.counts.0: Input should be a finite number, not inf",
            id="a count without end",
        ),
        pytest.param(
            ", 0.0]", "]", "channels.2.counts: 5 counts for 6 bins", id="a count is missing"
        ),
        pytest.param(
            '"edges": [', '"edges": [900, ', "must be ascending whole numbers", id="edges go back"
        ),
        pytest.param(
            '"answer_length"', '"prompt_length"', "channels: 'prompt_length' is there twice",
            id="a channel twice",
        ),
        pytest.param(
            '"answer_length"', '"tone"', "channels.1.channel: 'tone' is unknown; known are "
            "prompt_length, answer_length, prompt_mix", id="an unknown channel",
        ),
        pytest.param('"upper"', '"capital"', "are not the classes lower, upper", id="classes"),
        pytest.param(
            '"edges": [', '"classes": ["a"], "edges": [',
            "channels.0: prompt_length needs edges and no classes", id="classes of a length",
        ),
        pytest.param(
            '"format"', '"text": "hello", "format"', "text: Unexpected keyword argument",
            id="a field that does not belong",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(text: str, old: str, new: str, message: str) -> None:
    assert old in text.replace("\n ", " ")
    broken = text.replace("\n ", " ").replace(old, new, 1)
    with pytest.raises(DriftReferenceError) as caught:
        load(broken)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("raw", [b"", b"{}", b"[]", b"\xff\xfe\x00", b"null", b"[" * 10_000])
def test_what_is_no_reference_is_refused(raw: bytes) -> None:
    with pytest.raises(DriftReferenceError):
        load(raw)


def test_a_reference_cut_anywhere_is_refused(text: str) -> None:
    for end in range(0, len(text.rstrip()) - 1, 7):
        with pytest.raises(DriftReferenceError):
            load(text[:end])
