"""A signal followed on its grid, through restarts, gaps and clocks that were set."""

import math
import random
from dataclasses import replace

import pytest

from tidegauge.thresholds.registry import DETECTORS
from tidegauge.thresholds.tracker import Direction, Tracker, TrackerSettings

HOUR = 3600.0
SETTINGS = TrackerSettings(
    detector="quantile",
    step_seconds=300.0,
    history_seconds=4 * 86400.0,
    refresh_seconds=86400.0,
    alarms_per_week=1.0,
)
START = 300 * 5_700_000
POINTS = 6 * 288


def values(points: int = POINTS, *, seed: int = 1) -> list[tuple[float, float]]:
    rng = random.Random(seed)
    return [
        (START + 300.0 * n, 50 + 10 * math.sin(2 * math.pi * n / 288) + rng.gauss(0, 2))
        for n in range(points)
    ]


def followed(settings: TrackerSettings = SETTINGS, *, points: int = POINTS) -> Tracker:
    tracker = Tracker(settings, name="queue")
    for at, value in values(points):
        tracker.take(at, value)
    return tracker


def test_nothing_is_said_before_the_first_refresh_has_seen_enough() -> None:
    tracker = Tracker(SETTINGS, name="queue")
    judged = tracker.take(START, 5.0)
    assert judged.score is None
    assert (judged.lower, judged.upper) == (-math.inf, math.inf)
    assert not judged.alarm


def test_a_value_far_out_is_an_alarm_once() -> None:
    tracker = followed()
    alarms = tracker.alarms
    at = START + 300.0 * POINTS
    judged = [tracker.take(at + 300.0 * n, 500.0) for n in range(3)]
    assert [point.alarm for point in judged] == [True, False, False]
    assert judged[0].score is not None
    assert judged[0].score > 1
    assert judged[0].upper < 500
    assert tracker.alarms == alarms + 1
    assert tracker.latest == judged[-1]


def test_a_missing_point_has_edges_and_no_score() -> None:
    judged = followed().take(START + 300.0 * POINTS, None)
    assert judged.value is None
    assert judged.score is None
    assert -math.inf < judged.lower < judged.upper < math.inf


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_missing_point(value: float) -> None:
    assert followed().take(START + 300.0 * POINTS, value).value is None


@pytest.mark.parametrize("direction, far, alarm", [
    ("above", 500.0, True),
    ("above", -500.0, False),
    ("below", 500.0, False),
    ("below", -500.0, True),
    ("both", 500.0, True),
    ("both", -500.0, True),
])  # fmt: skip
def test_only_the_watched_side_alarms(direction: Direction, far: float, *, alarm: bool) -> None:
    tracker = followed(replace(SETTINGS, direction=direction))
    judged = tracker.take(START + 300.0 * POINTS, far)
    assert judged.alarm == alarm
    assert (judged.lower == -math.inf) == (direction == "above")
    assert (judged.upper == math.inf) == (direction == "below")


def test_a_point_that_is_not_after_the_last_changes_nothing() -> None:
    tracker, twin = followed(), followed()
    latest = tracker.latest
    assert tracker.take(START + 300.0 * 5, 1e9) is latest
    assert tracker.take(START + 300.0 * (POINTS - 1), 1e9) is latest
    at = START + 300.0 * POINTS
    assert tracker.take(at, 51.0) == twin.take(at, 51.0)


def test_points_that_were_left_out_are_missing_points() -> None:
    tracker, twin = followed(points=POINTS - 40), followed(points=POINTS - 40)
    for at, _ in values()[POINTS - 40 :]:
        twin.take(at, None)
    at = START + 300.0 * POINTS
    assert tracker.take(at, 60.0) == twin.take(at, 60.0)


def test_after_a_gap_longer_than_all_history_it_starts_anew() -> None:
    tracker = followed()
    judged = tracker.take(START + 300.0 * POINTS + 365 * 86400, 50.0)
    assert judged.score is None


def test_history_is_needed_from_one_history_before_the_refresh() -> None:
    tracker = Tracker(SETTINGS, name="queue")
    now = START + 300.0 * 1000
    since = tracker.needed_since(now)
    assert since % 300 == 0
    assert 4 * 86400 <= now - since < 5 * 86400
    assert Tracker(SETTINGS, name="other").needed_since(now) != since


@pytest.mark.parametrize("detector", DETECTORS)
def test_a_rebuilt_tracker_goes_on_as_if_it_had_never_stopped(detector: str) -> None:
    settings = replace(SETTINGS, detector=detector)
    points = values()
    cut = POINTS - 100
    stayed = followed(settings)
    until = points[cut - 1][0]
    rebuilt = Tracker(settings, name="queue")
    since = rebuilt.needed_since(until)
    rebuilt.rebuild([point for point in points[:cut] if point[0] >= since], until=until)
    assert rebuilt.calibration is not None
    for at, value in points[cut:]:
        judged = rebuilt.take(at, value)
    assert judged == stayed.latest
    assert rebuilt.calibration == stayed.calibration


def test_points_older_than_needed_or_later_than_asked_are_left_out() -> None:
    points = values()
    until = points[-100][0]
    one, other = (Tracker(SETTINGS, name="queue") for _ in range(2))
    since = one.needed_since(until)
    one.rebuild(points, until=until)
    other.rebuild([point for point in points if since <= point[0] <= until], until=until)
    assert one.latest == other.latest
    assert one.latest is not None
    assert one.latest.at == until


def test_alarms_of_the_past_are_not_counted_again() -> None:
    points = [*values(), (START + 300.0 * POINTS, 900.0)]
    tracker = Tracker(SETTINGS, name="queue")
    tracker.rebuild(points, until=points[-1][0])
    assert tracker.latest is not None
    assert tracker.latest.alarm
    assert tracker.alarms == 0


def test_an_episode_goes_on_over_a_restart() -> None:
    points = [*values(), (START + 300.0 * POINTS, 900.0)]
    tracker = Tracker(SETTINGS, name="queue")
    tracker.rebuild(points, until=points[-1][0])
    judged = tracker.take(START + 300.0 * (POINTS + 1), 900.0)
    assert judged.score is not None
    assert judged.score > 1
    assert not judged.alarm


def test_a_maximum_that_is_often_reached_hides_nothing() -> None:
    """Its score of exactly 1 came back each half hour, and so every alarm was part of it."""
    tracker = Tracker(replace(SETTINGS, alarms_per_week=7.0), name="queue")
    for n in range(POINTS):
        tracker.take(START + 300.0 * n, float(n % 7))
    assert tracker.take(START + 300.0 * POINTS, 1000.0).alarm


def test_an_anomaly_after_smaller_scores_that_were_none_is_an_alarm() -> None:
    """Scores below the threshold held back the alarm that came after them."""
    tracker = followed()
    at = START + 300.0 * POINTS
    calm = tracker.take(at, 51.0)
    almost = tracker.take(at + 300.0, 51.0 + 0.9 * (calm.upper - 51.0))
    assert almost.score is not None
    assert almost.score < 1
    assert tracker.take(at + 600.0, 51.0 + 1.1 * (calm.upper - 51.0)).alarm
