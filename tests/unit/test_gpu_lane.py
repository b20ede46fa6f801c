"""One device's lane: what is asked when, what is said of it, and what a failure costs."""

from collections.abc import Callable

import pytest

from tidegauge.catalog import Metric, gpu_meters
from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.lane import Lane, Pace
from tidegauge.sources.gpu.nvml import (
    DeviceLostError,
    DriverGoneError,
    ForbiddenError,
    NvmlError,
    UnsupportedError,
)
from tidegauge.sources.gpu.settings import Settings

GPU = ("0", "GPU-a")
TICK = 0.001  # what a call takes


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeDevice:
    """Answers each tier with one sample; `trouble` is raised instead, where it is set."""

    def __init__(self, clock: Clock, on_call: Callable[[str, float, int], None]) -> None:
        self.index, self.labels, self.asking = 0, GPU, "call"
        self.mig, self.takes, self.busy = "off", TICK, 0.5
        self.trouble: dict[str, Exception] = {}
        self.asked: list[tuple[str, float]] = []
        self.samples_us: list[tuple[int, float]] = []
        self._clock, self._on_call = clock, on_call

    def read(self, tier: str) -> tuple[Sample, ...]:
        self.asked.append((tier, self._clock.now))
        self._clock.now += self.takes
        self._on_call("call", self.takes, 0)
        if tier in self.trouble:
            raise self.trouble[tier]
        if tier == "fast":
            return (self._info(), Sample(catalog.UTILIZATION, self.busy, self.labels))
        return (self._info(), Sample(catalog.POWER_LIMIT, 700.0, GPU))

    def ring(self, kind: str, since_us: int) -> tuple[tuple[int, float], ...]:
        self.asked.append((f"ring {kind}", self._clock.now))
        return tuple(s for s in self.samples_us if kind == "power" and s[0] > since_us)

    def _info(self) -> Sample:
        names = catalog.INFO.labels[2:]
        words = [self.mig if name == "mig" else "" for name in names]
        return Sample(catalog.INFO, 1.0, (*GPU, *words))


class World:
    """A lane that is read beat by beat, by a clock of its own."""

    def __init__(self, settings: Settings | None = None, *, stagger: float = 0.0) -> None:
        self.clock = Clock()
        settings = settings or Settings(ring=False)
        self.pace = Pace(settings.intervals())
        made: list[FakeDevice] = []

        def make(on_call: Callable[[str, float, int], None]) -> FakeDevice:
            made.append(FakeDevice(self.clock, on_call))
            return made[0]

        self.lane = Lane(
            make, settings, self.pace, stagger=stagger, clock=self.clock, wall=self.clock
        )
        self.device = made[0]

    def until(self, moment: float) -> None:
        """Do what is due before `moment` seconds have passed."""
        while (beat := self.lane.next_beat()) and self.lane._due[beat] < 100 + moment:
            self.clock.now = max(self.clock.now, self.lane._due[beat])
            self.lane.read(beat)
        self.clock.now = max(self.clock.now, 100 + moment)

    def times(self, tier: str) -> list[float]:
        return [round(at - 100, 1) for name, at in self.device.asked if name == tier]


def of(samples, metric: Metric) -> list[float]:
    return [s.value for s in samples if s.metric is metric]


def test_each_tier_has_its_own_clock() -> None:
    world = World()
    world.until(12.5)
    assert world.times("fast") == list(range(13))
    assert world.times("medium") == [0, 5, 10]
    assert world.times("slow") == [0]


def test_ten_times_a_second_is_ten_times_a_second() -> None:
    world = World(Settings(fast_seconds=0.1))
    world.until(10.05)
    assert len(world.times("fast")) == 101, "no drift"
    assert world.times("ring power") == list(range(11))


def test_devices_are_asked_one_after_the_other() -> None:
    world = World(stagger=0.5)
    world.until(4)
    assert world.times("fast") == [0, 1.5, 2.5, 3.5]


def test_the_pace_that_the_budget_sets_is_kept_from_the_next_read_on() -> None:
    world = World()
    world.until(2.5)
    world.pace.intervals = {**world.pace.intervals, "fast": 3.0}
    world.until(12)
    assert world.times("fast") == [0, 1, 2, 3, 6, 9]


def test_what_a_tier_costs_is_known() -> None:
    world = World()
    assert world.lane.costs == {}
    world.until(31)
    assert world.lane.costs == {beat: pytest.approx(TICK) for beat in ("fast", "medium", "slow")}
    assert world.lane.calls.popleft() == ("call", TICK, 0)


def test_a_call_that_hung_once_does_not_make_a_tier_dear() -> None:
    world = World()
    world.until(10.5)
    world.device.takes = 30.0
    world.lane.read("fast")
    world.device.takes = TICK
    assert world.lane.costs["fast"] <= 3 * TICK
    world.until(60)
    assert world.lane.costs["fast"] == pytest.approx(TICK, rel=0.1)


