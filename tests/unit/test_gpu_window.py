"""Power windows: fixed on the wall clock, the same for everybody, none missed."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.sources.gpu.window import LATE_SECONDS, PowerWindow, Summary, summarize

DAY = 1_790_000_000.0 - 1_790_000_000.0 % 120  # a window of two minutes begins here


def filled(window: PowerWindow, samples: list[tuple[float, float]], weight: float = 1.0) -> None:
    for at, watts in samples:
        window.add(DAY + at, watts, weight)


def test_a_window_is_given_once_when_it_is_over() -> None:
    window = PowerWindow(120)
    filled(window, [(0, 100), (60, 300), (119.9, 200), (120, 900)])
    assert window.over(DAY + 120) is None, "NVML's own samples come late"
    assert window.over(DAY + 121.5) == Summary(min=100, mean=200, max=300, p95=300)
    assert window.over(DAY + 122) is None
    assert window.over(DAY + 241.5) == Summary(900, 900, 900, 900)


def test_a_window_without_a_sample_is_none() -> None:
    window = PowerWindow(120)
    filled(window, [(10, 100), (250, 200)])
    assert window.over(DAY + 130) == Summary(100, 100, 100, 100)
    assert window.over(DAY + 245) is None


def test_after_a_pause_the_newest_window_is_given() -> None:
    window = PowerWindow(120)
    filled(window, [(10, 100), (130, 200)])
    assert window.over(DAY + 500) == Summary(200, 200, 200, 200)


def test_what_comes_late_for_a_window_that_was_given_is_dropped() -> None:
    window = PowerWindow(120)
    filled(window, [(10, 100)])
    window.over(DAY + 122)
    filled(window, [(119, 900), (130, 200)])
    assert window.over(DAY + 242) == Summary(200, 200, 200, 200)


def test_a_wall_clock_that_is_set_back_is_followed() -> None:
    window = PowerWindow(120)
    filled(window, [(10, 100)])
    window.over(DAY + 122)
    filled(window, [(-3600 + 10, 300)])
    assert window.over(DAY - 3600 + 122) == Summary(300, 300, 300, 300)


def test_a_sample_without_weight_counts_for_the_extremes_only() -> None:
    window = PowerWindow(120)
    filled(window, [(1, 100), (2, 100)])
    filled(window, [(1.5, 680), (1.6, 20)], weight=0)
    assert window.over(DAY + 122) == Summary(min=20, mean=100, max=680, p95=100)


@pytest.mark.parametrize(
    "weights,p95,mean",
    [
        ([94, 6], 680, 153.6),
        ([95, 5], 120, 148),
        ([0, 0], 680, 400),
    ],
    ids=["six percent of the time is in", "five are out", "no weights at all: all alike"],
)
def test_the_quantile_weighs_by_time(weights: list[float], p95: float, mean: float) -> None:
    summary = summarize(array("d", [120, 680]), array("d", weights))
    assert (summary.p95, summary.mean) == pytest.approx((p95, mean))


@given(st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 10)), min_size=1))
def test_the_numbers_are_in_order_and_between_the_samples(pairs) -> None:
    values, weights = (array("d", column) for column in zip(*pairs, strict=True))
    summary = summarize(values, weights)
    assert (summary.min, summary.max) == (min(values), max(values))
    assert summary.min <= summary.mean <= summary.max
    assert summary.p95 in values


@given(
    phase=st.floats(0, 60),
    jitters=st.lists(st.floats(-3, 3), min_size=30, max_size=30),
    ticks=st.floats(0.1, 1),
)
def test_a_scraper_that_comes_every_minute_sees_every_window(phase, jitters, ticks: float) -> None:
    """With Prometheus's default interval, whatever its phase, and seconds of jitter."""
    window, shown, seen = PowerWindow(120), None, set()
    scrapes = [DAY + 60 * n + phase + jitter for n, jitter in enumerate(jitters)]
    now = DAY
    for scrape in scrapes:
        while now < scrape:
            window.add(now, float((now - DAY) // 120), 1)  # each window has its number for watts
            shown = window.over(now) or shown
            now += ticks
        seen.add(shown.max if shown else None)
    last = int((scrapes[-1] - 60 - LATE_SECONDS - 3 - ticks - DAY) // 120) - 1
    assert seen >= {float(number) for number in range(last)}


@given(st.floats(0, 7.3), st.sampled_from([0.1, 0.02]))
def test_the_maximum_finds_a_burst_of_200_ms(phase: float, tick: float) -> None:
    window = PowerWindow(7.3)
    for n in range(int(3 * 7.3 / tick)):
        at = n * tick
        window.add(at, 680.0 if (at - phase) % 7.3 < 0.2 else 120.0, tick)
    found = window.over(2 * 7.3 + LATE_SECONDS)
    assert found
    assert found.max == 680
