"""A rule that contradicts its metric is refused where it is written."""

from dataclasses import replace

import pytest

from tidegauge.catalog import Metric, inference, own
from tidegauge.engines import Dialect, Rule
from tidegauge.engines.dialect import under

COUNTER = Rule(("x_total",), inference.PROMPT_TOKENS)
GAUGE = Rule(("x",), inference.REQUESTS_RUNNING)
HISTOGRAM = Rule(("x_seconds",), inference.REQUEST_DURATION)


@pytest.mark.parametrize(
    "rule, change, message",
    [
        pytest.param(GAUGE, {"raw": ()}, "at least one row", id="no raw name"),
        pytest.param(GAUGE, {"raw": ("x", "x")}, "names a row twice", id="a raw name twice"),
        pytest.param(GAUGE, {"metric": own.BUILD_INFO}, "must begin with", id="not an engine's"),
        pytest.param(
            GAUGE,
            {"metric": inference.REQUESTS_FINISHED},
            "must be the metric's own",
            id="unfilled label",
        ),
        pytest.param(
            GAUGE, {"labels": (("a", "b"),)}, "must be the metric's own", id="stray label"
        ),
        pytest.param(GAUGE, {"scale": 0.0}, "above 0", id="scale of nothing"),
        pytest.param(GAUGE, {"scale": float("nan")}, "above 0", id="scale that is no number"),
        pytest.param(GAUGE, {"part": "sum"}, "that is a counter", id="gauge of a sum"),
        pytest.param(HISTOGRAM, {"part": "sum"}, "passes whole", id="part for a histogram"),
        pytest.param(HISTOGRAM, {"combine": "sum"}, "passes whole", id="histograms added up"),
        pytest.param(HISTOGRAM, {"absent": -1.0}, "passes whole", id="unknown in a histogram"),
        pytest.param(HISTOGRAM, {"times": "y"}, "passes whole", id="histogram times something"),
        pytest.param(HISTOGRAM, {"pick": "newest"}, "passes whole", id="the newest histogram"),
        pytest.param(
            GAUGE,
            {"metric": inference.REQUEST_ERRORS, "constant": (("class", "a"), ("class", "b"))},
            "must be the metric's own",
            id="a label filled twice",
        ),
        pytest.param(GAUGE, {"split": "a"}, "one of the raw labels", id="split of no label"),
        pytest.param(COUNTER, {"value_of": ("a",)}, "that is a gauge", id="counter in a label"),
        pytest.param(COUNTER, {"pick": "newest"}, "that is a gauge", id="counter of a time"),
    ],
)
def test_a_rule_that_contradicts_its_metric_is_refused(
    rule: Rule, change: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(rule, **change)


def test_the_message_names_the_metric() -> None:
    with pytest.raises(ValueError, match="rule for llm_prompt_tokens_total: scale -1"):
        replace(COUNTER, scale=-1.0)


@pytest.mark.parametrize(
    "name, fingerprint, rules",
    [
        pytest.param("", ("x",), (GAUGE,), id="no name"),
        pytest.param("e", (), (GAUGE,), id="no fingerprint, which would recognise everything"),
        pytest.param("e", ("x",), (), id="no rules"),
    ],
)
def test_an_empty_dialect_is_refused(
    name: str, fingerprint: tuple[str, ...], rules: tuple[Rule, ...]
) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        Dialect(name, fingerprint, rules)


def test_all_of_a_fingerprint_must_be_there() -> None:
    dialect = Dialect("e", ("x", "y"), (GAUGE,))
    assert dialect.recognises(frozenset({"x", "y", "z"}))
    assert not dialect.recognises(frozenset({"x", "z"}))


def test_a_router_that_borrows_names_is_not_the_engine() -> None:
    dialect = Dialect("e", ("x",), (GAUGE,), impostors=("router_qps",))
    assert not dialect.recognises(frozenset({"x", "router_qps"}))


def test_a_dialect_knows_every_row_that_it_reads() -> None:
    times = replace(GAUGE, times="y")
    part = Rule(("p",), inference.PROMPT_SECONDS, part="sum")
    assert Dialect("e", ("x",), (times, HISTOGRAM, part)).reads == {
        *("x", "y"),
        *("x_seconds_bucket", "x_seconds_sum"),
        "p_sum",
    }


def test_rules_move_under_another_prefix_and_others_stay_behind() -> None:
    rules = (Rule(("e:new", "e:old"), inference.REQUESTS_RUNNING), COUNTER)
    (moved,) = under(("ray_e:", "ray_e_"), rules, once="e:")
    assert moved.raw == ("ray_e:new", "ray_e_new", "ray_e:old", "ray_e_old")


def test_a_part_is_read_from_its_own_row() -> None:
    metric: Metric = inference.PROMPT_SECONDS
    assert Rule(("a", "b"), metric, part="sum").rows == ("a_sum", "b_sum")
