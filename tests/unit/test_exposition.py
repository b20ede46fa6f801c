import math
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families

from tidegauge import exposition
from tidegauge.catalog import Metric
from tidegauge.exposition import Renderer, number, render
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.engine_text import parse

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


@pytest.mark.parametrize(
    "names, families",
    [
        pytest.param({"llm_test_heat_celsius"}, {"llm_test_heat_celsius"}, id="a gauge"),
        pytest.param({"llm_test_requests_total"}, {"llm_test_requests_total"}, id="a counter"),
        pytest.param({"llm_test_requests"}, {"llm_test_requests_total"}, id="a counter's family"),
        pytest.param({"llm_test_wait_seconds_bucket"}, {"llm_test_wait_seconds"}, id="buckets"),
        pytest.param({"llm_test_wait_seconds_sum"}, {"llm_test_wait_seconds"}, id="a sum"),
        pytest.param(
            {"llm_test_wait_seconds", "llm_test_heat_celsius", "up"},
            {"llm_test_wait_seconds", "llm_test_heat_celsius"},
            id="two of three, and one that is not there",
        ),
        pytest.param({"llm_test"}, set(), id="half a name"),
        pytest.param(set(), set(), id="none"),
    ],
)
def test_families_are_chosen_by_the_name_of_family_or_series(
    names: set[str], families: set[str]
) -> None:
    samples = [Sample(REQUESTS, 3, ("m", "")), Sample(WAIT, WAITED, ("m",)), Sample(HEAT, 1, ("",))]
    chosen = render(samples, names=frozenset(names))
    assert set(re.findall("# TYPE ([a-z_]+)", chosen)) == families
    whole = render(samples)
    assert all(line in whole.splitlines() for line in chosen.splitlines())


def test_openmetrics_names_units_where_the_name_ends_in_them() -> None:
    energy = Metric("llm_test_energy_joules_total", "counter", "Energy.", (), "joules")
    window = Metric("llm_test_power_watts_window", "gauge", "Power.", (), "watts")
    info = Metric("llm_test_engine_info", "gauge", "Engine.", (), "info")
    samples = [Sample(metric, 1) for metric in (energy, window, info)]
    text = render([*samples, Sample(WAIT, WAITED, ("m",))], "openmetrics")
    assert [line for line in text.splitlines() if line.startswith("# UNIT")] == [
        "# UNIT llm_test_energy_joules joules",
        "# UNIT llm_test_wait_seconds seconds",
    ]
    assert {family.name: family.unit for family in openmetrics_families(text)} == {
        "llm_test_energy_joules": "joules",
        "llm_test_power_watts_window": "",
        "llm_test_engine_info": "",
        "llm_test_wait_seconds": "seconds",
    }
    assert "# UNIT" not in render(samples)


VALUES = st.one_of(st.floats(), st.integers(-(2**70), 2**70))
LABEL = st.text(alphabet='ab\\"\n,{}= é', max_size=4)
SAMPLES = st.lists(
    st.one_of(
        st.builds(lambda v, a, b: Sample(REQUESTS, v, (a, b)), VALUES, LABEL, LABEL),
        st.builds(lambda v, a: Sample(HEAT, v, (a,)), VALUES, LABEL),
        st.builds(
            lambda n, s, a: Sample(WAIT, Distribution(((0.5, 0), (math.inf, n)), s), (a,)),
            st.integers(0, 2**60),
            st.floats(),
            LABEL,
        ),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(states=st.lists(SAMPLES, min_size=1, max_size=3))
def test_what_was_rendered_before_changes_nothing(states: list[list[Sample]]) -> None:
    renderer = Renderer()
    for samples in (*states, states[0]):
        for form in ("prometheus", "openmetrics"):
            assert renderer.render(samples, form) == render(samples, form)


@settings(max_examples=150, deadline=None)
@given(samples=SAMPLES)
def test_what_is_written_is_read_back(samples: list[Sample]) -> None:
    last = {(sample.metric.name, sample.labels): sample for sample in samples}
    expected = Counter(
        row for (name, labels), sample in last.items() for row in rows(name, labels, sample)
    )
    for form in ("prometheus", "openmetrics"):
        families = parse(render(samples, form).encode())
        assert len({family.name for family in families}) == len(families), "each family once"
        read = Counter(
            (row.name, repr(row.value + 0.0), row.labels) for f in families for row in f.series
        )
        assert read == expected


def rows(
    name: str, labels: tuple[str, ...], sample: Sample
) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """What a reader should see of a sample; an empty label is none, and -0.0 is 0."""
    pairs = tuple(
        (key, value) for key, value in zip(sample.metric.labels, labels, strict=True) if value
    )
    if not isinstance(sample.value, Distribution):
        yield name, repr(float(sample.value) + 0.0), pairs
        return
    for bound, count in sample.value.buckets:
        le = "+Inf" if math.isinf(bound) else repr(bound)
        yield f"{name}_bucket", repr(float(count)), (*pairs, ("le", le))
    yield f"{name}_sum", repr(sample.value.sum + 0.0), pairs
    yield f"{name}_count", repr(float(sample.value.count)), pairs


def test_what_is_remembered_of_series_is_bounded() -> None:
    renderer = Renderer()
    for batch in range(5):
        samples = [Sample(HEAT, 1, (f"{batch}-{n}",)) for n in range(10_000)]
        assert renderer.render(samples).count("\n") == 10_002
    # Looks inside, because memory does not show otherwise.
    remembered = sum(map(len, renderer._starts.values()))
    assert 0 < remembered <= exposition.SERIES_REMEMBERED + 10_000
