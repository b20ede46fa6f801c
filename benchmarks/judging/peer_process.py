"""Run by the peers' own interpreter (`make bench-setup`), which does not have our code.

Reads a JSON object, {"peer": name, "files": [[value, …], …], "rows": rows of a round}, and prints
one: {"scores": [[…], …], "point_us": …, "version": …}. Rows are scored before they are learned.
`point_us` is CPU time of a row: the median over rounds, the first half of which is left out.
"""

import json
import math
import statistics
import sys
import time
from collections import deque
from collections.abc import Sequence
from importlib.metadata import version
from typing import Protocol

import libspot
from river import anomaly, preprocessing

MOST = 300.0  # -log10 of the least double
FIRST_SHARE, FIRST_ROWS = 0.15, 750  # what NAB lets a detector see before it counts


class Peer(Protocol):
    def update(self, value: float) -> float:
        """How unusual the value is, which is learned then."""


class HalfSpaceTrees:
    """river's, on values scaled to what was seen so far, as its documentation has it."""

    def __init__(self, first: Sequence[float]) -> None:
        del first
        self._scale = preprocessing.MinMaxScaler()
        self._trees = anomaly.HalfSpaceTrees(seed=42)

    def update(self, value: float) -> float:
        seen = {"value": value}
        self._scale.learn_one(seen)
        scaled = self._scale.transform_one(seen)
        score = self._trees.score_one(scaled)
        self._trees.learn_one(scaled)
        return score


class GaussianScorer:
    """river's: how far out in a normal distribution, rolling over 1,000 values."""

    def __init__(self, first: Sequence[float]) -> None:
        del first
        self._scorer = anomaly.GaussianScorer(window_size=1000, grace_period=100)

    def update(self, value: float) -> float:
        score = self._scorer.score_one(None, value)
        self._scorer.learn_one(None, value)
        return -math.log10(max(1 - score, 10**-MOST)) if score > 0 else 0.0


class Spot:
    """libspot's, for each side, fitted to the first values; -log10 of the tail's probability."""

    depth = 0

    def __init__(self, first: Sequence[float]) -> None:
        self._last = deque(maxlen=self.depth or None)
        away = [value - self._center(value) for value in first]
        self._sides = [(1, libspot.Spot(q=1e-4)), (-1, libspot.Spot(q=1e-4))]
        self._left = len(first)
        for sign, spot in list(self._sides):
            try:
                spot.fit([sign * value for value in away])
            except (RuntimeError, ValueError, ArithmeticError):  # values without a tail
                self._sides.remove((sign, spot))

    def update(self, value: float) -> float:
        away = value - self._center(value)
        if self._left:
            self._left -= 1
            return 0.0
        return max((self._side(spot, sign * away) for sign, spot in self._sides), default=0.0)

    def _side(self, spot: libspot.Spot, away: float) -> float:
        beyond = away > spot.excess_threshold
        chance = spot.probability(away) if beyond else 1.0
        spot.step(away)
        return -math.log10(chance) if chance > 10**-MOST else MOST

    def _center(self, value: float) -> float:
        if not self.depth:
            return 0.0
        center = sum(self._last) / len(self._last) if self._last else value
        self._last.append(value)
        return center


class DriftSpot(Spot):
    """With the mean of the last values taken off, as the paper has it for series that drift."""

    depth = 20


PEERS = {
    "river HalfSpaceTrees": HalfSpaceTrees,
    "river GaussianScorer": GaussianScorer,
    "libspot SPOT": Spot,
    "libspot DSPOT": DriftSpot,
}


def main() -> None:
    """Judge what stdin holds."""
    asked = json.load(sys.stdin)
    scores, times = [], []
    for values in asked["files"]:
        peer = PEERS[asked["peer"]](values[: min(FIRST_ROWS, int(FIRST_SHARE * len(values)))])
        said: list[float] = []
        for begin in range(0, len(values), asked["rows"]):
            rows = values[begin : begin + asked["rows"]]
            began = time.thread_time()
            said += [peer.update(value) for value in rows]
            times.append((time.thread_time() - began) / len(rows))
        scores.append([score if math.isfinite(score) else 0.0 for score in said])
    answer = {
        "scores": scores,
        "point_us": 1e6 * statistics.median(times[len(times) // 2 :]),
        "version": version(asked["peer"].split()[0]),
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
