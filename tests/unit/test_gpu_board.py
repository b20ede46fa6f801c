"""What the parent knows of the devices: fresh, stale, gone, renumbered, and counted on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.catalog import Metric, gpu_links, gpu_meters
from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import nvml as own
from tidegauge.samples import Distribution, Sample
from tidegauge.sources.gpu.board import Board
from tidegauge.sources.gpu.carried import Carried
from tidegauge.sources.gpu.onward import Onward
from tidegauge.sources.gpu.protocol import DeviceState, Part, State, Trouble

A, B = ("0", "GPU-a"), ("1", "GPU-b")


def device(
    labels: tuple[str, str],
    at: float,
    *,
    trouble: Trouble | None = None,
    answered: bool = True,
    parts: bool = True,
) -> DeviceState:
    power = Sample(catalog.UTILIZATION, 0.5, labels)
    limit = Sample(catalog.POWER_LIMIT, 700.0, labels)
    new = (Part("fast", at, 5, (power,)), Part("medium", at, 20, (limit,))) if parts else ()
    answered_at = at if answered else None
    return DeviceState(int(labels[0]), labels, answered_at, trouble, 3.0, "oh no", new)


def of(samples, metric: Metric) -> dict[tuple[str, ...], object]:
    return {s.labels: s.value for s in samples if s.metric is metric}


def names(samples) -> set[str]:
    return {s.metric.name for s in samples}


def test_a_part_that_is_not_sent_again_stays_as_long_as_it_is_true() -> None:
    board = Board()
    board.take(State(0.0, (device(A, 0),)))
    board.take(State(4.0, (device(A, 4, parts=False),)))
    assert of(board.samples(4), catalog.UTILIZATION) == {A: 0.5}
    assert of(board.samples(4), catalog.UP) == {A: 1}


def test_what_is_no_longer_true_is_left_out() -> None:
    board = Board()
    board.take(State(0.0, (device(A, 0),)))
    later = board.samples(6)
    assert of(later, catalog.UP) == {A: 0}
    assert of(later, gpu_meters.SAMPLE_AGE) == {A: 6}
    assert names(later) == {catalog.UP.name, gpu_meters.SAMPLE_AGE.name}


def test_a_device_in_trouble_costs_its_own_series() -> None:
    board = Board()
    board.take(State(0.0, (device(A, 0), device(B, 0))))
    board.take(State(1.0, (device(A, 1), device(B, 0, trouble="lost", parts=False))))
    assert of(board.samples(1), catalog.UP) == {A: 1, B: 0}
    assert of(board.samples(1), catalog.POWER_LIMIT) == {A: 700}


def test_a_device_that_was_not_asked_yet_is_not_down() -> None:
    board = Board()
    board.take(State(0.0, (device(("0", ""), 0, answered=False, parts=False),)))
    assert board.samples(0) == ()


def test_a_device_that_never_could_say_who_it_is_is_down_and_later_has_a_name() -> None:
    board = Board()
    nameless = device(("0", ""), 0, trouble="hung", answered=False, parts=False)
    board.take(State(0.0, (nameless,)))
    assert of(board.samples(0), catalog.UP) == {("0", ""): 0}
    board.take(State(1.0, (device(A, 1),)))
    assert of(board.samples(1), catalog.UP) == {A: 1}


def test_a_device_that_cannot_say_its_name_after_a_restart_is_the_one_that_was_there() -> None:
    board = Board()
    board.take(State(0.0, (device(A, 0),)))
    board.turn()
    board.take(State(1.0, (device(("0", ""), 0, trouble="hung", answered=False, parts=False),)))
    assert of(board.samples(1), catalog.UP) == {A: 0}


def test_between_two_children_nothing_that_is_true_is_lost() -> None:
    board = Board()
    board.take(State(0.0, (device(A, 0),)))
    board.turn()
    for devices in ((), (device(("0", ""), 0, answered=False, parts=False),)):
        board.take(State(1.0, devices))
        assert of(board.samples(1), catalog.UP) == {A: 1}
    assert of(board.samples(1), catalog.UTILIZATION) == {A: 0.5}


def test_a_device_that_is_removed_is_down_and_one_that_moves_up_is_itself() -> None:
    board = Board()
    board.take(State(0.0, (device(A, 0), device(B, 0))))
    board.turn()
    moved = ("0", "GPU-b")
    board.take(State(1.0, (device(moved, 1),)))
    seen = board.samples(1)
    assert of(seen, catalog.UP) == {A: 0, moved: 1}
    assert of(seen, catalog.POWER_LIMIT) == {moved: 700}


def test_of_a_device_of_somebody_else_s_nothing_is_said() -> None:
    board = Board()
    other = device(("0", ""), 0, trouble="forbidden", answered=False, parts=False)
    board.take(State(0.0, (other, device(B, 0))))
    assert of(board.samples(0), catalog.UP) == {B: 1}


def test_when_all_is_down_what_was_counted_stays() -> None:
    board = Board()
    busy = Sample(gpu_meters.BUSY, 3.0, A)
    board.take(State(0.0, (device(A, 0),), (busy,)))
    assert of(board.down(9), catalog.UP) == {A: 0}
    assert of(board.down(9), gpu_meters.BUSY) == {A: 3}


def test_where_nvml_counts_our_own_count_is_not_shown() -> None:
    board = Board()
    ours, nvml_s = Sample(catalog.ENERGY, 5.0, A), Sample(catalog.ENERGY, 9e6, A)
    part = Part("fast", 0, 5, (nvml_s,))
    board.take(State(0.0, (DeviceState(0, A, 0.0, parts=(part,)),), (ours,)))
    assert [s.value for s in board.samples(0) if s.metric is catalog.ENERGY] == [9e6]
    assert of(board.down(0), catalog.ENERGY) == {}, "nor when NVML does not answer"
    board.take(State(0.0, (DeviceState(1, B, 0.0, parts=()),), (Sample(catalog.ENERGY, 7.0, B),)))
    assert of(board.samples(0), catalog.ENERGY)[B] == 7


@pytest.mark.parametrize(
    "children,shown",
    [
        pytest.param([[5.0, 7.0, 9.0]], [5, 7, 9], id="one child, as it is"),
        pytest.param([[5.0, 9.0], [2.0, 3.0]], [5, 9, 9, 10], id="begun anew, it goes on"),
        pytest.param([[5.0, 9.0], [9.5, 11.0]], [5, 9, 9.5, 11], id="nothing was lost"),
        pytest.param([[9.0], [2.0], [1.0, 4.0]], [9, 9, 9, 12], id="again and again"),
    ],
)
def test_bytes_over_pcie_never_go_back_with_a_new_child(
    children: list[list[float]], shown: list[float]
) -> None:
    onward, seen = Onward(), []
    for values in children:
        for value in values:
            seen.append(onward.follow(Sample(gpu_links.PCIE_BYTES, value, (*A, "tx"))).value)
        onward.turn()
    assert seen == shown


RUNS = st.lists(st.lists(st.floats(0, 100), max_size=5).map(sorted), max_size=8)


@given(RUNS)
def test_counters_never_go_back_over_children(runs: list[list[float]]) -> None:
    carried, before = Carried(), 0.0
    for run in runs:
        for value in run:
            carried.update([Sample(gpu_meters.BUSY, value, A)])
            (shown,) = carried.samples()
            assert shown.value >= before
            before = shown.value
        carried.turn()
    assert before == pytest.approx(sum(run[-1] for run in runs if run))


def test_a_counter_goes_on_under_the_device_s_new_index() -> None:
    carried = Carried()
    carried.update([Sample(gpu_meters.BUSY, 5.0, ("1", "GPU-b"))])
    carried.turn()
    carried.update([Sample(gpu_meters.BUSY, 2.0, ("0", "GPU-b"))])
    assert carried.samples() == (Sample(gpu_meters.BUSY, 7.0, ("0", "GPU-b")),)


def test_histograms_add_up_and_gauges_do_not() -> None:
    bounds = (*(own.CALL_SECONDS.buckets or ()), float("inf"))
    took = Sample(own.CALL_SECONDS, Distribution(tuple((b, 2) for b in bounds), 0.5), ("x",))
    carried = Carried()
    for _ in range(2):
        carried.update([took, Sample(own.TIER_INTERVAL, 1.0, ("fast",))])
        carried.turn()
    assert {s.metric.name: s.value for s in carried.samples()} == {
        own.CALL_SECONDS.name: Distribution(tuple((b, 4) for b in bounds), 1.0),
        own.TIER_INTERVAL.name: 1.0,
    }
