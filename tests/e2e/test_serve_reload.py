"""`tidegauge serve` as a process: SIGHUP, what systemd hears, flags, and how it says mistakes."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from demo.program import Program, eventually
from tests.engine_server import engine, saying
from tests.haproxy import free_port
from tests.nvml.control import NvmlControl

COMMAND = [sys.executable, "-m", "tidegauge.cli.main", "serve"]
CAPTURE = Path(__file__).parents[1] / "fixtures" / "engines" / "vllm-0.32" / "load.prom"
BARE = "gpu: {enabled: false}"


@asynccontextmanager
async def serving(
    folder: Path, text: str, *arguments: str, env: dict[str, str] | None = None
) -> AsyncIterator[tuple[Program, str]]:
    """The program with this configuration, once it is ready, and its URL."""
    (folder / "tidegauge.yml").write_text(text)
    address = f"127.0.0.1:{free_port()}"
    flags = ["--config.file", str(folder / "tidegauge.yml"), "--web.listen-address", address]
    command = [*COMMAND, *flags, *arguments]
    program = await Program.start("serve", command, log=folder / "serve.log", env=env)
    try:
        await program.ready(f"http://{address}/-/ready")
        yield program, f"http://{address}"
    finally:
        await program.stop()


async def shows(url: str, line: str) -> None:
    async def so() -> bool:
        async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
            return line in (await response.text()).splitlines()

    await eventually(so, seconds=10, what=line)


async def test_sighup_reads_the_file_again_and_keeps_the_old_one_when_it_is_wrong(
    tmp_path: Path,
) -> None:
    config = tmp_path / "tidegauge.yml"
    async with (
        engine(saying(CAPTURE.read_bytes())) as engine_url,
        serving(tmp_path, f"serve: {{{BARE}}}") as (program, url),
    ):
        config.write_text(f"serve: {{{BARE}, engine: {{url: '{engine_url}', interval: 100ms}}}}")
        program.process.send_signal(signal.SIGHUP)
        await shows(url, 'llm_engine_up{engine="vllm"} 1')
        config.write_text(
            f"serve: {{{BARE}, engine: {{url: x, dialekt: vllm}}}}\nlog: {{level: x}}"
        )
        program.process.send_signal(signal.SIGHUP)
        await shows(url, "tidegauge_config_last_reload_successful 0")
        await shows(url, 'llm_engine_up{engine="vllm"} 1')
        said = (tmp_path / "serve.log").read_text()
        for key in ("log.level", "serve.engine.dialekt", "serve.engine.url"):
            assert f'level=error msg="configuration not reloaded" error="{key}: ' in said
        config.write_text(f"serve: {{{BARE}}}\nlog: {{format: json}}")
        program.process.send_signal(signal.SIGHUP)
        await shows(url, "tidegauge_config_last_reload_successful 1")
        lines = (tmp_path / "serve.log").read_text().splitlines()
        said_as_json = [json.loads(line)["msg"] for line in lines if line.startswith("{")]
        assert "configuration reloaded" in said_as_json


def children(pid: int) -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(path.read_text().rpartition(")")[2].split()[1]) == pid:
                found.add(int(path.parent.name))
    return found


async def test_a_reload_leaves_the_gpus_child_alone_unless_it_is_about_gpus(
    tmp_path: Path, nvml: NvmlControl, nvml_library: Path
) -> None:
    nvml.gpus(2)
    config, env = tmp_path / "tidegauge.yml", nvml.environment(nvml_library)
    up = f'llm_gpu_up{{gpu="0",uuid="GPU-{"0" * 8}-0000-0000-0000-{0:012}"}} 1'
    quiet = "environment: {enabled: false}, discovery: {enabled: false}"
    async with serving(tmp_path, f"serve: {{{quiet}}}", env=env) as (program, url):
        await shows(url, up)
        before = children(program.process.pid)
        assert before
        for text, same in (
            ("engine: {url: 'http://127.0.0.1:1'}", True),
            ("gpu: {slow_interval: 20s}", False),
        ):
            config.write_text(f"serve: {{{quiet}, {text}}}")
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{url}/-/reload") as response,
            ):
                assert response.status == 200
            await shows(url, up)

            async def settled(expected: bool = same) -> bool:  # noqa: FBT001 - bound in a loop
                now = children(program.process.pid)
                return now == before if expected else bool(now) and not now & before

            await eventually(settled, seconds=10, what=text)


async def test_systemd_hears_of_start_life_reload_and_end(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(f"{tmp_path}/notify")
        heard.settimeout(0)
        said: list[str] = []

        async def hears(text: str) -> None:
            async def so() -> bool:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        said.append(heard.recv(4096).decode().splitlines()[0])
                return text in said

            await eventually(so, seconds=10, what=text)
            said.clear()

        env = {"NOTIFY_SOCKET": f"{tmp_path}/notify", "WATCHDOG_USEC": "200000"}
        async with serving(tmp_path, f"serve: {{{BARE}}}", env=env) as (program, _):
            await hears("READY=1")
            await hears("WATCHDOG=1")
            program.process.send_signal(signal.SIGHUP)
            await hears("RELOADING=1")
            program.process.send_signal(signal.SIGHUP)
            await hears("READY=1")
            program.process.send_signal(signal.SIGTERM)
            await hears("STOPPING=1")
            assert await asyncio.wait_for(program.process.wait(), 10) == 0


def test_every_mistake_of_both_files_is_said_and_the_status_is_2(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text("rate_limit: {interval: 1s}")
    command = [*COMMAND, "--web.config.file", "web.yml", "--web.listen-address", "x"]
    said = subprocess.run(
        command, capture_output=True, text=True, timeout=20, check=False, cwd=tmp_path
    )
    assert said.returncode == 2
    flags, web = said.stderr.splitlines()
    assert flags.startswith("tidegauge serve: error: serve.listen_address: 'x' is no listen")
    assert web.startswith("tidegauge serve: error: web.yml: rate_limit.burst: is missing")
