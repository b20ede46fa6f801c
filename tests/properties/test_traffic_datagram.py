"""What crosses the socket: what is said is heard, and bytes raise nothing but its own error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.exchanges import exchange
from tidegauge.traffic.exchange import (
    ERROR_CLASSES,
    FINISH_REASONS,
    GAP_BOUNDS_SECONDS,
    OUTCOMES,
    ROUTES,
    Exchange,
    Gaps,
)
from tidegauge.traffic.features import prompt_features
from tidegauge.traffic.reporting.datagram import (
    BYTES_MAX,
    VERSION,
    Counts,
    Datagram,
    DatagramError,
    Names,
    Status,
    Taken,
    Told,
    decode,
    encode,
)
from tidegauge.traffic.reporting.datagram_exchange import NAME_BYTES_MAX

COUNT = st.integers(0, 2**53 - 1)
SMALL = st.integers(0, 2**32 - 1)
SECONDS = st.floats(0, 1e9)
NAME = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
GAPS = st.builds(
    Gaps,
    st.tuples(*[SMALL] * (len(GAP_BOUNDS_SECONDS) + 1)),
    SECONDS,
)
EXCHANGES = st.builds(
    Exchange,
    model=NAME,
    streamed=st.booleans(),
    outcome=st.sampled_from(OUTCOMES),
    status=st.none() | st.integers(0, 65535),
    finish_reason=st.none() | st.sampled_from(FINISH_REASONS),
    duration_seconds=SECONDS,
    first_token_seconds=st.none() | SECONDS,
    gaps=GAPS,
    prompt_tokens=st.none() | COUNT,
    generation_tokens=st.none() | COUNT,
    features=st.text(min_size=1).map(lambda text: prompt_features([text])) | st.none(),
    version=NAME,
    route=st.sampled_from(ROUTES),
    error=st.none() | st.sampled_from(ERROR_CLASSES),
    client=st.text("0123456789abcdef", max_size=32),
    answer_key=st.none() | st.integers(0, 2**64 - 1),
    prompt_tokens_estimated=st.booleans(),
    generation_tokens_estimated=st.booleans(),
)
COUNTS = st.builds(Counts, COUNT, COUNT, COUNT)
DATAGRAMS = st.one_of(
    st.builds(Told, COUNT, EXCHANGES),
    st.builds(Status, COUNTS, SMALL, SMALL),
    st.builds(Taken, COUNT, COUNTS),
    st.builds(
        Names,
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
        ).map(tuple),
    ),
)
ORDINARY = encode(Told(1, exchange(features=prompt_features(["How high is the tide?"]))))


def heard(said: bytes) -> Datagram | None:
    """What was understood; any error but the codec's own fails the test."""
    try:
        return decode(said)
    except DatagramError:
        return None


@given(DATAGRAMS)
def test_what_is_said_is_heard(datagram: Datagram) -> None:
    assert decode(encode(datagram)) == datagram


@given(st.binary(max_size=400))
def test_any_bytes_are_a_datagram_or_its_own_error(said: bytes) -> None:
    heard(said)
    heard(ORDINARY[:4] + said)


@given(st.integers(0, len(ORDINARY) - 1), st.integers(0, 255))
def test_a_byte_that_is_another_is_heard_as_another_or_not_at_all(at: int, byte: int) -> None:
    said = bytearray(ORDINARY)
    said[at] = byte
    found = heard(bytes(said))
    if isinstance(found, Told):
        told = found.exchange
        assert {told.outcome} <= set(OUTCOMES)
        assert {told.route} <= set(ROUTES)
        assert min(told.duration_seconds, told.gaps.seconds) >= 0


@given(DATAGRAMS, st.data())
def test_half_of_a_datagram_is_none(datagram: Datagram, data) -> None:
    said = encode(datagram)
    cut = said[: data.draw(st.integers(0, len(said) - 1))]
    assert isinstance(datagram, Names) or heard(cut) is None


def test_an_exchange_is_small() -> None:
    assert len(ORDINARY) < 350


def test_a_datagram_of_another_release_says_so() -> None:
    said = bytearray(ORDINARY)
    said[2] = VERSION + 1
    with pytest.raises(DatagramError, match=f"version {VERSION + 1}") as caught:
        decode(bytes(said))
    assert caught.value.reason == "version"


def test_a_name_that_is_too_long_becomes_another() -> None:
    long = "é" * NAME_BYTES_MAX
    found = decode(encode(Told(1, exchange(model=long))))
    assert isinstance(found, Told)
    assert found.exchange.model == long[: NAME_BYTES_MAX // 2]


def test_too_many_names_cannot_be_said() -> None:
    with pytest.raises(DatagramError, match=str(BYTES_MAX)):
        encode(Names(tuple(f"model-{number:050}" for number in range(2000))))


def test_a_number_that_is_too_large_cannot_be_said() -> None:
    with pytest.raises(DatagramError, match="beyond"):
        encode(Told(1, exchange(prompt_tokens=2**70)))
