"""A rule that contradicts its metric is refused where it is written."""

from dataclasses import replace

import pytest

from tidegauge.catalog import Metric, inference, own
from tidegauge.engines import Dialect, Rule

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


def test_a_part_is_read_from_its_own_row() -> None:
    metric: Metric = inference.PROMPT_SECONDS
    assert Rule(("a", "b"), metric, part="sum").rows == ("a_sum", "b_sum")
