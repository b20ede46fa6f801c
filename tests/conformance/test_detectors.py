"""What every detector in the table must keep to."""

import math
import random
from collections.abc import Callable, Iterable, Sequence

import pytest

from tidegauge.thresholds.band import Band, Detector
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.registry import DEFAULT_DETECTOR, DETECTORS

STEP = 300.0
DAY = 288
GRID = Grid(step_seconds=STEP, history_points=7 * DAY)
START = 1_700_000_400.0

MakeDetector = Callable[[], Detector]


@pytest.fixture(params=DETECTORS)
def make(request: pytest.FixtureRequest) -> MakeDetector:
    return lambda: DETECTORS[request.param](GRID)


def ordinary(points: int, *, seed: int = 1, level: float = 0.0) -> list[float | None]:
    """A daily wave with noise on it, on a grid of 1/1024, so that sums of them are exact."""
    rng = random.Random(seed)
    wave = [20 * math.sin(2 * math.pi * n / DAY) for n in range(points)]
    return [level + round(1024 * (value + rng.gauss(0, 3))) / 1024 for value in wave]


def fed(
    detector: Detector,
    values: Iterable[float | None],
    *,
    since: float = START,
    threshold: float = math.inf,
) -> list[Band]:
    return [
        detector.update(value, since + n * STEP, threshold=threshold)
        for n, value in enumerate(values)
    ]


def scores(bands: Sequence[Band]) -> list[float]:
    return [band.score for band in bands if band.score is not None]


def test_the_default_is_in_the_table() -> None:
    assert DEFAULT_DETECTOR in DETECTORS


def test_it_knows_nothing_at_first_and_then_all_the_time(make: MakeDetector) -> None:
    bands = fed(make(), ordinary(2 * DAY))
    unknown = [band.score is None for band in bands]
    assert bands[0] == Band(None, bands[0].center)
    assert unknown == sorted(unknown, reverse=True)
    assert not unknown[DAY]


def test_scores_are_finite_and_never_negative(make: MakeDetector) -> None:
    values = [*ordinary(3 * DAY), 1e9, -1e9, 0.0, 1e-9, *ordinary(DAY)]
    assert all(0 <= score < math.inf for score in scores(fed(make(), values)))


def test_a_missing_point_has_no_score_but_edges(make: MakeDetector) -> None:
    detector = make()
    fed(detector, ordinary(3 * DAY))
    band = detector.update(None, START + 3 * DAY * STEP, threshold=10.0)
    assert band.score is None
    assert band.center is not None
    assert -math.inf < band.lower < band.center < band.upper < math.inf


def test_missing_points_do_not_alarm_and_are_got_over(make: MakeDetector) -> None:
    values = ordinary(4 * DAY)
    usual = max(scores(fed(make(), values))[DAY:])
    values[2 * DAY : 2 * DAY + 100] = [None] * 100
    values[::7] = [None] * len(values[::7])
    assert max(scores(fed(make(), values))[DAY:]) <= 2 * usual


def test_a_value_far_outside_scores_more_than_all_ordinary_ones(make: MakeDetector) -> None:
    for far in (300.0, -300.0):
        detector = make()
        usual = max(scores(fed(detector, ordinary(5 * DAY)))[DAY:])
        band = detector.update(far, START + 5 * DAY * STEP)
        assert band.score is not None
        assert band.score > usual


def test_a_counter_that_was_reset_is_seen(make: MakeDetector) -> None:
    detector = make()
    usual = max(scores(fed(detector, ordinary(5 * DAY, level=1000.0)))[DAY:])
    band = detector.update(0.0, START + 5 * DAY * STEP)
    assert band.score is not None
    assert band.score > usual


def test_after_a_reset_to_zero_ordinary_values_are_ordinary(make: MakeDetector) -> None:
    values = ordinary(8 * DAY, level=1000.0)
    values[5 * DAY] = 0.0
    after = fed(make(), values)[5 * DAY + 13 :]
    assert max(scores(after)) <= 2 * max(scores(fed(make(), ordinary(8 * DAY, level=1000.0)))[DAY:])


@pytest.mark.parametrize("constant", [0.0, 1.0, 0.1, -1e-300, 1e17 / 3])
def test_a_constant_never_scores(make: MakeDetector, constant: float) -> None:
    values = [constant] * (GRID.history_points + DAY)
    assert set(scores(fed(make(), values))) == {0.0}


def test_a_constant_with_gaps_never_scores(make: MakeDetector) -> None:
    values = [None if n % 5 == 3 or 700 < n < 900 else 0.1 for n in range(5 * DAY)]
    assert set(scores(fed(make(), values))) == {0.0}


def test_leaving_a_constant_scores_high(make: MakeDetector) -> None:
    detector = make()
    fed(detector, [0.1] * (5 * DAY))
    band = detector.update(0.2, START + 5 * DAY * STEP)
    assert band.score is not None
    assert band.score > 1


