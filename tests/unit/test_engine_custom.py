"""A user's own dialect: what it can say, and what each mistake is answered with."""

import contextlib
import copy
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tidegauge.config.dialect import DialectConfig, RuleConfig, as_dialect
from tidegauge.engines import DialectError, Rule, custom_dialect, translate, unmapped
from tidegauge.engines.custom import METRICS
from tidegauge.samples import Distribution
from tidegauge.sources.engine_text import parse

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = yaml.safe_load((DOCS / "custom-engine.yml").read_text())["serve"]["engine"]["custom"]
RULE = {"metric": "llm_requests_running", "raw": "x"}
BODY = b"""\
# TYPE harbour_active gauge
harbour_active{dp_rank="0",model="m",tp_rank="0"} 3
harbour_active{dp_rank="0",model="m",tp_rank="1"} 3
# TYPE harbour_queue gauge
harbour_queue{dp_rank="0",model="m",state="waiting"} 5
harbour_queue{dp_rank="0",model="m",state="running"} 3
# TYPE harbour_kv_pct gauge
harbour_kv_pct{dp_rank="0",model="m"} 42.5
# TYPE harbour_latency_ms histogram
harbour_latency_ms_bucket{dp_rank="0",model="m",le="500"} 2
harbour_latency_ms_bucket{dp_rank="0",model="m",le="+Inf"} 3
harbour_latency_ms_sum{dp_rank="0",model="m"} 1500
harbour_latency_ms_count{dp_rank="0",model="m"} 3
# TYPE harbour_wait_us summary
harbour_wait_us_sum{dp_rank="0",model="m"} 2500000
harbour_wait_us_count{dp_rank="0",model="m"} 3
# TYPE harbour_prompt_tokens counter
harbour_prompt_tokens{dp_rank="0",model="m"} 100
# TYPE harbour_cached_tokens counter
harbour_cached_tokens{dp_rank="0",model="m"} 20
# TYPE harbour_finished counter
harbour_finished{dp_rank="0",model="m",why="EOS"} 4
harbour_finished{dp_rank="0",model="m",why="HB_OOM"} 1
harbour_finished{dp_rank="0",model="m",why="HB_BUG"} 1
# TYPE harbour_responses counter
harbour_responses{code="200"} 4
harbour_responses{code="404"} 2
# TYPE harbour_cache_info gauge
harbour_cache_info{block_size="16",blocks="64",dp_rank="0",model="m"} 1
# TYPE harbour_build_info gauge
harbour_build_info{version="7"} 1
# TYPE harbour_debug_loops gauge
harbour_debug_loops 7
# TYPE harbour_novelty gauge
harbour_novelty 7
"""
COMMON = ("m", "harbour", "0")


def test_the_example_of_the_documentation_reads_an_engine() -> None:
    dialect = as_dialect(DialectConfig.model_validate(EXAMPLE))
    families = parse(BODY)
    found = {(s.metric.name, s.labels): s.value for s in translate(families, dialect, model="")}
    assert found == {
        ("llm_requests_running", COMMON): 3,
        ("llm_requests_waiting", COMMON): 5,
        ("llm_kv_cache_usage_ratio", COMMON): pytest.approx(0.425),
        ("llm_request_duration_seconds", COMMON): Distribution(((0.5, 2), (math.inf, 3)), 1.5),
        ("llm_queue_seconds_total", COMMON): pytest.approx(2.5),
        ("llm_prompt_tokens_total", COMMON): 120,
        ("llm_requests_finished_total", (*COMMON, "stop")): 4,
        ("llm_requests_finished_total", (*COMMON, "length")): 0,
        ("llm_requests_finished_total", (*COMMON, "error")): 2,
        ("llm_request_errors_total", ("m", "harbour", "", "4xx")): 2,
        ("llm_request_errors_total", ("m", "harbour", "", "5xx")): 0,
        ("llm_kv_cache_capacity_tokens", COMMON): 1024,
    }
    assert unmapped(families, dialect) == ("harbour_novelty",)
    assert dialect.paths == ("/metrics",)


def test_the_section_and_the_plain_tree_say_the_same() -> None:
    assert custom_dialect(EXAMPLE) == as_dialect(DialectConfig.model_validate(EXAMPLE))


def test_a_rule_in_yaml_says_all_that_a_rule_says() -> None:
    assert {field.name for field in fields(Rule)} == set(RuleConfig.model_fields)


@pytest.mark.parametrize("raw", ["my_done", "my_done_total"])
@pytest.mark.parametrize("body", [b"# TYPE my_done counter\nmy_done 7\n", b"my_done_total 7\n"])
def test_a_counter_is_found_by_the_name_on_the_page_and_by_its_full_one(
    raw: str, body: bytes
) -> None:
    dialect = custom_dialect({"rules": [{"metric": "llm_prompt_tokens_total", "raw": raw}]})
    (sample,) = translate(parse(body), dialect, model="m")
    assert sample.value == 7


def test_a_gauge_that_counts_is_a_counter_of_ours() -> None:
    dialect = custom_dialect({"rules": [{"metric": "llm_prompt_tokens_total", "raw": "my_done"}]})
    (sample,) = translate(parse(b"# TYPE my_done gauge\nmy_done 7\n"), dialect, model="m")
    assert sample.value == 7


def test_little_is_enough() -> None:
    dialect = custom_dialect({"rules": [RULE]})
    assert dialect.name == "custom"
    assert dialect.rules == (Rule(("x",), METRICS["llm_requests_running"]),)
    assert unmapped(parse(b"# TYPE y gauge\ny 1\n"), dialect) == ()


def changed(**rule: object) -> dict[str, object]:
    return {"rules": [{**RULE, **rule}]}


