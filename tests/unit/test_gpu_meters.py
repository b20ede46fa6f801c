"""What is added up between scrapes: busy time, energy, time throttled."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import gpu_meters
from tidegauge.samples import Sample
from tidegauge.sources.gpu.fallback import Fallback
from tidegauge.sources.gpu.integral import Integral
from tidegauge.sources.gpu.measured import Measured
from tidegauge.sources.gpu.meters import DeviceMeters
from tidegauge.sources.gpu.throttle import ThrottleMeter

GPU = ("0", "GPU-a")
STEPS = st.lists(st.tuples(st.floats(0.01, 3), st.floats(0, 1)), min_size=1, max_size=50)


@pytest.mark.parametrize(
    "ramp,samples,total",
    [
        pytest.param(False, [(0, 1)], 0, id="one sample says nothing of the time before"),
        pytest.param(
            False, [(0, 0), (1, 1), (2, 0.5)], 1.5, id="each one is of the time before it"
        ),
        pytest.param(True, [(0, 0), (1, 1), (2, 1)], 1.5, id="a straight line in between"),
        pytest.param(False, [(0, 1), (9, 1), (10, 1)], 1, id="a gap is unknown"),
        pytest.param(False, [(5, 1), (4, 1), (5, 1)], 1, id="a clock that goes back"),
        pytest.param(False, [(5, 1), (5, 1)], 0, id="the same sample twice"),
    ],
)
def test_integral(ramp, samples: list[tuple[float, float]], total: float) -> None:
    integral = Integral(ramp=ramp)
    for at, value in samples:
        integral.add(at, value, within=3)
    assert integral.total == total


@given(STEPS, st.booleans())
def test_an_integral_grows_and_lies_between_its_extremes(steps, ramp) -> None:
    integral, at, before = Integral(ramp=ramp), 0.0, 0.0
    stood = 0.0
    for step, value in steps:
        at += step
        stood += integral.add(at, value, within=3.1)
        assert integral.total >= before
        before = integral.total
    assert integral.total <= stood + 1e-9
    assert stood == pytest.approx(at - steps[0][0])


@given(STEPS)
def test_gaps_add_nothing(steps) -> None:
    integral, at = Integral(ramp=False), 0.0
    for step, value in steps:
        at += 10 + step
        assert integral.add(at, value, within=3) == 0
    assert integral.total == 0


def test_while_the_ring_speaks_polls_count_nothing() -> None:
    meter = Measured(ramp=False)
    meter.polled(0, 1, within=3)
    meter.drained(1, [(1000.0, 0.5), (1000.5, 0.5), (1001.0, 0.5)], within=3)
    meter.polled(1.1, 1, within=3)
    meter.polled(2.1, 1, within=3)
    assert meter.total == 0.5


def test_when_the_ring_falls_silent_polls_take_over() -> None:
    meter = Measured(ramp=False)
    meter.drained(0, [(1000.0, 0.5)], within=3)
    for at in (1, 2, 3, 4, 5, 6):
        meter.polled(at, 1, within=3)
    assert meter.total == 2, "from 3 s of silence on, and the first poll then says nothing"
    meter.drained(7, [(1007.0, 0.5), (1007.5, 0.5)], within=3)
    assert meter.total == 2.25, "what the polls counted is not counted again"


def test_what_was_never_sampled_is_not_zero() -> None:
    assert Measured(ramp=False).total is None
    assert DeviceMeters(GPU, window_seconds=60).kept() == []


@pytest.mark.parametrize(
    "reads,needed",
    [
        pytest.param([False, False], False, id="may still come"),
        pytest.param([False, False, False], True, id="there is none"),
        pytest.param([True, *[False] * 9], False, id="a counter that fails is not replaced"),
        pytest.param([False, False, True, False, False], False, id="late, but there"),
    ],
)
def test_we_count_only_where_nvml_does_not(reads: list[bool], needed) -> None:
    fallback = Fallback()
    for counter in reads:
        fallback.heard(counter=counter)
    assert fallback.needed is needed


def test_throttle_time_leaves_out_idleness_and_what_nvml_counts() -> None:
    meter = ThrottleMeter()
    for at, bit in ((0, 0), (5, 1), (10, 0), (15, 1)):
        bits = {"gpu_idle": 1, "sw_power_cap": bit, "hw_slowdown": bit}
        meter.add(at, bits, counted={"hw_slowdown"}, within=15)
    assert meter.seconds == {"sw_power_cap": 10}


def fast(meters: DeviceMeters, at: float, *, watts: float, busy: float = 0.5, more=()) -> None:
    samples = (
        Sample(catalog.UTILIZATION, busy, GPU),
        Sample(catalog.POWER, watts, (*GPU, "instant")),
        *more,
    )
    meters.fast(samples, now=at, wall=at, within=3)


def value(samples, metric, *labels: str) -> float | None:
    found = [s.value for s in samples if s.metric is metric and s.labels[2:] == labels]
    return found[0] if found else None


def test_a_device_s_reads_become_counters_and_a_window() -> None:
    meters = DeviceMeters(GPU, window_seconds=10)
    for at in range(13):
        fast(meters, at, watts=680 if at == 4 else 120)
    kept = meters.kept()
    assert value(kept, gpu_meters.BUSY) == 6
    assert value(kept, catalog.ENERGY) == 12 * 120 + 560
    window = meters.window(12)
    assert value(window, gpu_meters.POWER_WINDOW, "max") == 680
    assert value(window, gpu_meters.POWER_WINDOW, "min") == 120
    assert value(window, gpu_meters.POWER_WINDOW, "mean") == pytest.approx(120 + 560 / 9)


def test_the_ring_is_drained_from_where_it_was_and_finds_what_polls_miss() -> None:
    meters = DeviceMeters(GPU, window_seconds=10)
    ring = [
        (n * 20_000, 680.0 if 4_100_000 <= n * 20_000 < 4_300_000 else 120.0) for n in range(650)
    ]
    meters.drained("power", ring[:2], now=0.04, wall=0.04, within=3)
    assert meters.since("power") == 20_000
    for second in range(1, 13):
        fast(meters, second, watts=120)
        new = [s for s in ring if meters.since("power") < s[0] <= second * 1_000_000]
        meters.drained("power", new, now=second, wall=second, within=3)
    joules = value(meters.kept(), catalog.ENERGY)
    assert joules == pytest.approx(120 * (12 - 0.02) + 560 * 0.2)
    window = meters.window(12)
    assert value(window, gpu_meters.POWER_WINDOW, "max") == 680
    assert value(window, gpu_meters.POWER_WINDOW, "mean") == pytest.approx(
        120 + 560 * 0.02, rel=1e-2
    )


def test_what_the_ring_held_before_the_start_is_not_counted() -> None:
    meters = DeviceMeters(GPU, window_seconds=10)
    meters.drained("utilization", [(n * 100_000, 1.0) for n in range(20)], now=0, wall=0, within=3)
    assert value(meters.kept(), gpu_meters.BUSY) == 0


@given(
    st.lists(st.floats(0.0, 0.4), min_size=1, max_size=30),
    st.floats(0.5, 3),
    st.integers(1, 10),
)
def test_drained_in_whatever_pieces_the_sum_is_the_same(pauses, height: float, step: int) -> None:
    """Each sample counts once, however the drains fall."""
    ring = [(n * 20_000, height * (1 + math.sin(n / 7))) for n in range(1, 1000)]
    until = [0.02, *(0.02 + total for total in itertools.accumulate(pauses))]
    meters = DeviceMeters(GPU, window_seconds=1000)
    for moment in until:
        new = [s for s in ring if meters.since("power") < s[0] <= moment * 1e6 * step]
        meters.drained("power", new, now=moment, wall=moment, within=3)
    for _ in range(3):
        meters._energy.heard(counter=False)  # asked thrice without an answer
    seen = [
        s for s in ring if s[0] <= meters.since("power") and s[0] >= first_of(ring, until[0] * step)
    ]
    expected = sum(0.02 * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(seen))
    assert value(meters.kept(), catalog.ENERGY) == pytest.approx(expected)


def first_of(ring: list[tuple[int, float]], until: float) -> int:
    return max(at for at, _ in ring if at <= until * 1e6)
