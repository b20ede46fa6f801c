"""Processes on a GPU: opt-in, bounded, by container and pod, told apart when a pid comes back."""

from pathlib import Path

import pytest

from tests.nvml.control import NOT_SUPPORTED, UNKNOWN, NvmlControl, uuid
from tests.nvml.machine import DRIVER_VERSION
from tidegauge.catalog import Metric, gpu, gpu_opt_in
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.cgroups import Owner
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.nvml_processes import Running
from tidegauge.sources.gpu.processes import AT_MOST, Processes

CONTAINER, OTHER = "c" * 64, "d" * 64
UID = "0d6c1f3e-8a0b-4c56-9d1e-5f2a7b3c4d5e"
MIB = 2**20


class Proc:
    """A /proc with what we read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, pid: int, container: str, *, at: int = 5000, name: str = "vllm") -> None:
        folder = self.path / str(pid)
        folder.mkdir(exist_ok=True)
        before = " ".join(["S", "1"] + ["0"] * 17)
        (folder / "stat").write_text(f"{pid} ({name}) {before} {at} 123 456\n")
        pod = f"kubepods-pod{UID.replace('-', '_')}.slice"
        (folder / "cgroup").write_text(f"0::/kubepods.slice/{pod}/cri-containerd-{container}.scope")


@pytest.fixture
def proc(tmp_path: Path) -> Proc:
    path = tmp_path / "proc"
    path.mkdir()
    return Proc(path)


def device(proc: Proc | None) -> Device:
    edge.open_library()
    processes = Processes(proc.path) if proc else None
    return Device(0, driver_version=DRIVER_VERSION, processes=processes)


def read(of: Device, metric: Metric) -> dict[tuple[str, ...], object]:
    return {s.labels[2:]: s.value for s in of.read("slow") if s.metric is metric}


def test_processes_are_not_asked_for_unless_somebody_wants_them(nvml: NvmlControl) -> None:
    nvml.processes(0, (100, 5 * MIB))

    assert read(device(None), gpu_opt_in.PROCESS_MEMORY) == {}
    assert not [call for _, call in nvml.calls() if "Process" in call]


def test_memory_is_told_by_pid_container_and_pod(nvml: NvmlControl, proc: Proc) -> None:
    nvml.processes(0, (100, 5 * MIB), (200, 7 * MIB))
    proc.start(100, CONTAINER)

    samples = device(proc).read("slow")

    memory = [s for s in samples if s.metric is gpu_opt_in.PROCESS_MEMORY]
    assert {sample.labels: sample.value for sample in memory} == {
        ("0", uuid(0), "100", CONTAINER, UID): 5.0 * MIB,
        ("0", uuid(0), "200", "", ""): 7.0 * MIB,
    }


def test_utilisation_is_what_is_new_since_the_last_read(nvml: NvmlControl, proc: Proc) -> None:
    nvml.processes(0, (100, 5 * MIB), (200, 7 * MIB))
    nvml.process_utilization(0, (100, 1000, 20), (100, 2000, 30), (200, 1500, 50))
    asked = device(proc)

    first = read(asked, gpu_opt_in.PROCESS_SM_UTILIZATION)
    idle = read(asked, gpu_opt_in.PROCESS_SM_UTILIZATION)
    nvml.process_utilization(0, (100, 2000, 30), (200, 2500, 60))
    third = read(asked, gpu_opt_in.PROCESS_SM_UTILIZATION)

    assert first == {("100", "", ""): 0.3, ("200", "", ""): 0.5}
    assert idle == {}, "nothing new is neither 0 nor an error"
    assert third == {("200", "", ""): 0.6}


def test_a_device_on_which_nothing_ran_is_no_error(nvml: NvmlControl, proc: Proc) -> None:
    asked = device(proc)

    assert read(asked, gpu_opt_in.PROCESS_SM_UTILIZATION) == {}
    nvml.processes(0, (100, MIB))
    nvml.process_utilization(0, (100, 9000, 10))
    assert read(asked, gpu_opt_in.PROCESS_SM_UTILIZATION) == {("100", "", ""): 0.1}


def test_the_biggest_are_told_of_and_no_more(nvml: NvmlControl, proc: Proc) -> None:
    nvml.processes(0, *((pid, pid * MIB) for pid in range(1, AT_MOST + 9)))

    seen = read(device(proc), gpu_opt_in.PROCESS_MEMORY)

    assert {int(pid) for pid, *_ in seen} == set(range(9, AT_MOST + 9))


def test_a_process_whose_memory_the_driver_does_not_know_has_no_series(proc: Proc) -> None:
    values = Processes(proc.path).values([Running(100, None), Running(200, MIB)], ())

    assert [value.labels[0] for value in values] == ["200"]


@pytest.mark.parametrize("code", [NOT_SUPPORTED, UNKNOWN])
def test_processes_that_can_t_be_listed_cost_their_own_series(
    nvml: NvmlControl, proc: Proc, code: int
) -> None:
    nvml.error(0, "nvmlDeviceGetComputeRunningProcesses_v3", code)
    asked = device(proc)

    assert len(asked.read("slow")) > 10
    assert read(asked, gpu_opt_in.PROCESS_MEMORY) == {}


def test_utilisation_that_fails_costs_no_memory(nvml: NvmlControl, proc: Proc) -> None:
    nvml.processes(0, (100, MIB))
    nvml.error(0, "nvmlDeviceGetProcessUtilization", UNKNOWN)

    assert read(device(proc), gpu_opt_in.PROCESS_MEMORY) == {("100", "", ""): float(MIB)}


def test_the_rest_of_the_tier_is_there_too(nvml: NvmlControl, proc: Proc) -> None:
    nvml.processes(0, (100, MIB))

    assert gpu.INFO in {sample.metric for sample in device(proc).read("slow")}


def test_a_pid_that_comes_back_is_another_process(proc: Proc) -> None:
    processes = Processes(proc.path)
    proc.start(100, CONTAINER, at=5000)
    before = processes.owner(100)
    proc.start(100, OTHER, at=9000)

    assert before == Owner(CONTAINER, UID)
    assert processes.owner(100) == Owner(OTHER, UID)


def test_a_process_that_goes_on_is_read_once(proc: Proc) -> None:
    processes = Processes(proc.path)
    proc.start(100, CONTAINER)
    processes.owner(100)
    (proc.path / "100" / "cgroup").unlink()

    assert processes.owner(100) == Owner(CONTAINER, UID)


@pytest.mark.parametrize("name", ["a) S 1 0", "with blank", "(nested)"])
def test_a_process_s_name_may_hold_anything(proc: Proc, name: str) -> None:
    processes = Processes(proc.path)
    proc.start(100, CONTAINER, at=1, name=name)
    before = processes.owner(100)
    proc.start(100, OTHER, at=2, name=name)

    assert (before.container, processes.owner(100).container) == (CONTAINER, OTHER)


def test_what_is_known_is_bounded(proc: Proc) -> None:
    processes = Processes(proc.path)
    for pid in range(1100):
        proc.start(pid, CONTAINER)
        processes.owner(pid)

    assert len(processes._known) <= 1024, "the cache itself: nothing else shows it"
