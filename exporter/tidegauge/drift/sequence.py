"""A model's requests in order of time against its reference: alarms at a stated rate.

No clock, no network, no logging: same arguments, same answer.

1. Requests are counted in groups per channel (groups.py), vectors whitened (whitening.py), and
   averaged with exponential weights at up to three scales of time (pace.py, bank.py).
2. Each mean's distance from the reference's is measured by how such means wandered in the
   reference's period (wander.py) and vary by chance, as one number per channel and scale whose
   usual value is 1 (deviation.py, excess.py).
3. The period itself is replayed, each third by the other two (replay.py). A channel's evidence is
   the greatest over scales of that number by what it alone reaches about as often as the budget
   says; a side's is the greatest of its channels'.
4. The threshold is the level that a side's evidence reaches as often as the budget says, counted
   over the period and all that came after it (levels.py). An alarm is not to hide the next: where
   the budget has ten alarms in the counted time, it counts no higher than 1.25 times the threshold.
   Where it has less, nothing counts that reaches the threshold, nor what led up to it, but for each
   alarm that the budget did not have yet, two at most, the threshold is raised by half. What lies
   between the two thresholds does not count either: raised by incidents that it hides, a threshold
   would rise for ever.

An alarm begins when the evidence reaches the threshold and ends when it was below for some steps;
meanwhile the threshold stays. A mean remembers no more than what makes twice the threshold, so that
a shift that was great is over in about the slowest scale's time once requests are as before. Means
stay without requests. What is expected of the traffic (how means wander, and their mean) comes from
the reference alone and never moves.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tidegauge.drift.block import Block
from tidegauge.drift.cells import SIDES, Side
from tidegauge.drift.excess import usual
from tidegauge.drift.moving import Means, Watching
from tidegauge.drift.pace import pace_of, scales_of
from tidegauge.drift.reference import Reference
from tidegauge.drift.replay import Replay, steps_of
from tidegauge.drift.usual import joints
from tidegauge.thresholds.levels import LEVELS, TAIL_LEVELS, Levels, places_of, threshold

Numbers = NDArray[np.float64]
Direction = Literal["higher", "lower", "other"]
State = dict[str, dict[str, list[float]]]

TOP_RATIO = 0.8
"""Of its threshold, that a side or a channel must reach before it is said what moved most."""
MOST_COUNTED = 1.25
"""Times the threshold: what is above counts as this."""

RAISED = 1.5
"""What a threshold is raised by for each alarm that the budget did not have yet."""
MOST_RAISES = 2.0
"""For so many alarms at most. Without a limit, of eight swaps of 30 % for ten minutes, in a month's
budget and after two hours' reference, the fifth was no longer seen, and a lasting one ended."""
MOST_REMEMBERED = 2.0
"""Times a side's threshold: means further out than that are drawn back after each step."""

_EVERY = 6  # steps after which a channel's threshold is made anew
_LEAST_EXPECTED = 0.1
_CLEARLY = 3.0
_HOLD_PART = 20.0
_HOLD_SECONDS = 300.0
_MAX_HOLD = 30
_HOLD_OF_SCALE = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """`ratio` is value by threshold; `alarm` lasts for some steps after it has fallen below 1."""

    value: float
    threshold: float
    ratio: float
    alarm: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of a side.

    Attributes:
        budget_seconds: mean time between false alarms that its threshold is made for.
        alarms: what the reference's period would have had at the threshold of the start.
        seconds, blocks: the period's length, without what long gaps have too much, and its steps.
    """

    budget_seconds: float
    alarms: int
    seconds: float
    blocks: int


@dataclass(frozen=True, slots=True)
class Top:
    """What moved most; "other" is a change of shape, of classes, or of a vector's direction."""

    channel: str
    direction: Direction


