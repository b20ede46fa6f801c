"""`tidegauge serve` on a machine whose GPUs go through everything: every scrape is answered."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.test_serve import serving, shows, text
from tests.nvml.control import (
    DRIVER,
    DRIVER_NOT_LOADED,
    GPU_IS_LOST,
    Instance,
    NvmlControl,
    uuid,
)

CONFIG = """
serve:
  gpu:
    fast_interval: 100ms
    medium_interval: 200ms
    slow_interval: 300ms
    timeout: 500ms
    hung_limit: 1s
    restart_backoff_max: 1s
    processes: true
    gpm: true
    gpm_interval: 300ms
"""


class Scrapes:
    """Scrapes without a pause: how many were answered, and what was wrong with the others."""

    def __init__(self) -> None:
        self.answered = 0
        self.failed: list[str] = []
        self.slowest = 0.0

    async def run(self, url: str) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                started = time.monotonic()
                try:
                    async with session.get(f"{url}/metrics") as answer:
                        body = await answer.text()
                        if answer.status == 200 and "tidegauge_source_up" in body:
                            self.answered += 1
                        else:
                            self.failed.append(f"{answer.status}: {body[:100]}")
                except aiohttp.ClientError as error:
                    self.failed.append(repr(error))
                self.slowest = max(self.slowest, time.monotonic() - started)
                await asyncio.sleep(0.05)


@asynccontextmanager
async def scraped(url: str) -> AsyncIterator[Scrapes]:
    """While the block runs; after it no scrape has failed."""
    scrapes = Scrapes()
    task = asyncio.create_task(scrapes.run(url))
    try:
        yield scrapes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert scrapes.failed == []
    assert scrapes.answered > 20
    assert scrapes.slowest < 2


def up(gpu: int, value: int) -> str:
    return f'llm_gpu_up{{gpu="{gpu}",uuid="{uuid(gpu)}"}} {value}'


def restarts(reason: str, count: int) -> str:
    return f'tidegauge_nvml_child_restarts_total{{reason="{reason}"}} {count}'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tidegauge.yml"
    path.write_text(CONFIG)
    return path


@pytest.mark.slow
async def test_no_scrape_fails_whatever_happens_to_gpus_and_driver(
    tmp_path: Path, nvml: NvmlControl, nvml_library: Path, config: Path
) -> None:
    nvml.gpus(3)
    env = nvml.environment(nvml_library)
    async with (
        serving(tmp_path, "--config.file", str(config), env=env) as (program, url),
        scraped(url),
    ):
        await shows(url, up(2, 1))
        nvml.hang(1, "nvmlDeviceGetUtilizationRates", 30)
        await shows(url, up(1, 0))
        await shows(url, up(0, 1))
        await shows(url, restarts("hung", 1))
        await shows(url, up(2, 1))
        nvml.heal()
        await shows(url, up(1, 1))
        nvml.error(2, "*", GPU_IS_LOST)
        await shows(url, up(2, 0))
        await shows(url, up(0, 1))
        nvml.heal()
        await shows(url, up(2, 1))
        nvml.reload()
        await shows(url, restarts("driver", 1))
        await shows(url, up(0, 1))
        nvml.gpus(2)
        await shows(url, up(2, 0))
        nvml.gpus(3)
        await shows(url, up(2, 1))
        nvml.mig(1, Instance(gi=1, ci=0))
        await shows(url, restarts("mig", 1))
        await shows(url, up(1, 1))
        await shows(url, "tidegauge_nvml_child_up 1")
        os.kill(child_of(program.process.pid), signal.SIGKILL)
        await shows(url, restarts("exited", 1))
        await shows(url, up(0, 1))
        nvml.error(DRIVER, "nvmlInitWithFlags", DRIVER_NOT_LOADED)
        nvml.error("*", "*", DRIVER_NOT_LOADED)
        await shows(url, 'tidegauge_source_up{source="gpu"} 0')
        await shows(url, up(0, 0))
        nvml.heal()
        await shows(url, 'tidegauge_source_up{source="gpu"} 1')
        await shows(url, up(0, 1))


async def test_a_reload_of_the_gpus_goes_on_with_their_counts(
    tmp_path: Path, nvml: NvmlControl, nvml_library: Path, config: Path
) -> None:
    def xids(count: int) -> str:
        return f'llm_gpu_xid_errors_total{{gpu="0",uuid="{uuid(0)}",xid="79"}} {count}'

    env = nvml.environment(nvml_library)
    async with (
        serving(tmp_path, "--config.file", str(config), env=env) as (program, url),
        scraped(url),
    ):
        await shows(url, xids(0))
        nvml.xid(0, 79)
        await shows(url, xids(1))
        pid = program.process.pid
        before = child_of(pid)
        config.write_text(CONFIG.replace("200ms", "400ms"))
        program.process.send_signal(signal.SIGHUP)
        for _ in range(500):
            if not Path(f"/proc/{before}").exists():
                break
            assert xids(1) in await text(f"{url}/metrics")
            await asyncio.sleep(0.02)
        assert not Path(f"/proc/{before}").exists(), "the old child ends"
        await asyncio.sleep(2)  # the new one listens
        nvml.xid(0, 79)
        await shows(url, xids(2))
        assert child_of(pid) != before


async def test_a_sidecar_that_is_killed_leaves_no_orphan(
    tmp_path: Path, nvml: NvmlControl, nvml_library: Path
) -> None:
    async with serving(tmp_path, env=nvml.environment(nvml_library)) as (program, url):
        await shows(url, up(0, 1))
        child = child_of(program.process.pid)
        program.process.kill()
        for _ in range(250):
            if not Path(f"/proc/{child}").exists():
                break
            await asyncio.sleep(0.02)
        assert not Path(f"/proc/{child}").exists()


@pytest.mark.slow
async def test_a_machine_without_a_gpu_is_asked_ever_less_often(tmp_path: Path) -> None:
    env = {"LD_LIBRARY_PATH": str(tmp_path)}
    (tmp_path / "libnvidia-ml.so.1").write_text("no library")
    async with serving(tmp_path, env=env) as (_, url):
        await asyncio.sleep(12)
        lines = (await text(f"{url}/metrics")).splitlines()
        failed = 'tidegauge_source_errors_total{source="gpu",reason="unavailable"} '
        (count,) = [int(line.removeprefix(failed)) for line in lines if line.startswith(failed)]
        assert 2 <= count <= 5
        said = (tmp_path / "serve.log").read_text()
        assert said.count('msg="source down" source=gpu') == 1
        assert said.count("child") == 0, "nothing of what happens inside is worth a line"


def child_of(pid: int) -> int:
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