def test_a_level_shift_is_learned_in_the_time_that_it_says(make: MakeDetector) -> None:
    detector = make()
    before = scores(fed(detector, noise(7 * DAY)))[2 * DAY :]
    learning = math.ceil(detector.learns_seconds / STEP)
    assert learning <= GRID.history_points
    fed(detector, noise(learning, seed=2, level=200.0), since=START + 7 * DAY * STEP)
    later = START + (7 * DAY + learning) * STEP
    after = scores(fed(detector, noise(3 * DAY, seed=3, level=200.0), since=later))
    limit = max(before)
    assert sum(score > limit for score in after) <= 3


def noise(points: int, *, seed: int = 1, level: float = 0.0) -> list[float | None]:
    rng = random.Random(seed)
    return [level + rng.gauss(0, 3) for _ in range(points)]


def test_irregular_sampling_is_taken(make: MakeDetector) -> None:
    rng = random.Random(5)
    detector, now, seen = make(), START, []
    for value in ordinary(5 * DAY):
        now += rng.choice((1.0, STEP, 3 * STEP))
        seen.append(detector.update(value, now, threshold=5.0))
    assert max(scores(seen[DAY:])) < 1000


def test_asking_for_edges_changes_nothing_else(make: MakeDetector) -> None:
    values = ordinary(3 * DAY)
    asked = fed(make(), values, threshold=3.0)
    assert [(band.score, band.center) for band in asked] == [
        (band.score, band.center) for band in fed(make(), values)
    ]


@pytest.mark.parametrize("threshold", [1.5, 4.0, 12.0])
def test_a_value_is_outside_of_the_edges_exactly_if_it_reaches_the_threshold(
    make: MakeDetector, threshold: float
) -> None:
    values = ordinary(4 * DAY)
    values[3 * DAY :: 50] = [120.0, -90.0, 50.0, -50.0, 45.0, 60.0]
    for value, band in zip(values, fed(make(), values, threshold=threshold), strict=True):
        if value is None or band.score is None:
            continue
        assert band.lower <= band.upper
        if abs(band.score - threshold) > 1e-6:
            outside = not band.lower <= value <= band.upper
            assert outside == (band.score >= threshold)


def test_edges_are_values_that_have_just_the_threshold(make: MakeDetector) -> None:
    """Asked of twins: beyond the edge the score reaches the threshold, before it does not."""
    for side, beyond in ((1, 1 + 1e-6), (-1, 1 - 1e-6)):
        twins = [make(), make()]
        for twin in twins:
            fed(twin, ordinary(5 * DAY))
        now = START + 5 * DAY * STEP
        band = make_band(make, now, threshold=6.0)
        edge = band.upper if side > 0 else band.lower
        assert band.center is not None
        width = edge - band.center
        outside = twins[0].update(band.center + width * max(beyond, 2 - beyond), now)
        inside = twins[1].update(band.center + width * min(beyond, 2 - beyond), now)
        assert outside.score is not None
        assert inside.score is not None
        assert inside.score < 6.0 <= outside.score


def make_band(make: MakeDetector, now: float, *, threshold: float) -> Band:
    detector = make()
    fed(detector, ordinary(5 * DAY))
    return detector.update(None, now, threshold=threshold)


@pytest.mark.parametrize("scale, shift", [(4.0, 0.0), (0.25, 0.0), (1.0, 512.0), (2.0, -64.0)])
def test_scores_do_not_depend_on_the_unit(make: MakeDetector, scale: float, shift: float) -> None:
    values = [*ordinary(4 * DAY), 100.0, None, *ordinary(DAY)]
    moved = [None if value is None else scale * value + shift for value in values]
    first = fed(make(), values, threshold=5.0)
    for one, other in zip(first, fed(make(), moved, threshold=5.0), strict=True):
        if one.score is None or one.center is None:
            assert other.score is None
        else:
            assert other.score == pytest.approx(one.score, rel=1e-6, abs=1e-6)
            assert other.lower == pytest.approx(scale * one.lower + shift, rel=1e-6, abs=1e-6)
            assert other.upper == pytest.approx(scale * one.upper + shift, rel=1e-6, abs=1e-6)


def test_the_same_values_give_the_same_bands(make: MakeDetector) -> None:
    values = ordinary(2 * DAY)
    assert fed(make(), values, threshold=4.0) == fed(make(), values, threshold=4.0)


def test_a_short_history_and_a_long_step_are_taken(make: MakeDetector) -> None:
    del make
    for name in DETECTORS:
        detector = DETECTORS[name](Grid(step_seconds=3600.0, history_points=30))
        assert len(fed(detector, ordinary(500), threshold=3.0)) == 500
