"""`tidegauge serve` as a process: what it says when things are wrong, and how it ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import yaml
from aiohttp import web

from demo.program import Program, eventually
from tests.engine_app import engine_app
from tests.engine_server import Answer, engine, saying
from tests.haproxy import free_port
from tests.nvml.control import NvmlControl

COMMAND = [sys.executable, "-m", "tidegauge.cli.main", "serve"]
CAPTURE = Path(__file__).parents[1] / "fixtures" / "engines" / "vllm-0.32" / "load.prom"


@asynccontextmanager
async def serving(
    folder: Path, *arguments: str, env: dict[str, str] | None = None
) -> AsyncIterator[tuple[Program, str]]:
    """The program, once it is ready, and the URL of its face."""
    address = f"127.0.0.1:{free_port()}"
    if "--config.file" not in arguments:  # nor does it go and find engines that are not ours
        alone = folder / "alone.yml"
        alone.write_text("serve: {discovery: {enabled: false}}")
        arguments = ("--config.file", str(alone), *arguments)
    command = [*COMMAND, "--web.listen-address", address, *arguments]
    program = await Program.start("serve", command, log=folder / "serve.log", env=env)
    try:
        await program.ready(f"http://{address}/-/ready")
        yield program, f"http://{address}"
    finally:
        await program.stop()


async def text(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        assert response.ok
        return await response.text()


async def shows(url: str, line: str) -> None:
    async def so() -> bool:
        return line in (await text(f"{url}/metrics")).splitlines()

    await eventually(so, seconds=15, what=line)


async def test_without_a_gpu_it_says_so_and_invents_none(tmp_path: Path) -> None:
    env = {"LD_LIBRARY_PATH": str(tmp_path)}
    (tmp_path / "libnvidia-ml.so.1").write_text("no library")
    async with serving(tmp_path, env=env) as (_, url):
        await shows(url, 'tidegauge_source_up{source="gpu"} 0')
        assert "llm_gpu_" not in await text(f"{url}/metrics")
        assert "DOWN" in await text(url)


async def test_a_gpu_that_hangs_costs_its_own_series_and_no_exit(
    tmp_path: Path, nvml: NvmlControl, nvml_library: Path
) -> None:
    nvml.gpus(2)
    env = nvml.environment(nvml_library)
    async with serving(tmp_path, env=env) as (program, url):
        nvml.hang(1, "nvmlDeviceGetUtilizationRates", 3600)
        await shows(url, f'llm_gpu_up{{gpu="1",uuid="GPU-{"0" * 8}-0000-0000-0000-{1:012}"}} 0')
        await shows(url, f'llm_gpu_up{{gpu="0",uuid="GPU-{"0" * 8}-0000-0000-0000-{0:012}"}} 1')
        nvml.hang(0, "nvmlDeviceGetUtilizationRates", 3600)
        await shows(url, 'tidegauge_source_up{source="gpu"} 0')
        started = time.monotonic()
        await text(f"{url}/metrics")
        assert time.monotonic() - started < 1, "a scrape waits for nothing"
        program.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(program.process.wait(), 5) == 0


@pytest.mark.parametrize(
    "answer,reason",
    [
        pytest.param(saying(b"oh no", status="500 Oops"), "http_status", id="500"),
        pytest.param(saying(b"<html>\n"), "parse", id="garbage"),
        pytest.param(saying(b"# TYPE a gauge\na 1\nb{x="), "parse", id="half a line"),
        pytest.param(saying(b"a 1\n" * 13_000_000), "too_large", id="50 MB"),
    ],
)
async def test_a_sick_engine_is_down_with_a_reason_and_comes_back(
    tmp_path: Path, answer: Answer, reason: str
) -> None:
    good = saying(CAPTURE.read_bytes())
    config = tmp_path / "tidegauge.yml"
    # Nobody but the engine source is to use up the answers: the environment would ask its version.
    config.write_text(
        "serve: {gpu: {enabled: false}, environment: {enabled: false}, "
        "engine: {interval: 100ms, url: 'http://x'}}"
    )
    async with (
        engine(good, answer, answer, answer, good) as engine_url,
        serving(tmp_path, "--config.file", str(config), "--engine", engine_url) as (_, url),
    ):
        await shows(url, f'tidegauge_source_errors_total{{source="engine",reason="{reason}"}} 3')
        await shows(url, 'llm_engine_up{engine="vllm"} 1')
        said = (tmp_path / "serve.log").read_text()
        assert said.count('msg="source down" source=engine') == 1, "one line per fact"


async def test_an_engine_at_a_usual_port_needs_no_configuration(tmp_path: Path) -> None:
    config = tmp_path / "tidegauge.yml"
    async with engine(saying(CAPTURE.read_bytes())) as engine_url:
        ports = f"{{ports: [{free_port()}, {engine_url.rpartition(':')[2]}]}}"
        config.write_text(f"serve: {{gpu: {{enabled: false}}, discovery: {ports}}}")
        async with serving(tmp_path, "--config.file", str(config)) as (_, url):
            found = f'tidegauge_engine_discovered_info{{url="{engine_url}",engine="vllm"}} 1'
            await shows(url, found)
            await shows(url, 'llm_engine_up{engine="vllm"} 1')
            assert "engine found" in (tmp_path / "serve.log").read_text()


async def test_an_engine_behind_a_key_and_a_prefix_whose_key_changes(tmp_path: Path) -> None:
    key, config = tmp_path / "key", tmp_path / "tidegauge.yml"
    key.write_text("hunter2\n")
    wanted = ["Bearer hunter2"]

    async def metrics(request: web.Request) -> web.Response:
        known = request.headers.get("Authorization") == wanted[-1]
        fits = known and request.query.getall("model") == ["a"] and "autoload" in request.query
        return web.Response(body=CAPTURE.read_bytes()) if fits else web.Response(status=401)

    async with engine_app(metrics, path="/one/metrics") as engine_url:
        tree = {
            "url": f"{engine_url}/one/",
            "interval": "100ms",
            "params": {"model": "a"},
            "authorization": {"credentials_file": str(key)},
        }
        alone = {"gpu": {"enabled": False}, "engine": tree}
        config.write_text(yaml.safe_dump({"serve": alone}))
        async with serving(tmp_path, "--config.file", str(config)) as (_, url):
            await shows(url, 'llm_engine_up{engine="vllm"} 1')
            wanted.append("Bearer correct horse")
            await shows(url, 'llm_engine_up{engine="vllm"} 0')
            landing = await text(url)
            key.write_text("correct horse")
            await shows(url, 'llm_engine_up{engine="vllm"} 1')
            said = (tmp_path / "serve.log").read_text() + landing + await text(f"{url}/metrics")
    assert "answered 401 to our credentials" in said
    assert "hunter2" not in said
    assert "correct horse" not in said


async def test_what_ends_while_the_tap_drains_is_still_measured(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        await release.wait()
        return web.json_response({"choices": [{"text": "x"}]})

    app = web.Application()
    app.router.add_post("/v1/completions", slow)
    upstream = web.AppRunner(app, shutdown_timeout=0)
    await upstream.setup()
    await web.TCPSite(upstream, "127.0.0.1", 0).start()
    tap, config = f"127.0.0.1:{free_port()}", tmp_path / "tidegauge.yml"
    config.write_text(
        "serve: {gpu: {enabled: false}, discovery: {enabled: false}, "
        f"traffic: {{models: [chat], listen_address: '{tap}', "
        f"upstream: 'http://127.0.0.1:{upstream.addresses[0][1]}'}}}}"
    )
    async with (
        serving(tmp_path, "--config.file", str(config)) as (program, url),
        aiohttp.ClientSession() as session,
    ):
        ask = {"model": "chat", "prompt": "hello"}
        asked = asyncio.create_task(session.post(f"http://{tap}/v1/completions", json=ask))
        await shows(url, "llm_traffic_requests_in_flight 1")
        program.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(5)  # longer than a reading lives
        assert "llm_traffic_requests_in_flight 1" in await text(f"{url}/metrics")
        release.set()
        assert (await asked).status == 200
        assert await asyncio.wait_for(program.process.wait(), 10) == 0
    await upstream.cleanup()


async def test_openmetrics_is_served_to_who_asks(tmp_path: Path) -> None:
    headers = {"Accept": "application/openmetrics-text; version=1.0.0"}
    async with (
        serving(tmp_path) as (_, url),
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{url}/metrics") as response,
    ):
        assert response.content_type == "application/openmetrics-text"
        assert (await response.text()).endswith("# EOF\n")


def test_an_address_in_use_is_one_line_and_status_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = subprocess.run(
            [*COMMAND, "--web.listen-address", address],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
            env={**os.environ, "LD_LIBRARY_PATH": ""},
        )
    starting, *error = said.stderr.splitlines()
    assert "level=info msg=starting command=serve" in starting
    assert error == [f"tidegauge serve: error: cannot listen on {address}: Address already in use"]
    assert said.returncode == 1
