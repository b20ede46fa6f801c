"""Laws of detectors and trackers, for any signal and any time at which a program stops."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegauge.thresholds.band import Band
from tidegauge.thresholds.budget import calibrate
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.registry import DETECTORS
from tidegauge.thresholds.tracker import Direction, Judged, Tracker, TrackerSettings

STEP = 600.0
DAY = 144
GRID = Grid(step_seconds=STEP, history_points=4 * DAY)
SETTINGS = TrackerSettings(
    detector="quantile",
    step_seconds=STEP,
    history_seconds=3 * 86400.0,
    refresh_seconds=86400.0,
    alarms_per_week=2.0,
)
SEEDS = st.integers(0, 2**32)
NAMES = st.sampled_from(sorted(DETECTORS))
KINDS = st.sampled_from(
    ["noise", "wave", "steps", "spikes", "counter", "constant", "sparse"],
)


def signal(kind: str, seed: int, points: int) -> list[float | None]:
    """A signal of 1/64ths with some points missing, so that sums of its values are exact."""
    rng = random.Random(seed)
    drawn = [_drawn(kind, n, rng) for n in range(points)]
    return [None if rng.random() < 0.05 else round(64 * value) / 64 for value in drawn]


def _drawn(kind: str, n: int, rng: random.Random) -> float:
    noise = rng.gauss(0, 3)
    drawn = {
        "noise": noise,
        "wave": 20 * math.sin(2 * math.pi * n / DAY) + noise,
        "steps": 100.0 * (n // 200 % 3) + noise,
        "spikes": rng.paretovariate(1.5),
        "counter": float(n * 5 % 1000),
        "constant": 7.5,
        "sparse": float(rng.random() < 0.01),
    }
    return drawn[kind]


def bands(name: str, values: list[float | None], *, threshold: float = 5.0) -> list[Band]:
    detector = DETECTORS[name](GRID)
    return [detector.update(value, n * STEP, threshold=threshold) for n, value in enumerate(values)]


@settings(max_examples=25)
@given(NAMES, KINDS, SEEDS, st.integers(1, 500), st.floats(-1e6, 1e6))
def test_a_band_never_depends_on_what_comes_later(
    name: str, kind: str, seed: int, cut: int, later: float
) -> None:
    values = signal(kind, seed, 500)
    other = [*values[:cut], *(later for _ in values[cut:])]
    assert bands(name, values)[:cut] == bands(name, other)[:cut]


@settings(max_examples=25)
@given(NAMES, KINDS, SEEDS, st.integers(1, 500), st.floats(-1e6, 1e6))
def test_a_value_changes_its_band_only_by_alarming_and_only_inwards(
    name: str, kind: str, seed: int, cut: int, value: float
) -> None:
    before = signal(kind, seed, cut)
    one, other, missing = (bands(name, [*before, last])[-1] for last in (value, -value, None))
    if missing.score is None and one.score is None:
        return
    for seen in (one, other):
        assert seen.center == missing.center
        if seen.score is not None and seen.score < 5.0:
            assert (seen.lower, seen.upper) == (missing.lower, missing.upper)
        else:
            assert missing.lower <= seen.lower <= seen.upper <= missing.upper


@settings(max_examples=25)
@given(NAMES, KINDS, SEEDS, st.floats(0.5, 15.0))
def test_a_value_outside_of_the_band_reaches_the_threshold(
    name: str, kind: str, seed: int, threshold: float
) -> None:
    values = signal(kind, seed, 700)
    for value, band in zip(values, bands(name, values, threshold=threshold), strict=True):
        if value is None or band.score is None or band.center is None:
            continue
        slack = 1e-9 * (1 + abs(value) + abs(band.center))
        if value > band.upper + slack or value < band.lower - slack:
            assert band.score >= threshold * (1 - 1e-9)


@settings(max_examples=25)
@given(
    NAMES,
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sets(st.integers(0, 799), max_size=400),
)
def test_a_constant_never_scores(name: str, constant: float, gaps: set[int]) -> None:
    values = [None if n in gaps else constant for n in range(800)]
    assert {band.score for band in bands(name, values)} <= {None, 0.0}


@settings(max_examples=25)
@given(NAMES, KINDS, SEEDS, st.integers(-6, 6), st.integers(-1000, 1000))
def test_scores_and_edges_follow_the_unit(
    name: str, kind: str, seed: int, power: int, shift: int
) -> None:
    values = signal(kind, seed, 600)
    scale = 2.0**power
    moved = [None if value is None else scale * (value + shift) for value in values]
    for one, other in zip(bands(name, values), bands(name, moved), strict=True):
        assert (one.score is None) == (other.score is None)
        if one.score is None or other.score is None:
            continue
        assert other.score == pytest.approx(one.score, rel=1e-6, abs=1e-6)
        for edge, there in ((one.lower, other.lower), (one.upper, other.upper)):
            assert there == pytest.approx(scale * (edge + shift), rel=1e-6, abs=1e-6 * scale)


@settings(max_examples=30)
@given(NAMES, KINDS, SEEDS, st.sampled_from(["both", "above", "below"]), st.floats(0.5, 20.0))
def test_a_value_is_outside_of_the_band_exactly_if_it_is_an_anomaly(
    name: str, kind: str, seed: int, direction: Direction, budget: float
) -> None:
    follow = replace(SETTINGS, detector=name, direction=direction, alarms_per_week=budget)
    for point in judged(Tracker(follow, name="signal"), signal(kind, seed, 900), since=7):
        assert point.lower <= point.upper
        if point.value is not None:
            outside = not point.lower <= point.value <= point.upper
            assert outside == (point.score is not None and point.score >= 1)
        if point.alarm:
            assert point.score is not None
            assert point.score >= 1


def judged(tracker: Tracker, values: list[float | None], *, since: int) -> list[Judged]:
    return [tracker.take((since + n) * STEP, value) for n, value in enumerate(values)]


@settings(max_examples=30)
@given(NAMES, KINDS, SEEDS, st.integers(1, 899), st.integers(0, 40), st.integers(0, 10**6))
def test_a_rebuilt_tracker_is_one_that_never_stopped(
    name: str, kind: str, seed: int, stop: int, away: int, since: int
) -> None:
    """For any time to stop; while it was away, points came that only Prometheus knows of."""
    follow = replace(SETTINGS, detector=name)
    values = signal(kind, seed, 900)
    points = [((since + n) * STEP, value) for n, value in enumerate(values) if value is not None]
    stayed = judged(Tracker(follow, name="signal"), values, since=since)
    back = min(stop + away, len(values) - 1)
    until = (since + back) * STEP
    rebuilt = Tracker(follow, name="signal")
    needed = rebuilt.needed_since(until)
    rebuilt.rebuild((point for point in points if needed <= point[0] <= until), until=until)
    assert rebuilt.latest == stayed[back]
    assert judged(rebuilt, values[back + 1 :], since=since + back + 1) == stayed[back + 1 :]


@settings(max_examples=30)
@given(
    SEEDS,
    st.floats(0.1, 20.0),
    st.sampled_from([60.0, 300.0, 3600.0]),
    st.floats(0.0, 0.9),
    st.booleans(),
)
def test_the_threshold_meets_the_budget_on_the_scores_that_it_was_made_from(
    seed: int,
    budget: float,
    step: float,
    missing: float,
    integers: bool,  # noqa: FBT001
) -> None:
    rng = random.Random(seed)
    scores = [
        None
        if rng.random() < missing
        else rng.paretovariate(1.0) // 1
        if integers
        else rng.random()
        for _ in range(2000)
    ]
    calibration = calibrate(scores, alarms_per_week=budget, step_seconds=step)
    assert calibration.fired <= math.ceil(budget * calibration.weeks)
