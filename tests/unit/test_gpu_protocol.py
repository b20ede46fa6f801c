"""Lines between child and parent: what goes in comes out, and nothing else comes in."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.catalog import CATALOG
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.gpu import protocol, settings
from tidegauge.sources.gpu.protocol import (
    DeviceState,
    End,
    Part,
    ProtocolError,
    State,
    decode,
    encode,
)
from tidegauge.sources.gpu.settings import Settings

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
SECONDS = st.floats(0, 1e9)
TEXTS = st.text(max_size=20)
OURS = [m for m in CATALOG if m.kind != "histogram" or m.buckets]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    metric = draw(st.sampled_from(OURS))
    labels = tuple(draw(TEXTS) for _ in metric.labels)
    if metric.kind != "histogram":
        return Sample(metric, draw(NUMBERS), labels)
    bounds = (*(metric.buckets or ()), math.inf)
    buckets = tuple((bound, float(n)) for n, bound in enumerate(bounds))
    return Sample(metric, Distribution(buckets, draw(SECONDS)), labels)


SAMPLES = st.lists(samples(), max_size=4).map(tuple)
PARTS = st.builds(Part, TEXTS, SECONDS, SECONDS, SAMPLES)
DEVICES = st.builds(
    DeviceState,
    st.integers(0, 63),
    st.tuples(TEXTS, TEXTS),
    st.none() | SECONDS,
    st.none() | st.sampled_from(["hung", "lost", "failed", "forbidden"]),
    SECONDS,
    TEXTS,
    st.lists(PARTS, max_size=3).map(tuple),
    st.booleans(),
)
STATES = st.builds(
    State,
    SECONDS,
    st.lists(DEVICES, max_size=3).map(tuple),
    SAMPLES,
    st.none() | SECONDS,
    TEXTS,
    st.none() | st.builds(End, st.sampled_from(["unavailable", "driver", "devices", "mig"]), TEXTS),
)


@given(STATES)
def test_a_state_survives_the_way(state: State) -> None:
    line = encode(state)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line) == state


@given(st.binary(max_size=200))
def test_whatever_comes_it_is_a_state_or_our_own_error(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode(line)


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
)


@given(st.sampled_from(["at", "devices", "kept", "opening", "end", "v"]), TREES)
def test_a_state_with_one_wrong_value_is_refused_or_is_one(key: str, tree: object) -> None:
    good = json.loads(encode(State(1.0, (DeviceState(0, ("0", "a")),))))
    try:
        state = decode(json.dumps(good | {key: tree}).encode())
    except ProtocolError:
        return
    assert decode(encode(state)) == state


@pytest.mark.parametrize(
    "line,problem",
    [
        (b"{}", "KeyError"),
        (b'{"v":2}', "version 2"),
        (b"libnvidia-ml: oh no\n", "is no state"),
        (b'{"v":1,"at":NaN,"devices":[],"kept":[],"opening":[null,""],"end":null}', "no finite"),
        (
            b'{"v":1,"at":1,"devices":[],"kept":[["up",[],1]],"opening":[null,""],"end":null}',
            "KeyError",
        ),
        (b"[" * 100_000, "is no state"),
    ],
    ids=["empty", "another version", "a library's words", "NaN", "no metric of ours", "deep"],
)
def test_what_is_no_state_is_said(line: bytes, problem: str) -> None:
    with pytest.raises(ProtocolError, match=problem):
        decode(line)


def test_a_line_has_a_length_that_it_may_not_exceed() -> None:
    with pytest.raises(ProtocolError, match="at most"):
        encode(State(1.0, opening="x" * protocol.MAX_LINE_BYTES))
    with pytest.raises(ProtocolError, match="at most"):
        decode(b" " * (protocol.MAX_LINE_BYTES + 1))


def test_settings_survive_the_way() -> None:
    wanted = Settings(fast_seconds=0.1, gpm_seconds=0.5, ring=False, window_seconds=7.3)
    assert settings.load(settings.dump(wanted)) == wanted