FINISHED = "llm_requests_finished_total"
HISTOGRAM = "llm_request_duration_seconds"
MISTAKES = [
    pytest.param({}, "rules: is empty; give at least one rule", id="no rules"),
    pytest.param({"rules": "x"}, "rules: 'x' is wrong; write a list", id="rules are no list"),
    pytest.param({"rules": ["x"]}, "rules[0]: 'x' is no mapping of keys", id="a rule is no tree"),
    pytest.param(
        {"rules": [RULE], "rank": "r"}, "rank: unknown key; known: name", id="an unknown key"
    ),
    pytest.param(changed(scal=2), "rules[0].scal: unknown key; did you mean scale?", id="a typo"),
    pytest.param(
        changed(metric="llm_request_running"),
        "rules[0].metric: 'llm_request_running' is wrong; write an inference metric of ours; did "
        "you mean llm_requests_running?",
        id="a metric that is none",
    ),
    pytest.param(
        changed(metric="llm_engine_up"),
        "rules[0].metric: 'llm_engine_up' is wrong",
        id="a metric that no rule may give",
    ),
    pytest.param(changed(metric=7), "rules[0].metric: 7 is wrong", id="a metric that is a number"),
    pytest.param(changed(raw=[]), "rules[0].metric: raw names at least one row", id="no raw name"),
    pytest.param(changed(raw=[7]), "rules[0].raw: [7] is wrong; write a text", id="raw number"),
    pytest.param(changed(scale=0), "rules[0].metric: scale 0.0 must be", id="a scale of nothing"),
    pytest.param(changed(scale="ms"), "rules[0].scale: 'ms' is wrong; write a number", id="ms"),
    pytest.param(changed(scale=True), "rules[0].scale: True is wrong", id="a scale of yes"),
    pytest.param(changed(absent=math.nan), "rules[0].absent: nan is wrong", id="absent NaN"),
    pytest.param(
        changed(combine="add"),
        "rules[0].combine: 'add' is wrong; write one of first, sum",
        id="a combination that is none",
    ),
    pytest.param(changed(join="mean"), "rules[0].join: 'mean' is wrong; write one of", id="mean"),
    pytest.param(changed(part="sum"), "rules[0].metric: a histogram's sum only grows", id="part"),
    pytest.param(
        changed(metric=FINISHED),
        "rules[0].metric: labels () must be the metric's own, ('reason',)",
        id="a label that nothing fills",
    ),
    pytest.param(
        changed(metric=FINISHED, labels=["reason"]),
        "rules[0].labels: ['reason'] is wrong; write a mapping",
        id="labels are no mapping",
    ),
    pytest.param(
        changed(metric=FINISHED, labels={"why": "reason"}, values={"EOS": 1}),
        "rules[0].values.EOS: 1 is wrong; write a text, or null",
        id="a label value that is a number",
    ),
    pytest.param(
        changed(match={"code": 4}), "rules[0].match.code: 4 is wrong; write a text", id="match 4"
    ),
    pytest.param(
        changed(metric=HISTOGRAM, combine="sum"),
        "rules[0].metric: a histogram passes whole",
        id="two histograms added up",
    ),
    pytest.param(
        {"rules": [RULE], "prefixes": [""]}, "prefixes: '' begins every name", id="every name"
    ),
    pytest.param({"rules": [RULE], "name": 7}, "name: 7 is wrong; write a text", id="name"),
    pytest.param({"rules": [RULE], "name": ""}, "name: '' is no value", id="no name"),
]


@pytest.mark.parametrize("tree, message", MISTAKES)
def test_a_mistake_is_named_with_its_key_and_value(tree: dict[str, object], message: str) -> None:
    with pytest.raises(DialectError) as caught:
        custom_dialect(tree)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("tree, message", MISTAKES)
def test_the_section_refuses_what_the_tree_refuses(tree: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError):
        DialectConfig.model_validate(tree)


@pytest.mark.parametrize(
    "tree, where, message",
    [
        pytest.param(
            changed(metric="llm_request_running"),
            ("rules", 0),
            "metric: 'llm_request_running' is wrong; write an inference metric of ours; did you "
            "mean llm_requests_running?",
            id="a metric that is none",
        ),
        pytest.param(
            changed(metric=FINISHED),
            ("rules", 0),
            "metric: labels () must be the metric's own, ('reason',)",
            id="a label that nothing fills",
        ),
        pytest.param(
            {"rules": [RULE], "prefixes": [""]},
            (),
            "prefixes: '' begins every name; write such as 'myengine_'",
            id="every name",
        ),
    ],
)
def test_the_section_says_where_and_what(
    tree: dict[str, object], where: tuple[str | int, ...], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        DialectConfig.model_validate(tree)
    # Of a list with a bad item Pydantic says as well that it is too short: config.load drops that.
    (details,) = [e for e in caught.value.errors() if e["type"] != "too_short"]
    assert details["loc"] == where
    assert details["msg"] == f"Value error, {message}"


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.just([1, {}])
)


def odd_trees(draw: Callable[..., object]) -> dict[str, object]:
    tree = copy.deepcopy(EXAMPLE)
    rule = draw(st.sampled_from(tree["rules"]))
    where = draw(st.sampled_from([tree, rule]))
    where[draw(st.sampled_from([*where, "raw", "values", "odd"]))] = draw(ODD)
    return tree


@given(tree=st.composite(odd_trees)())
def test_any_tree_is_a_dialect_or_a_mistake(tree: dict[str, object]) -> None:
    with contextlib.suppress(DialectError):
        translate(parse(BODY), custom_dialect(tree), model="m")
