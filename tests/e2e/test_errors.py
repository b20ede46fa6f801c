"""The real `tidegauge serve` beside a log: what it counts, and that no word of it gets out."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import aiohttp

from demo.program import eventually
from tests.e2e.test_serve import COMMAND, serving, shows, text
from tests.haproxy import free_port

MARKER = "zqxjmarker"
OOM = "ERROR:    torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n"
LINES = (
    f"INFO 08-11 12:00:00 [logger.py:1] Received request: prompt: '{MARKER} CUDA out of memory'\n"
    f"ERROR 08-11 12:00:00 [a.py:1] Failed to process request {MARKER}: prompt: {MARKER}\n"
    f"{MARKER} error on a line of its own\n"
    f'{{"level":"ERROR","message":"Failed to load {MARKER}","fields":{{"{MARKER}":1}}}}\n'
    f"WARNING:  slow {MARKER}/{MARKER} request\nTraceback (most recent call last):\n"
    f"  {MARKER} = 1\n{MARKER}Error: {MARKER}\nOSError: {MARKER}\nINFO:     fine\n"
)


def config(folder: Path, *logs: dict[str, object]) -> tuple[str, str]:
    path = folder / "tidegauge.yml"
    serve = {
        "discovery": {"enabled": False},
        "gpu": {"enabled": False},
        "environment": {"enabled": False},
        "errors": {"logs": logs, "interval": "100ms", "learning": "0s"},
    }
    path.write_text(json.dumps({"log": {"level": "debug"}, "serve": serve}))
    return "--config.file", str(path)


async def test_a_log_is_followed_and_shown_without_a_word_of_it(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    path = logs / "engine.log"
    path.write_text(OOM * 7)  # before the start
    async with serving(tmp_path, *config(tmp_path, {"path": str(logs / "*.log")})) as (_, url):
        oom = 'llm_error_patterns_total{pattern="cuda_out_of_memory",severity="fatal"}'
        await shows(url, f"{oom} 0")
        with path.open("a") as writer:
            writer.write(LINES + OOM + "INFO:     fine\n")
        await shows(url, f"{oom} 1")
        path.rename(logs / "engine.log.1")
        path.write_text(OOM + "INFO:     fine\n")
        await shows(url, f"{oom} 2")
        await shows(url, 'tidegauge_source_up{source="errors"} 1')

        listed = json.loads(await text(f"{url}/v1/error-patterns"))["patterns"]
        shown = {each["pattern"]: each["count"] for each in listed}
        assert shown["CUDA out of memory"] == 2
        assert shown["failed to process request <*>"] == 1
        by_name = {each["id"]: each for each in listed}
        assert by_name["cuda_out_of_memory"]["class"] == "memory"
        assert "/v1/error-patterns" in await text(url)

        said = [await text(f"{url}{page}") for page in ("/metrics", "/", "/v1/error-patterns")]
        said.append((tmp_path / "serve.log").read_text())
        assert MARKER not in "".join(said).lower()


async def test_an_engine_is_piped_into_it(tmp_path: Path) -> None:
    """`engine 2>&1 | tidegauge serve`: read to its end, and served on after that."""
    url = f"http://127.0.0.1:{free_port()}"
    reader, writer = os.pipe()
    command = [*COMMAND, "--web.listen-address", url.removeprefix("http://"), "--errors.stdin"]
    with (tmp_path / "serve.log").open("wb") as log:
        quiet = config(tmp_path, {"path": str(tmp_path / "none.log")})
        program = subprocess.Popen([*command, *quiet], stdin=reader, stdout=log, stderr=log)
    try:
        os.close(reader)
        await eventually(lambda: _answers(f"{url}/-/ready"), seconds=30, what="serve")
        await asyncio.to_thread(os.write, writer, (OOM * 20_000).encode())  # 1.4 MB, at once
        os.close(writer)
        await shows(url, "tidegauge_log_files 1")
        line = 'tidegauge_log_lines_total{result="skipped"} 0'
        await eventually(lambda: _lacks(url, line), seconds=30, what="a flood")
        assert program.poll() is None
    finally:
        program.terminate()
        assert program.wait(30) == 0


async def _answers(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return response.ok
    except aiohttp.ClientError:
        return False


async def _lacks(url: str, line: str) -> bool:
    return line not in await text(f"{url}/metrics")
