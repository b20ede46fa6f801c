"""`tidegauge control` as a process: what a signal does to it."""

import asyncio
import json
import signal
import sys
from pathlib import Path

from demo.program import Program, eventually
from tests.haproxy import free_port

COMMAND = [sys.executable, "-m", "tidegauge.cli.main", "control"]


async def test_sighup_ends_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    pool = {
        "name": "chat",
        "replicas": {"min": 1, "max": 1},
        "scaling": {"capacity": 1, "demand": "vector(0)", "reporting": "vector(1)"},
        "process": {
            "run_dir": str(tmp_path / "run"),
            "ports": ["engine"],
            "serve": "engine",
            "scrape": "engine",
            "parts": [
                {"name": "engine", "command": ["true"], "ready": "http://127.0.0.1:{engine}/"}
            ],
        },
        "haproxy": {"socket": str(tmp_path / "haproxy.sock"), "backend": "chat"},
    }
    control = {
        "listen_address": address,
        "prometheus": {"url": "http://127.0.0.1:1"},
        "pools": [pool],
    }
    config, log = tmp_path / "tidegauge.yml", tmp_path / "control.log"
    config.write_text(json.dumps({"control": control}))
    command = [*COMMAND, "--config.file", str(config), "--dry-run"]
    program = await Program.start("control", command, log=log)
    try:
        await program.ready(f"http://{address}/-/healthy")
        program.process.send_signal(signal.SIGHUP)

        async def said() -> bool:
            return 'level=warning msg="configuration not reloaded"' in log.read_text()

        await eventually(said, seconds=60, what="the warning")
        await program.ready(f"http://{address}/-/healthy")
        program.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(program.process.wait(), 60) == 0
    finally:
        await program.stop()
