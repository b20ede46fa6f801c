"""A day of ticks, by a clock of our own: nothing grows, nothing drifts."""

import gc
import tracemalloc

import pytest

from tests.unit.test_gpu_lane import GPU, World
from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import gpu_health, gpu_meters, gpu_opt_in
from tidegauge.samples import Sample
from tidegauge.sources.gpu.board import Board
from tidegauge.sources.gpu.ledger import Ledger
from tidegauge.sources.gpu.protocol import DeviceState, Part, State, decode, encode
from tidegauge.sources.gpu.settings import Settings
from tidegauge.sources.gpu.tallies import Tallies

DAY = 86_400
HOUR = 3_600


@pytest.mark.slow
def test_a_day_of_reading_leaves_no_memory_behind() -> None:
    """One device at 1 Hz with its ring, its state sent to a board once a minute."""
    world = World(Settings(window_seconds=120))
    board, ledger, tallies = Board(), Ledger(), Tallies()
    sizes: list[int] = []
    tracemalloc.start()
    for minute in range(60, DAY + 1, 60):
        now = round((100 + minute) * 1e6)
        world.device.samples_us = [(now - n * 20_000, 100.0 + n % 7) for n in range(120, 0, -1)]
        world.until(minute)
        world.device.asked.clear()
        while world.lane.calls:
            name, seconds, _ = world.lane.calls.popleft()
            tallies.add(name, seconds, None)
        kept = ledger.news([*world.lane.kept(), *tallies.samples()])
        state = world.lane.state(world.clock())
        line = encode(State(world.clock(), (state,), kept))
        board.take(decode(line))
        if minute % HOUR == 0:
            board.turn()  # a new child every hour
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    busy = [s.value for s in world.lane.kept() if s.metric is gpu_meters.BUSY]
    assert busy == [pytest.approx(DAY / 2, rel=1e-3)]
    assert GPU in {s.labels for s in board.samples(world.clock())}
    later = sizes[len(sizes) // 4 :]
    assert max(later) - min(later) < 100_000, sizes


def test_devices_and_instances_that_come_and_go_leave_no_memory_behind() -> None:
    """Four devices change places, each child finds MIG cut anew, and a process has another pid."""
    board, sizes = Board(), []
    tracemalloc.start()
    for turn in range(2000):
        devices = []
        for index in range(3):
            labels = (str(index), f"GPU-{(index + turn) % 4}")
            mig = (*labels, str(turn % 7), "0", f"MIG-{turn}", "1g.10gb")
            process = (*labels, str(turn), "", "")
            parts = (
                Part("fast", turn, 5, (Sample(catalog.ENERGY, turn, labels),)),
                Part(
                    "slow",
                    turn,
                    5,
                    (
                        Sample(gpu_opt_in.MIG, 1.0, mig),
                        Sample(gpu_opt_in.PROCESS_MEMORY, 1.0, process),
                    ),
                ),
            )
            devices.append(DeviceState(index, labels, turn, parts=parts))
        kept = tuple(Sample(gpu_health.XID_ERRORS, 1.0, (*d.labels, "79")) for d in devices)
        board.take(State(turn, tuple(devices[: 2 + turn % 2]), kept))
        shown = board.samples(turn)
        board.turn()
        if turn >= 1000 and turn % 100 == 0:
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert max(sizes) - min(sizes) < 20_000, sizes
    assert len([s for s in shown if s.metric is gpu_opt_in.MIG]) == 3
    xids = {s.labels[1]: s.value for s in shown if s.metric is gpu_health.XID_ERRORS}
    assert xids == dict.fromkeys(("GPU-0", "GPU-1", "GPU-2", "GPU-3"), 1500)
