import math

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from tidegauge.catalog import Metric
from tidegauge.exposition import negotiate, number, render
from tidegauge.samples import Distribution, Sample

REQUESTS = Metric("llm_test_requests_total", "counter", "Requests.", ("model", "code"))
HEAT = Metric("llm_test_heat_celsius", "gauge", 'A "quoted"\nhelp.', ("gpu",), "celsius")
WAIT = Metric("llm_test_wait_seconds", "histogram", "Waits.", ("model",), "seconds", (0.5, 1))
WAITED = Distribution(((0.5, 1), (1.0, 3), (math.inf, 4)), 5.25)


def test_families_and_series_are_sorted_whatever_their_order() -> None:
    samples = [
        Sample(REQUESTS, 2, ("b", "200")),
        Sample(HEAT, 40.5, ("0",)),
        Sample(REQUESTS, 1, ("a", "200")),
    ]
    assert render(samples) == render(reversed(samples))
    assert render(samples).splitlines() == [
        '# HELP llm_test_heat_celsius A "quoted"\\nhelp.',
        "# TYPE llm_test_heat_celsius gauge",
        'llm_test_heat_celsius{gpu="0"} 40.5',
        "# HELP llm_test_requests_total Requests.",
        "# TYPE llm_test_requests_total counter",
        'llm_test_requests_total{model="a",code="200"} 1',
        'llm_test_requests_total{model="b",code="200"} 2',
    ]


def test_an_empty_label_value_is_no_label() -> None:
    assert "llm_test_requests_total 1\n" in render([Sample(REQUESTS, 1, ("", ""))])


def test_a_series_given_twice_keeps_the_last_value() -> None:
    text = render([Sample(HEAT, 1, ("0",)), Sample(HEAT, 2, ("0",))])
    assert text.count("llm_test_heat_celsius{") == 1
    assert 'llm_test_heat_celsius{gpu="0"} 2\n' in text


def test_label_values_survive_a_round_trip_whatever_they_hold() -> None:
    nasty = 'a\\b"c\nd{e}=,ü'
    text = render([Sample(HEAT, 1, (nasty,))])
    (family,) = text_string_to_metric_families(text)
    assert family.samples[0].labels == {"gpu": nasty}


def test_both_formats_are_read_back_by_the_reference_parsers() -> None:
    samples = [Sample(REQUESTS, 3, ("m", "200")), Sample(WAIT, WAITED, ("m",))]
    expected = {
        ("llm_test_requests_total", ""): 3,
        ("llm_test_wait_seconds_bucket", "0.5"): 1,
        ("llm_test_wait_seconds_bucket", "1.0"): 3,
        ("llm_test_wait_seconds_bucket", "+Inf"): 4,
        ("llm_test_wait_seconds_sum", ""): 5.25,
        ("llm_test_wait_seconds_count", ""): 4,
    }
    for families in (
        text_string_to_metric_families(render(samples)),
        openmetrics_families(render(samples, "openmetrics")),
    ):
        read = {}
        for family in families:
            for sample in family.samples:
                bound = sample.labels.get("le", "")
                read[sample.name, "1.0" if bound == "1" else bound] = sample.value
        assert read == expected


@pytest.mark.parametrize(
    "value,text",
    [
        pytest.param(math.nan, "NaN", id="not a number"),
        pytest.param(-math.inf, "-Inf", id="minus infinity"),
        pytest.param(2.0**60, "1.152921504606847e+18", id="beyond exact integers"),
        pytest.param(0.1, "0.1", id="shortest text that reads back the same"),
    ],
)
def test_numbers_are_written_as_prometheus_writes_them(value: float, text: str) -> None:
    assert number(value) == text


def test_openmetrics_is_given_to_whoever_asks_for_it() -> None:
    prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
    assert negotiate(prometheus) == "openmetrics"
    assert negotiate("") == "prometheus"
