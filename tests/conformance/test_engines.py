"""Every entry of ENGINES against every recorded capture; a new engine is tested by being listed.

A capture lies in tests/fixtures/engines/<dialect>-<version>/<moment>.prom.
"""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from tidegauge.catalog import CATALOG
from tidegauge.engines import (
    ENGINES,
    Dialect,
    RawFamily,
    Rule,
    detect,
    engine_named,
    translate,
    unmapped,
)
from tidegauge.engines.vllm import VLLM
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.engine_text import parse

CAPTURES = sorted((Path(__file__).parents[1] / "fixtures" / "engines").glob("*/*.prom"))
MODEL = "configured"

# Raw names that no capture of ours has, and why they are read all the same.
UNSEEN: dict[str, str] = {}

# Rows that grow though the engine calls them gauges, and how we know.
GAUGES_THAT_COUNT = {"lmdeploy:num_requests_failed": "its logger only ever adds to it"}

# A dialect that is another's rules under other prefixes, so that the other's captures speak for it.
BORROWED = {"ray": VLLM}


def capture_id(path: Path) -> str:
    return f"{path.parent.name}-{path.stem}"


def dialect_of(path: Path) -> Dialect:
    return engine_named(path.parent.name.split("-")[0])


def row_names(families: tuple[RawFamily, ...]) -> set[str]:
    return {row.name for family in families for row in family.series}


def samples_of(path: Path) -> tuple[Sample, ...]:
    return translate(parse(path.read_bytes()), dialect_of(path), model=MODEL)


def line(sample: Sample) -> str:
    pairs = zip(sample.metric.labels, sample.labels, strict=True)
    labels = ",".join(f'{name}="{value}"' for name, value in pairs)
    return f"{sample.metric.name}{{{labels}}} {said(sample.value)}"


def said(value: float | Distribution) -> str:
    if not isinstance(value, Distribution):
        return f"{value:.12g}"
    steps = " ".join(f"{bound:g}:{count:g}" for bound, count in value.buckets)
    return f"sum={value.sum:.12g} {steps}"


engines = pytest.mark.parametrize("dialect", ENGINES, ids=lambda dialect: dialect.name)
captures = pytest.mark.parametrize("capture", CAPTURES, ids=capture_id)


@engines
def test_every_engine_has_a_capture(dialect: Dialect) -> None:
    assert any(dialect_of(path) is dialect for path in CAPTURES)


def test_names_and_titles_are_unique() -> None:
    assert len({dialect.name for dialect in ENGINES}) == len(ENGINES)
    assert len({dialect.title for dialect in ENGINES} - {""}) == len(ENGINES)


@captures
def test_a_capture_is_recognised_by_its_own_dialect_alone(capture: Path) -> None:
    names = row_names(parse(capture.read_bytes()))
    assert [d for d in ENGINES if d.recognises(frozenset(names))] == [dialect_of(capture)]
    assert detect(names) is dialect_of(capture)


@captures
def test_a_release_that_renamed_its_fingerprint_is_still_recognised(capture: Path) -> None:
    dialect = dialect_of(capture)
    names = row_names(parse(capture.read_bytes())) - set(dialect.fingerprint)
    assert detect(names) is dialect


@captures
def test_a_capture_translates_as_recorded(
    capture: Path, golden: Callable[[str, str], None]
) -> None:
    lines = sorted(line(sample) for sample in samples_of(capture))
    golden(f"engines/{capture_id(capture)}.txt", "\n".join(lines) + "\n")


@captures
def test_every_name_of_a_capture_is_read_or_left_alone_on_purpose(capture: Path) -> None:
    assert unmapped(parse(capture.read_bytes()), dialect_of(capture)) == ()


@captures
def test_no_series_is_given_twice(capture: Path) -> None:
    series = [(sample.metric.name, sample.labels) for sample in samples_of(capture)]
    assert len(set(series)) == len(series)


@captures
def test_values_are_finite_and_shares_are_shares(capture: Path) -> None:
    for sample in samples_of(capture):
        value = sample.value.sum if isinstance(sample.value, Distribution) else sample.value
        assert math.isfinite(value), sample
        assert value >= 0, sample
        assert sample.metric.unit != "ratio" or value <= 1, sample
        assert sample.metric.unit != "info" or value == 1, sample


@captures
def test_every_sample_names_model_and_engine(capture: Path) -> None:
    for sample in samples_of(capture):
        model, engine, _ = sample.labels[:3]
        assert model
        assert engine == dialect_of(capture).name


@engines
def test_every_metric_is_in_the_catalogue(dialect: Dialect) -> None:
    assert {rule.metric.name for rule in dialect.rules} <= {metric.name for metric in CATALOG}


@engines
def test_a_counter_comes_from_rows_that_only_grow(dialect: Dialect) -> None:
    for rule in dialect.rules:
        rows = set(rule.rows) - set(GAUGES_THAT_COUNT)
        if rule.metric.kind == "counter":
            assert all(row.endswith(("_total", "_sum", "_count")) for row in rows), rule
        else:
            # A gauge of SGLang's is called a total for what it has in all.
            rows.discard("sglang:lora_pool_slots_total")
            assert not any(row.endswith("_total") for row in rows), rule


@engines
def test_every_raw_name_is_in_a_capture_or_has_a_reason(dialect: Dialect) -> None:
    known = BORROWED.get(dialect.name)
    if known:
        theirs = {raw.rpartition(":")[2] for rule in known.rules for raw in rule.raw}
        ours = {
            raw[len(prefix) :]
            for rule in dialect.rules
            for raw in rule.raw
            for prefix in dialect.prefixes
            if raw.startswith(prefix)
        }
        assert ours <= theirs
        return
    seen: set[str] = set()
    for path in CAPTURES:
        if dialect_of(path) is dialect:
            seen |= row_names(parse(path.read_bytes()))
    unseen = {raw for rule in dialect.rules for raw in missing(rule, seen)}
    assert unseen == {raw for raw in UNSEEN if dialect.writes(raw)}


@engines
def test_every_rule_fires_on_a_capture(dialect: Dialect) -> None:
    fired = {s.metric.name for p in CAPTURES if dialect_of(p) is dialect for s in samples_of(p)}
    written = {rule.metric.name for rule in dialect.rules}
    assert fired <= written if dialect.name in BORROWED else fired == written


@engines
def test_what_is_left_alone_is_not_read_and_listed_once(dialect: Dialect) -> None:
    read = {raw.removesuffix("_total") for rule in dialect.rules for raw in rule.raw}
    assert not read & set(dialect.ignored)
    assert list(dialect.ignored) == sorted(set(dialect.ignored))
    assert all(dialect.writes(name) for name in dialect.ignored if name != "request_success")


def missing(rule: Rule, seen: set[str]) -> list[str]:
    suffix = "_bucket" if rule.metric.kind == "histogram" else ""
    pairs = zip(rule.raw, rule.rows, strict=True)
    return [raw for raw, row in pairs if f"{row}{suffix}" not in seen]
