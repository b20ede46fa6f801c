"""All that a GPU can say, as a scrape shows it, and promtool's word on it."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.nvml.control import Instance, NvmlControl, uuid
from tests.nvml.machine import DRIVER_VERSION, RETIRED_PAGES
from tidegauge.catalog import gpu, gpu_health, gpu_links, gpu_opt_in
from tidegauge.exposition import render
from tidegauge.samples import Sample
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.calls import TIERS
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.gpm import APART_SECONDS
from tidegauge.sources.gpu.processes import Processes
from tidegauge.sources.gpu.xid_ledger import Xid, XidLedger

PROMTOOL = Path(__file__).parents[2] / ".tools" / "bin" / "promtool"
ELSEWHERE = {gpu.UP}
"""Said by whoever runs the devices."""


def everything(nvml: NvmlControl, proc: Path) -> tuple[Sample, ...]:
    """One device cut up with MIG, which no single real device would say all of, and one whole."""
    nvml.gpus(2)
    nvml.mig(0, Instance(gi=2, ci=0), Instance(gi=5, ci=0))
    nvml.values(0, RETIRED_PAGES)
    nvml.values(0, {"nvmlDeviceGetFieldValues/208": (3,), "nvmlDeviceGetFieldValues/221": (1,)})
    nvml.values(0, {f"nvmlGpmMetricsGet/2/{instance}": (40,) for instance in (2, 5)})
    nvml.processes(1, (4242, 5_000_000_000))
    nvml.process_utilization(1, (4242, 1_000_000, 30))
    edge.open_library()
    processes = Processes(proc)
    devices = [Device(i, driver_version=DRIVER_VERSION, processes=processes) for i in range(2)]
    samples = [sample for device in devices for tier in TIERS for sample in device.read(tier)]
    time.sleep(APART_SECONDS + 0.005)
    ledger = XidLedger()
    for device in devices:
        samples += device.read("gpm")
        ledger.watch(device.index, device.labels[1])
        device.close()
    ledger.add(Xid(1, uuid(1), 79, at=1_700_000_000.0))
    return tuple(dict.fromkeys((*samples, *ledger.samples())))


def test_everything_is_said_and_promtool_finds_nothing(
    nvml: NvmlControl, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    samples = everything(nvml, tmp_path)
    text = render(samples)

    every = (*gpu.METRICS, *gpu_health.METRICS, *gpu_links.METRICS, *gpu_opt_in.METRICS)
    assert {sample.metric for sample in samples} == set(every) - ELSEWHERE
    said = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (said.returncode, said.stdout + said.stderr) == (0, "")
    golden("gpu.prom", text)
