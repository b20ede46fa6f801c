"""The machine in the child, with devices that say what each of their calls took."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import nvml as own
from tidegauge.samples import Sample
from tidegauge.sources.gpu.asking import OnCall
from tidegauge.sources.gpu.machine import Machine
from tidegauge.sources.gpu.nvml import NvmlError
from tidegauge.sources.gpu.protocol import State
from tidegauge.sources.gpu.settings import Settings

SLOW, QUICK = 1, 0


class FakeDriver:
    """Two devices."""

    asking = "nvmlInit"

    def open(self) -> tuple[str, int]:
        return "580.1", 2

    def machine(self) -> tuple[int, int]:
        return 2, 2


class FakeDevice:
    """Each read takes the driver half a second, if it is the slow one, and none of ours."""

    asking = "nvmlDeviceGetUtilizationRates"

    def __init__(self, index: int, on_call: OnCall, reads: Counter[int]) -> None:
        self.index = index
        self.labels = (str(index), f"GPU-{index}")
        self._on_call = on_call
        self._reads = reads

    def read(self, tier: str) -> tuple[Sample, ...]:
        self._reads[self.index] += tier == "fast"
        self._on_call("nvmlDeviceGetUtilizationRates", 0.5 * (self.index == SLOW), 0)
        return (Sample(catalog.UTILIZATION, 0.5, self.labels),)

    def ring(self, kind: str, since_us: int) -> tuple[tuple[int, float], ...]:
        return ()


def no_events(on_call: OnCall) -> None:
    raise NvmlError(3, "no events here")


def until(machine: Machine, true: Callable[[State], bool]) -> State:
    for _ in range(500):
        state = machine.state()
        if true(state):
            return state
        time.sleep(0.01)
    pytest.fail(f"not so after 5 s: {machine.state()}")


def fast_interval(state: State) -> float:
    found = (s.value for s in state.kept if s.metric is own.TIER_INTERVAL)
    return next((n for n in found if isinstance(n, float) and n > 1), 0.0)


def test_a_device_that_is_slow_slows_no_other() -> None:
    reads: Counter[int] = Counter()
    machine = Machine(
        Settings(fast_seconds=0.1, medium_seconds=600, slow_seconds=600, ring=False),
        make_driver=lambda _: FakeDriver(),
        make_device=lambda index, _, on_call: FakeDevice(index, on_call, reads),
        make_watcher=no_events,
    )
    machine.start()
    until(machine, lambda state: fast_interval(state) > 30)
    before = reads.copy()
    time.sleep(1)
    assert reads[QUICK] - before[QUICK] >= 6
    assert reads[SLOW] - before[SLOW] <= 1
