"""What the default detector makes of incidents, gaps between levels, and days."""

import math
import random

from tidegauge.thresholds.band import Band
from tidegauge.thresholds.fatigue import Fatigue
from tidegauge.thresholds.grid import Grid
from tidegauge.thresholds.novelty import USUAL_THRESHOLD, Novelty
from tidegauge.thresholds.time_of_day import TimeOfDay

STEP = 300.0
DAY = 288


def judged(values: list[float]) -> list[Band]:
    detector = Novelty(Grid(step_seconds=STEP, history_points=4000))
    return [
        detector.update(value, n * STEP, threshold=USUAL_THRESHOLD)
        for n, value in enumerate(values)
    ]


def noise(points: int, *, seed: int = 1, level: float = 0.0) -> list[float]:
    rng = random.Random(seed)
    return [level + rng.gauss(0, 1) for _ in range(points)]


def over(band: Band) -> bool:
    return band.score is not None and band.score >= USUAL_THRESHOLD


def test_the_score_stays_high_while_an_incident_lasts() -> None:
    incident = judged([*noise(1000), *noise(40, seed=2, level=100.0)])[1000:]
    assert all(map(over, incident))


def test_after_six_hours_an_incident_is_a_level_that_is_known() -> None:
    bands = judged([*noise(1000), *noise(400, seed=2, level=100.0)])[1000:]
    assert all(map(over, bands[:72]))
    assert not any(map(over, bands[-200:]))


def test_what_was_seen_once_and_ended_is_no_novelty_the_second_time() -> None:
    spike = [100.0] * 5
    bands = judged([*noise(1000), *spike, *noise(500, seed=2), *spike])
    assert all(map(over, bands[1000:1005]))
    assert not any(map(over, bands[-5:]))


def test_a_value_between_two_levels_draws_the_edge_in_to_the_level_on_its_inner_side() -> None:
    rng = random.Random(3)
    values = [rng.choice((0.0, 0.0, 100.0)) + rng.gauss(0, 1) for _ in range(2000)]
    last = judged([*values, 50.0])[-1]
    assert over(last)
    assert last.lower < 0 < last.upper < 10


def test_where_days_are_alike_the_band_follows_the_day() -> None:
    wave = [30 * math.sin(2 * math.pi * n / DAY) for n in range(6 * DAY)]
    values = [level + noise for level, noise in zip(wave, noise(6 * DAY), strict=True)]
    bands = judged(values)[5 * DAY :]
    peak, trough = bands[DAY // 4], bands[3 * DAY // 4]
    assert trough.upper < 0 < peak.lower
    assert trough.center is not None
    assert trough.center < -25


def test_days_are_not_alike_where_yesterday_says_nothing() -> None:
    days = TimeOfDay(4000)
    for n, value in enumerate(noise(6 * DAY)):
        days.push(value, n * STEP)
    assert not days.alike(6 * DAY * STEP)


def test_a_signal_that_was_odd_before_has_to_be_odder_and_its_band_says_so() -> None:
    fatigue = Fatigue(history_points=1000, hold_seconds=100.0)
    for now in range(0, 2000, 200):
        fatigue.take(9.0, float(now))
    assert 1.39 < fatigue.divisor < 1.4
    calm, restless = [*noise(1500), 6.0], noise(1500)
    restless[500:1500:200] = [-5.0, -7.0, -10.0, -15.0, -25.0]
    first, second = judged(calm)[-1], judged([*restless, 6.0])[-1]
    assert first.score is not None
    assert second.score is not None
    assert second.score < first.score / 1.1
    assert second.upper > first.upper


def test_one_event_is_counted_once_and_small_ones_are_not() -> None:
    fatigue = Fatigue(history_points=1000, hold_seconds=100.0)
    for now in range(40):
        fatigue.take(9.0, float(now))
    assert 1.03 < fatigue.divisor < 1.04
    small = Fatigue(history_points=1000, hold_seconds=100.0)
    for now in range(0, 2000, 200):
        small.take(4.5, float(now))
    assert small.divisor == 1.0


def test_a_gap_that_a_slow_signal_has_left_is_no_novelty() -> None:
    """A mean over six hours marked each value that it had passed over."""
    there = [float(level) for level in range(500)]
    waves = [*there, *reversed(there)] * 5
    bands = judged([*waves, 0.0, 1.0, 2.0, 2.5])
    assert bands[-1].score is not None
    assert bands[-1].score < 2.5
