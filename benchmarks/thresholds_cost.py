"""What does a judged point cost, and how many signals does one core follow?

CPU time of this thread, medians of several rounds whose order turns, warm-up left out; the series
are made here, and last for 10,000 points of history and more:

- `point_us`: a detector's update at 10,000 points of history, edges of the band included, mean over
  the points of a round, so that refits that come now and then are in it. For each detector and
  kind of series; the goal is the default detector's worst kind.
- `bare_us`: the same without edges, as for points of the past.
- river and libspot, a score for each point of the same series, in the same run, if
  `make bench-setup` was run.
- `tracker`: a signal's whole path for a point on its grid, the day's refresh spread over its
  points: 10,000 points of history a minute apart, refreshed daily. Signals per minute is how many
  one core follows when each has a point a minute.

libspot is SPOT by its authors, in C, with Python over it; river's half-space trees are the usual
streaming detector of Python. Their scores come without edges: `ratio` is over ours without.

    .venv/bin/python benchmarks/thresholds_cost.py [--detector NAME]
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.judging import peers  # noqa: E402 - not installed
from tidegauge.thresholds.grid import Grid  # noqa: E402
from tidegauge.thresholds.registry import DEFAULT_DETECTOR, DETECTORS, MakeDetector  # noqa: E402
from tidegauge.thresholds.tracker import Tracker, TrackerSettings  # noqa: E402

POINT_US_GOAL = 20
SIGNALS_GOAL = 10_000
HISTORY = 10_000
POINTS = 2_000  # of a round
ROUNDS = 5
STEP_SECONDS = 60.0
DAY_SECONDS = 86400.0
BEGIN = 1_800_000_000.0
BUDGET = 4.0
THRESHOLD = 5.0  # for edges; what it is does not change what they cost

Key = tuple[str, bool]
Lines = Iterator[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds a point: with the edges of a band, and without."""

    point_us: float
    bare_us: float

    def line(self) -> dict[str, float]:
        return {"point_us": round(self.point_us, 2), "bare_us": round(self.bare_us, 2)}


Costs = Mapping[str, Cost]  # of each detector


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--detector", choices=list(DETECTORS), default=DEFAULT_DETECTOR)
    chosen: str = parser.parse_args().detector
    kinds = series(HISTORY + (ROUNDS + 1) * POINTS)
    costs = {}
    for kind, values in kinds.items():
        costs[kind] = _costs(values)
        for name, cost in costs[kind].items():
            print(json.dumps({"case": f"{name}, {kind}", **cost.line()}), flush=True)
    for line in _peers(kinds, costs, chosen):
        print(json.dumps(line), flush=True)
    signals = {}
    for kind, values in kinds.items():
        signals[kind] = round(_signals_per_minute(chosen, values))
        line = {"case": f"tracker, {kind}", "signals_per_minute": signals[kind]}
        print(json.dumps(line), flush=True)
    point_us = round(max(each[chosen].point_us for each in costs.values()), 2)
    goals = {
        "point_us": {"value": point_us, "goal": POINT_US_GOAL, "better": "lower"},
        "signals_per_minute": {
            "value": min(signals.values()),
            "goal": SIGNALS_GOAL,
            "better": "higher",
        },
    }
    print(json.dumps({"benchmark": "thresholds_cost", "goals": goals}))
    return 0


def series(points: int) -> Mapping[str, Sequence[float]]:
    """The same at every run: noise, a day's season, a level that wanders, counts, a constant."""
    rng = np.random.default_rng(7)
    noise = rng.normal(size=points)
    day = np.sin(np.arange(points) * STEP_SECONDS / DAY_SECONDS * 2 * np.pi)
    return {
        "noise": noise.tolist(),
        "a day's season": (3 * day + 0.3 * noise).tolist(),
        "a level that wanders": np.cumsum(noise).tolist(),
        "counts": rng.poisson(3, points).astype(float).tolist(),
        "a constant": [1.0] * points,
    }


class Fed:
    """A detector, and the points that it has yet to be given."""

    def __init__(self, make: MakeDetector, values: Sequence[float], threshold: float) -> None:
        self._detector = make(Grid(STEP_SECONDS, HISTORY))
        self._threshold = threshold
        self._points = iter([(value, BEGIN + STEP_SECONDS * n) for n, value in enumerate(values)])
        self.run(HISTORY)

    def run(self, points: int) -> None:
        update, threshold = self._detector.update, self._threshold
        for value, now in islice(self._points, points):
            update(value, now, threshold=threshold)


def _costs(values: Sequence[float]) -> Costs:
    """Of each detector, with edges and without."""
    runs = {
        (name, edges): Fed(make, values, THRESHOLD if edges else math.inf)
        for name, make in DETECTORS.items()
        for edges in (True, False)
    }
    times = _alternated({key: partial(fed.run, POINTS) for key, fed in runs.items()})
    return {
        name: Cost(1e6 * times[name, True] / POINTS, 1e6 * times[name, False] / POINTS)
        for name in DETECTORS
    }


def _alternated(runs: Mapping[Key, Callable[[], None]]) -> dict[Key, float]:
    """Median CPU seconds of each; the order turns round in every round, the first is warm-up."""
    times: dict[Key, list[float]] = {key: [] for key in runs}
    for turn in range(ROUNDS + 1):
        for key in sorted(runs, reverse=turn % 2 == 1):
            began = time.thread_time()
            runs[key]()
            if turn:
                times[key].append(time.thread_time() - began)
    return {key: statistics.median(each) for key, each in times.items()}


def _peers(kinds: Mapping[str, Sequence[float]], costs: Mapping[str, Costs], chosen: str) -> Lines:
    if not peers.there():
        print(peers.ABSENT, file=sys.stderr)
        return
    for peer in peers.NAMES:
        for kind, values in kinds.items():
            answer = peers.ask(peer, [values], rows=POINTS)
            yield {
                "case": f"{peer} {answer.version}, {kind}",
                "point_us": round(answer.point_us, 2),
                "ratio": round(answer.point_us / costs[kind][chosen].bare_us, 2),
            }


def _signals_per_minute(detector: str, values: Sequence[float]) -> float:
    """Over a day of points a minute apart, one of which is the refresh."""
    settings = TrackerSettings(
        detector=detector,
        step_seconds=STEP_SECONDS,
        history_seconds=HISTORY * STEP_SECONDS,
        refresh_seconds=DAY_SECONDS,
        alarms_per_week=BUDGET,
    )
    tracker = Tracker(settings, name="signal")
    points = [(BEGIN + STEP_SECONDS * n, value) for n, value in enumerate(values)]
    day = round(DAY_SECONDS / STEP_SECONDS)
    tracker.rebuild(points[:HISTORY], until=points[HISTORY - 1][0])
    began = time.thread_time()
    for at, value in points[HISTORY : HISTORY + day]:
        tracker.take(at, value)
    return 60 * day / (time.thread_time() - began)


if __name__ == "__main__":
    sys.exit(main())
