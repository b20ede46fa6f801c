"""From scores to a threshold that meets a budget of alarms."""

import math
import random

import pytest

from tidegauge.thresholds.budget import Calibration, calibrate, episode_seconds
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


def test_the_threshold_lies_right_above_the_first_alarm_too_many() -> None:
    events = {500: 9.0, 2500: 8.0, 4500: 7.0, 6500: 6.0, 7500: 5.0, 7700: 4.0}
    calibration = calibrated(quiet(4, events))
    assert 5.0 < calibration.threshold <= 6.0
    assert calibration.fired == 4
    assert calibration.weeks == 4.0


def test_an_episode_costs_one_alarm_until_half_of_its_hold_is_over() -> None:
    events = dict.fromkeys(range(3000, 3050), 9.0) | {500: 8.0, 5500: 7.0, 6500: 6.0, 7500: 5.0}
    calibration = calibrated(quiet(4, events))
    assert calibration.fired == 4
    assert calibration.threshold > 5.0


def test_an_episode_that_never_ends_is_more_than_one_alarm() -> None:
    """A signal that is at its maximum every hour alarmed once for ever, and hid all else."""
    calibration = calibrated([float(at % 7) for at in range(4 * WEEK)], budget=7)
    assert calibration.threshold > 6.0


def test_scores_that_mean_the_same_for_all_signals_bound_what_a_short_past_says() -> None:
    rng = random.Random(2)
    scores: list[float | None] = [rng.expovariate(1) for _ in range(WEEK // 7)]
    alone = calibrated(scores).threshold
    told = usually(scores, at=6.0)
    silent = usually([0.0] * WEEK, at=8.0)
    assert alone > max(score for score in scores if score)
    assert told.threshold == 6.0
    assert silent.threshold == 6.0


def test_a_threshold_is_made_of_as_many_scores_as_are_asked_for() -> None:
    scores = quiet(1, {})[:50]
    known = [
        least
        for least in (10, 50, 51, 200)
        if calibrate(scores, alarms_per_week=1, step_seconds=STEP, min_points=least).threshold
        < math.inf
    ]
    assert known == [10, 50]


def test_incidents_of_the_past_do_not_silence_those_to_come() -> None:
    events = dict.fromkeys(range(500, 8000, 500), 20.0)
    assert calibrated(quiet(4, events)).threshold > 20.0
    calibration = usually(quiet(4, events), at=5.0)
    assert calibration.threshold == 5.0
    assert calibration.fired == 15


def test_what_the_past_alarms_beyond_its_budget_raises_a_usual_threshold() -> None:
    events = {at: 6.0 + at / 8000 for at in range(120, 8000, 120)}
    calibration = usually(quiet(4, events), at=5.0)
    assert calibration.threshold > 6.0
    assert 14 <= calibration.fired <= 16


def usually(scores: list[float | None], *, at: float) -> Calibration:
    return calibrate(scores, alarms_per_week=4, step_seconds=STEP, usual_threshold=at)


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
        hold = PeakHold(episode_seconds(STEP))
        for at, score in enumerate(scores[4 * WEEK :]):
            fired += hold.update(score, at * STEP) >= threshold
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