class Sequence:
    """Starts from the reference; `budget_seconds` is the mean time between false alarms of a side.

    Memory: about 1.3 MB with both vectors, of which each kind takes 0.5 MB.
    """

    def __init__(self, reference: Reference, *, tick_seconds: float, budget_seconds: float) -> None:
        self._tick_seconds, self._budget_seconds = tick_seconds, budget_seconds
        self._watching = Watching(reference.sketch)
        blocks = list(reference.sketch.blocks())
        self._pace = pace_of(reference, [start for start, _ in blocks], tick_seconds=tick_seconds)
        scales = scales_of(self._pace, budget_seconds=budget_seconds)
        steps = list(steps_of(self._pace, blocks, reference.sketch.block_seconds))
        replay = Replay(self._watching, self._pace, scales, steps)
        self._key = f"{reference.digest}/{tick_seconds:g}/{budget_seconds:g}"
        self._usual = replay.usual()
        self._hold = _hold(replay, scales, budget_seconds=budget_seconds)
        self._members = _members(self._watching)
        self._names = (*self._watching.names, *self._members)
        excesses = replay.excesses()
        self._common = _common(
            replay, excesses, scales, hold=self._hold, budget_seconds=budget_seconds
        )
        self._start = replay.alarms(self._rows(excesses), hold=self._hold)
        self._start_seconds = replay.seconds
        self._levels = Levels(self._start.copy(), seconds=replay.seconds, hold=self._hold)
        self._onsets = np.zeros(len(self._names), np.int64)
        self._earlier = np.zeros(len(self._names))
        self._plain: Numbers = np.zeros(len(self._names))
        self._thresholds: Numbers = np.zeros(len(self._names))
        self._renew(range(len(self._names)))
        self.calibrations: Mapping[Side, Calibration] = {
            side: Calibration(
                budget_seconds, self._alarms_at_start(place), replay.seconds, replay.steps
            )
            for side, place in self._side_places()
        }
        self._moving = replay.moving()
        self._means: Means | None = None
        self._values: Numbers = np.zeros(len(self._names))
        self._excesses: Numbers = np.zeros((len(scales), len(self._common[0])))
        self._on = np.zeros(len(self._names), np.bool_)
        self._suspect = np.zeros(len(self._names), np.bool_)
        self._below = np.zeros(len(self._names), np.int64)
        self._waiting, self._waited = Block(), 0.0
        self._last: float | None = None
        self._steps = 0

    def tick(self, block: Block, *, now: float) -> None:
        """What came since the last tick, perhaps nothing. `now`: seconds of a clock that rises."""
        passed = self._tick_seconds if self._last is None else now - self._last
        self._last = now
        self._waited += min(max(passed, 0.0), self._pace.longest_seconds)
        self._waiting.join(block)
        if self._pace.over(self._waiting, waited=self._waited):
            self._step(self._waiting, waited=min(self._waited, self._pace.longest_seconds))
            self._waiting, self._waited = Block(), 0.0

    @property
    def sides(self) -> Mapping[Side, Evidence]:
        """Of all channels of a side together: these keep the budget."""
        return {side: self._evidence(place) for side, place in self._side_places()}

    @property
    def channels(self) -> Mapping[str, Evidence]:
        """Of each channel by itself, against a threshold of its own: they say what moved."""
        return {name: self._evidence(place) for place, name in enumerate(self._watching.names)}

    @property
    def alarms(self) -> Mapping[Side, int]:
        """How many began since the start."""
        return {side: int(self._onsets[place]) for side, place in self._side_places()}

    @property
    def alarms_ever(self) -> Mapping[Side, int]:
        """With those of others whose state was restored."""
        return {
            side: int(self._earlier[place] + self._onsets[place])
            for side, place in self._side_places()
        }

    @property
    def tops(self) -> Mapping[Side, Top]:
        """What moved most, where a side or a channel is above TOP_RATIO of its threshold."""
        ratios = self._values / self._thresholds
        found = dict[Side, Top]()
        for side, place in self._side_places():
            of_side = [n for n, other in enumerate(self._watching.sides) if other == side]
            top = max(of_side, key=lambda n: (float(ratios[n]), -n))
            if max(ratios[top], ratios[place]) >= TOP_RATIO:
                found[side] = Top(self._watching.names[top], self._direction(top))
        return found

    def state(self) -> State:
        """What was counted since the start: numbers for JSON, which `restore` understands."""
        counts = self._levels.counts - self._start
        seconds = self._levels.seconds - self._start_seconds
        alarms = (self._earlier + self._onsets).tolist()
        rows = {
            name: [seconds, onsets, *np.trim_zeros(row, "b").tolist()]
            for name, onsets, row in zip(self._names, alarms, counts, strict=True)
        }
        return {self._key: rows}

    def restore(self, state: State) -> None:
        """Take over what another one had counted; nothing if it had another reference or budget."""
        rows = state.get(self._key, {})
        for place, name in enumerate(self._names):
            if name in rows:
                seconds, onsets, *counts = rows[name][: 2 + len(LEVELS)]
                self._levels.seconds = self._start_seconds + seconds
                self._earlier[place] = onsets
                self._levels.counts[place] = self._start[place]
                self._levels.counts[place, : len(counts)] += counts
        self._renew(range(len(self._names)))

    def _step(self, block: Block, *, waited: float) -> None:
        counted = self._watching.counted(block)
        self._means = self._moving.add(counted, elapsed=self._pace.age(block, waited=waited))
        excesses = self._usual.excesses(self._means)
        self._excesses = excesses[:, :, 0]
        self._values = self._rows(excesses)[:, 0]
        self._forget()
        over = self._values >= self._thresholds
        begun = over & ~self._on
        self._onsets += begun
        self._below = np.where(over, 0, self._below + 1)
        self._on = over | (self._on & (self._below < self._hold))
        self._count(waited=waited)
        self._steps += 1
        sides = {place for _, place in self._side_places()}
        self._renew(
            place
            for place in range(len(self._names))
            if not self._on[place] and (place in sides or (place + self._steps) % _EVERY == 0)
        )

    def _count(self, *, waited: float) -> None:
        places = places_of(np.minimum(self._values, MOST_COUNTED * self._thresholds))
        out = np.zeros(len(places), np.bool_)
        if self._expected < TAIL_LEVELS:
            # A raised threshold hides incidents: to count those would raise it more and more.
            out = self._on | (self._values >= self._plain)
            self._levels.leave_out(out & ~self._suspect)
        self._suspect = out
        self._levels.add(places, out=out, seconds=waited)

    def _forget(self) -> None:
        evidence = self._excesses / self._common
        share = np.ones((len(evidence), len(self._watching.names)))
        for (_, place), members in zip(self._side_places(), self._members.values(), strict=True):
            most = MOST_REMEMBERED * self._thresholds[place]
            left = np.minimum(1.0, most / np.maximum(evidence[:, members], most))
            channels = [member for member in members if member < len(self._watching.names)]
            # What all have together, the last of the members, is drawn back by all of them.
            together = left[:, len(channels) :].min(axis=1, initial=1.0)
            share[:, channels] = np.minimum(left[:, : len(channels)], together[:, None])
        if (share < 1.0).any():
            usual = self._usual
            self._moving.draw(usual.groups.shares, usual.vectors.centre, share=share)

    def _rows(self, excesses: Numbers) -> Numbers:
        """(R, T) values of channels and then of sides, of (S, members, T) excesses."""
        each = (excesses / self._common[:, :, None]).max(axis=0)
        channels = each[: len(self._watching.names)]
        sides = [each[of].max(axis=0, keepdims=True) for of in self._members.values()]
        return np.concatenate([channels, *sides])

    def _renew(self, places: Iterable[int]) -> None:
        expected = self._expected
        for place in places:
            self._plain[place] = threshold(self._levels.counts[place], expected)
            self._thresholds[place] = self._plain[place] * self._raised(place)

    @property
    def _expected(self) -> float:
        """How many alarms the budget has in all the time that levels were counted in."""
        return self._levels.seconds / self._budget_seconds

    def _raised(self, place: int) -> float:
        """A factor for alarms beyond those that may have been incidents, while no counts tell."""
        if self._expected >= TAIL_LEVELS:
            return 1.0
        seconds = self._levels.seconds - self._start_seconds
        more = float(self._earlier[place] + self._onsets[place]) - seconds / self._budget_seconds
        return math.pow(RAISED, min(max(0.0, more), MOST_RAISES))

    def _alarms_at_start(self, place: int) -> int:
        reached = int(places_of(self._thresholds[place : place + 1])[0])
        return int(self._start[place, reached - 1])

    def _side_places(self) -> Iterator[tuple[Side, int]]:
        for n, side in enumerate(self._members):
            yield side, len(self._watching.names) + n

    def _evidence(self, place: int) -> Evidence:
        value, level = float(self._values[place]), float(self._thresholds[place])
        return Evidence(value, level, value / level, bool(self._on[place]))

    def _direction(self, channel: int) -> Direction:
        groups = self._watching.groups
        if self._means is None or channel >= len(groups.channels):
            return "other"
        if not groups.ranks[channel].any():
            return "other"
        scale = int((self._excesses / self._common)[:, channel].argmax())
        moved = self._means.groups[scale, channel, 0] - self._usual.groups.shares[channel]
        above = -np.cumsum(np.where(groups.exists[channel], moved, 0.0))
        more, less = float(max(above.max(), 0.0)), float(max(-above.min(), 0.0))
        if more >= _CLEARLY * less:
            return "higher"
        return "lower" if less >= _CLEARLY * more else "other"


