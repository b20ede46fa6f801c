import pytest

from tidegauge.catalog import CATALOG, Metric


def test_names_are_unique() -> None:
    names = [metric.name for metric in CATALOG]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "name,kind,text,labels,unit,buckets,problem",
    [
        ("vllm:x", "gauge", "X.", (), None, None, "a name is llm_"),
        ("llm_x_total", "gauge", "X.", (), None, None, "only a counter"),
        ("llm_x", "counter", "X.", (), None, None, "a counter"),
        ("llm_x", "gauge", "X", (), None, None, "full stop"),
        ("llm_x", "gauge", "X.", ("le",), None, None, "belongs to histograms"),
        ("llm_x", "gauge", "X.", ("a", "a"), None, None, "named twice"),
        ("llm_x", "gauge", "X.", (), "seconds", None, "carry its unit"),
        ("llm_x_seconds", "histogram", "X.", (), "seconds", (2.0, 1.0), "buckets ascend"),
    ],
)
def test_a_declaration_that_breaks_a_rule_is_refused(
    name: str, kind, text: str, labels, unit, buckets, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        Metric(name, kind, text, labels, unit, buckets)
    assert repr(name) in str(caught.value)
