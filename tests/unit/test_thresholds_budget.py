"""From scores to a threshold that meets a budget of alarms."""

import math
import random

import pytest

from tidegauge.thresholds.budget import Calibration, alarms, calibrate, episode_seconds
from tidegauge.thresholds.peak_hold import PeakHold

STEP = 300.0
WEEK = 2016


def quiet(weeks: float, events: dict[int, float]) -> list[float | None]:
    scores: list[float | None] = [0.5] * round(weeks * WEEK)
    for at, score in events.items():
        scores[at] = score
    return scores


def calibrated(scores: list[float | None], budget: float = 1.0) -> Calibration:
    return calibrate(scores, alarms_per_week=budget, step_seconds=STEP)


def test_an_episode_is_as_long_as_an_hour_or_twelve_points() -> None:
    assert episode_seconds(60.0) == 3600.0
    assert episode_seconds(1800.0) == 21600.0


@pytest.mark.parametrize(
    "over, episodes",
    [
        ([5], 1),
        ([5, 6, 7], 1),
        ([5, 17, 29], 1),  # each within twelve points of the one before
        ([5, 18], 2),
        ([0, 20, 21, 40], 3),
    ],
)
def test_what_is_close_is_one_episode(over: list[int], episodes: int) -> None:
    scores = [9.0 if n in over else 0.0 for n in range(50)]
    begun = alarms(scores, 9.0, apart=12)
    assert len(begun) == episodes
    assert begun[0] == over[0]


def test_the_threshold_lies_right_above_the_first_alarm_too_many() -> None:
    events = {500: 9.0, 2500: 8.0, 4500: 7.0, 6500: 6.0, 7500: 5.0, 7700: 4.0}
    calibration = calibrated(quiet(4, events))
    assert 5.0 < calibration.threshold <= 6.0
    assert calibration.fired == 4
    assert calibration.weeks == 4.0


def test_a_long_episode_costs_one_alarm() -> None:
    events = dict.fromkeys(range(3000, 3200), 9.0) | {500: 8.0, 5500: 7.0, 6500: 6.0, 7500: 5.0}
    assert calibrated(quiet(4, events)).fired == 4


def test_equal_scores_are_all_above_the_threshold_or_none() -> None:
    events = dict.fromkeys(range(100, 8000, 400), 9.0)
    calibration = calibrated(quiet(4, events))
    assert calibration.threshold > 9.0
    assert calibration.fired == 0


def test_a_signal_that_never_moved_has_a_threshold_above_zero() -> None:
    calibration = calibrated([0.0] * WEEK)
    assert calibration.fired == 0
    assert 0 < calibration.threshold < math.inf


@pytest.mark.parametrize("scores", [[], [None] * WEEK, [1.0, 2.0] * 20])
def test_too_little_is_no_threshold(scores: list[float | None]) -> None:
    calibration = calibrated(scores)
    assert calibration.threshold == math.inf
    assert calibration.fired == 0


def test_a_short_past_sets_the_threshold_far_above_all_that_it_has_seen() -> None:
    rng = random.Random(2)
    scores: list[float | None] = [rng.expovariate(1) for _ in range(4 * WEEK)]
    highest = [max(score for score in scores[:n] if score) for n in (WEEK // 7, 4 * WEEK)]
    day = calibrated(scores[: WEEK // 7])
    month = calibrated(scores)
    assert day.fired == 0
    assert day.threshold > 1.5 * highest[0]
    assert month.fired > 0
    assert month.threshold < highest[1]


def test_a_budget_is_kept_in_the_weeks_to_come() -> None:
    """Independent scores with a heavy tail; 1 a week, over 20 signals and 8 weeks of each."""
    fired = 0
    for seed in range(20):
        rng = random.Random(seed)
        scores: list[float | None] = [rng.paretovariate(2) for _ in range(12 * WEEK)]
        threshold = calibrated(scores[: 4 * WEEK]).threshold
        fired += len(alarms(scores[4 * WEEK :], threshold, apart=12))
    assert fired <= 1.25 * 20 * 8


def test_points_without_a_score_are_not_time_that_was_watched() -> None:
    scores: list[float | None] = [1.0] * WEEK
    assert calibrated([None] * WEEK + scores).weeks == 1.0


def test_a_larger_budget_never_raises_the_threshold() -> None:
    rng = random.Random(1)
    scores: list[float | None] = [rng.expovariate(1) for _ in range(4 * WEEK)]
    thresholds = [calibrated(scores, budget).threshold for budget in (0.1, 0.5, 1, 2, 7, 50)]
    assert thresholds == sorted(thresholds, reverse=True)


def test_a_score_passes_again_when_it_is_far_higher_or_much_later() -> None:
    hold = PeakHold(10.0)
    told = [hold.update(score, now) for now, score in enumerate([1.0, 1.5, None, 3.0, 3.0])]
    assert told == [1.0, 0.0, 0.0, 3.0, 0.0]
    assert hold.update(3.0, 8.0) == 0.0
    assert hold.update(3.0, 8.5) == 3.0
    assert hold.update(0.0, 100.0) == 0.0
