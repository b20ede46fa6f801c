"""Laws of reading an engine: whatever it says, we say facts, or an error of our own."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegauge.engines import (
    ENGINES,
    Dialect,
    RawFamily,
    RawSeries,
    detect,
    translate,
    unmapped,
)
from tidegauge.samples import Distribution
from tidegauge.sources.engine_text import parse
from tidegauge.sources.source import SourceError

CAPTURE = Path(__file__).parents[1] / "fixtures" / "engines" / "llamacpp-b11434" / "load.prom"
BODY = CAPTURE.read_bytes()

NAMES = sorted({row for engine in ENGINES for rule in engine.rules for row in rule.reads})
SUFFIXES = st.sampled_from(["", "_bucket", "_sum", "_count", "_created"])
BOUNDS = st.one_of(
    st.floats().map(str), st.sampled_from(["+Inf", "1", "2", ""]), st.text(max_size=3)
)
LABELS = st.dictionaries(
    st.sampled_from(
        ["le", "model_name", "engine", "finished_reason", "tp_rank", "running_lora_adapters", "x"]
    ),
    BOUNDS,
    max_size=3,
).map(lambda labels: tuple(labels.items()))
ROWS = st.builds(
    lambda name, suffix, value, labels: RawSeries(name + suffix, value, labels),
    st.sampled_from(NAMES),
    SUFFIXES,
    st.one_of(st.floats(), st.sampled_from([0.0, 1.0, -1.0])),
    LABELS,
)
FAMILIES = st.builds(RawFamily, st.text(max_size=5), st.lists(ROWS, max_size=30).map(tuple))


@pytest.mark.parametrize("dialect", ENGINES, ids=lambda dialect: dialect.name)
@settings(max_examples=150, deadline=None)
@given(families=st.lists(FAMILIES, max_size=3))
def test_any_rows_give_unique_finite_samples(dialect: Dialect, families: list[RawFamily]) -> None:
    samples = translate(families, dialect, model="m")
    series = [(sample.metric.name, sample.labels) for sample in samples]
    assert len(set(series)) == len(series)
    for sample in samples:
        numbers = (
            (sample.value.sum, *(count for _, count in sample.value.buckets))
            if isinstance(sample.value, Distribution)
            else (sample.value,)
        )
        assert all(math.isfinite(number) for number in numbers)
        assert sample.metric.kind != "counter" or min(numbers) >= 0


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(ROWS, max_size=10))
def test_the_order_of_rows_does_not_matter(rows: list[RawSeries]) -> None:
    for dialect in ENGINES:
        there = translate((RawFamily("x", tuple(rows)),), dialect, model="m")
        back = translate((RawFamily("x", tuple(reversed(rows))),), dialect, model="m")
        named = {(s.metric.name, s.labels) for s in there}
        assert named == {(s.metric.name, s.labels) for s in back}


@settings(max_examples=150, deadline=None)
@given(names=st.lists(st.one_of(st.sampled_from(NAMES), st.text(max_size=12)), max_size=12))
def test_any_names_are_an_engine_s_or_nobody_s(names: list[str]) -> None:
    dialect = detect(names)
    assert dialect is detect(reversed(names))
    assert (
        dialect is None or any(map(dialect.writes, names)) or dialect.recognises(frozenset(names))
    )


@pytest.mark.parametrize("dialect", ENGINES, ids=lambda dialect: dialect.name)
@settings(max_examples=50, deadline=None)
@given(rest=st.text(alphabet="abcxyz_", min_size=1, max_size=8))
def test_a_name_that_nobody_knows_is_reported(dialect: Dialect, rest: str) -> None:
    name = f"{dialect.prefixes[0]}zz{rest}q"
    assert unmapped((RawFamily(name, ()),), dialect) == (name,)


def facts_or_parse_error(body: bytes) -> None:
    reason, families = outcome(body)
    assert reason in (None, "parse")
    assert all(isinstance(row.value, float) for f in families for row in f.series)


def outcome(body: bytes) -> tuple[str | None, tuple[RawFamily, ...]]:
    try:
        return None, parse(body)
    except SourceError as error:
        return error.reason, ()


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_parse_or_say_why_not(body: bytes) -> None:
    facts_or_parse_error(body)


@settings(max_examples=300, deadline=None)
@given(
    lines=st.lists(
        st.text(alphabet='abe_:{}=",\\# \tTYPEHLcountr019.+-NaIf', max_size=40), max_size=5
    )
)
def test_anything_that_looks_like_exposition_parses_or_says_why_not(lines: list[str]) -> None:
    facts_or_parse_error("".join(f"{line}\n" for line in lines).encode())


@settings(max_examples=200, deadline=None)
@given(at=st.integers(1, len(BODY) - 1))
def test_a_capture_cut_anywhere_but_at_a_line_s_end_is_refused(at: int) -> None:
    if BODY[at - 1 : at] == b"\n":
        assert parse(BODY[:at])
    else:
        with pytest.raises(SourceError, match="is cut off") as caught:
            parse(BODY[:at])
        assert caught.value.reason == "parse"


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(BODY) - 1), byte=st.integers(0, 255))
def test_a_flipped_byte_parses_or_says_why_not(at: int, byte: int) -> None:
    facts_or_parse_error(BODY[:at] + bytes([byte]) + BODY[at + 1 :])