def _members(watching: Watching) -> dict[Side, list[int]]:
    """Of each side that has any, the places among members; see usual.py."""
    found = dict[Side, list[int]]()
    together = list(joints(watching))
    for side in SIDES:
        places = [n for n, other in enumerate(watching.sides) if other == side]
        if side in together:
            places.append(len(watching.names) + together.index(side))
        if places:
            found[side] = places
    return found


def _hold(replay: Replay, scales: tuple[float, ...], *, budget_seconds: float) -> int:
    """For how many steps an alarm goes on after the evidence has fallen."""
    seconds = min(budget_seconds / _HOLD_PART, _HOLD_SECONDS, _HOLD_OF_SCALE * scales[-1])
    return min(max(round(seconds * replay.steps / replay.seconds), 1), _MAX_HOLD)


def _common(
    replay: Replay,
    excesses: Numbers,
    scales: tuple[float, ...],
    *,
    hold: int,
    budget_seconds: float,
) -> Numbers:
    """(S, members): what each reaches about as often as the budget says.

    At least as much as a normal variable would, looked at twice in each scale's time; less is
    known of a channel that is constant, or of a short period. The tail is not followed to less than
    a tenth of an alarm: what is beyond is left to the threshold.
    """
    count, members, _ = excesses.shape
    expected = max(replay.seconds / budget_seconds, _LEAST_EXPECTED)
    found = np.empty((count, members))
    for place, scale in enumerate(scales):
        looks = 2 * scale / budget_seconds
        least = usual(NormalDist().inv_cdf(1 - min(looks, 0.5)))
        for member, counts in enumerate(replay.alarms(excesses[place], hold=hold)):
            found[place, member] = max(threshold(counts, expected), least)
    return found