def test_what_was_read_is_a_part_that_says_how_long_it_is_true() -> None:
    world = World()
    world.until(0.5)
    parts = world.lane.parts
    assert {name: part.good_for for name, part in parts.items()} == {
        "fast": 3 + 3,
        "medium": 15 + 3,
        "slow": 90 + 3,
    }
    identities = [s for part in parts.values() for s in part.samples if s.metric is catalog.INFO]
    assert len(identities) == 1, "once, whatever the tiers"


def test_busy_time_grows_with_each_read() -> None:
    world = World()
    world.until(10.5)
    assert of(world.lane.kept(), gpu_meters.BUSY) == [pytest.approx(5)]


@pytest.mark.parametrize(
    "tier,error,expected",
    [
        pytest.param("fast", NvmlError(999, "Unknown"), "failed", id="fast fails"),
        pytest.param("medium", NvmlError(999, "Unknown"), None, id="another tier fails"),
        pytest.param("fast", UnsupportedError(3, ""), "failed", id="nothing is supported"),
        pytest.param("slow", DeviceLostError(15, "Lost"), "lost", id="lost, whoever hears it"),
        pytest.param("fast", ForbiddenError(4, "No"), "forbidden", id="not ours"),
        pytest.param("fast", ValueError("a bug"), "failed", id="a bug of ours"),
    ],
)
def test_what_a_failure_says_of_the_device(tier: str, error: Exception, expected) -> None:
    world = World()
    world.until(0.5)
    world.device.trouble[tier] = error
    world.until(31.5)
    state = world.lane.state(world.clock())
    assert state.trouble == expected
    world.device.trouble.clear()
    world.until(62)
    assert world.lane.state(world.clock()).trouble is None


def test_a_device_that_is_back_is_up_within_a_second_whichever_tier_heard_that_it_was_lost() -> (
    None
):
    world = World()
    world.until(29.5)
    world.device.trouble = dict.fromkeys(("fast", "medium", "slow"), DeviceLostError(15, "Lost"))
    world.until(33.5)
    assert world.lane.state(world.clock()).trouble == "lost"
    world.device.trouble.clear()
    world.until(34.6)
    assert world.lane.state(world.clock()).trouble is None


def test_trouble_counts_from_when_it_began() -> None:
    world = World()
    world.device.trouble["fast"] = DeviceLostError(15, "GPU is lost")
    world.until(31.5)
    state = world.lane.state(world.clock())
    assert state.trouble_seconds == pytest.approx(31.5, abs=0.1)
    assert state.message == "call on GPU 0: GPU is lost"
    assert state.answered_at is None


def test_a_device_that_fails_is_asked_once_a_second_at_most() -> None:
    world = World(Settings(fast_seconds=0.1, ring=False))
    world.device.trouble["fast"] = NvmlError(999, "Unknown")
    world.until(5)
    assert world.times("fast") == [0, 1, 2, 3, 4]


def test_a_call_that_has_not_returned_is_a_hung_device() -> None:
    world = World()
    world.until(0.5)
    world.lane._started_at = world.clock()  # as another thread sees it in the middle of a read
    world.clock.now += 2.5
    state = world.lane.state(world.clock())
    assert (state.trouble, state.trouble_seconds) == ("hung", 2.5)
    assert state.message == "call on GPU 0 has not returned"


def test_a_driver_that_is_gone_ends_the_child() -> None:
    world = World()
    world.device.trouble["fast"] = DriverGoneError(18, "RM mismatch")
    world.lane.read("fast")
    assert world.lane.end
    assert world.lane.end.reason == "driver"
    assert world.lane.end.message == "call on GPU 0: RM mismatch"


def test_the_ring_is_drained_into_the_window() -> None:
    world = World(Settings(window_seconds=10))
    for second in range(12):
        world.until(second)
        now = round(world.clock() * 1e6)
        watts = 680.0 if second == 4 else 120.0
        world.device.samples_us += [(now + 500_000 + n * 20_000, watts) for n in range(10)]
    world.until(13)
    samples = world.lane.parts["window"].samples
    assert {s.labels[-1]: s.value for s in samples}["max"] == 680


@pytest.mark.parametrize(
    "seen,ended",
    [
        (["off", "on"], True),
        (["on", "off"], True),
        (["off", "off"], False),
        (["off", "", "off"], False),
        (["", "on"], False),
    ],
    ids=["on", "off", "as before", "not to be read for a while", "known later"],
)
def test_mig_that_is_switched_ends_the_child(seen: list[str], ended) -> None:
    world = World()
    for second, mig in enumerate(seen):
        world.device.mig = mig
        world.until(second + 0.5)
    assert (world.lane.end is not None) is ended


def test_what_is_no_number_is_left_out() -> None:
    world = World()
    world.device.busy = float("nan")
    world.until(0.5)
    assert {s.metric for s in world.lane.parts["fast"].samples} == {catalog.INFO}


def test_another_device_in_its_place_has_meters_of_its_own() -> None:
    world = World()
    world.until(10.5)
    world.device.labels = ("0", "GPU-b")
    world.until(20.5)
    (busy,) = (s for s in world.lane.kept() if s.metric is gpu_meters.BUSY)
    assert busy.labels == ("0", "GPU-b")
    assert busy.value == pytest.approx(4.5)
