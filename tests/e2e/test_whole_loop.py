"""The demo in short, on the real parts: llama.cpp, HAProxy, Prometheus, Alertmanager.

The tests of this file share one stack and run in order: each leaves it with one idle replica.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from dashboards.expressions import filled
from dashboards.overview import queries
from demo.files import MODEL, POOL, ROOT, profile
from demo.ports import free_ports
from demo.program import Program, eventually
from demo.stack import running
from demo.story import Story, inject_command
from tests.e2e.asking import Asking
from tests.nvml.control import NvmlControl

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(480),
]

READY = f'llm_pool_ready_replicas{{pool="{POOL}"}}'
DESIRED = f'llm_pool_desired_replicas{{pool="{POOL}"}}'
LOST = f'llm_pool_replica_failures_total{{pool="{POOL}",reason="died"}}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(
    tmp_path_factory: pytest.TempPathFactory, nvml_library: Path
) -> AsyncIterator[Asking]:
    home = tmp_path_factory.mktemp("stack")
    gpus = NvmlControl(home.parent / "nvml-control", gpus=2)
    async with running(
        home,
        free_ports(),
        cache=ROOT / ".cache" / "demo",
        say=print,
        env=gpus.environment(nvml_library),
    ) as stack:
        yield Asking(stack)
    assert not Asking(stack).process_groups(), "a process was left behind"


def inject(asking: Asking, *arguments: str) -> list[str]:
    url = asking.stack.url(asking.stack.ports.chat)
    body = '{"ignore_eos": true}'
    words = ["inject", "--url", url, "--model", MODEL, "--body", body, *arguments]
    return [sys.executable, "-m", "tidegauge.cli.main", *words]


async def load(asking: Asking, name: str, command: list[str]) -> Program:
    log = asking.stack.files.logs / f"{name}.log"
    program = await Program.start(name, command, log=log, env=asking.stack.env)
    asking.stack.programs[name] = program
    return program


async def test_the_story(asking: Asking) -> None:
    """1 to 3 to 1 without a request lost, and a drift alert that comes and goes."""
    url = asking.stack.url(asking.stack.ports.chat)
    words = inject_command(Story(seconds=240), url=url, model=MODEL, seed=7)
    program = await load(asking, "story", [sys.executable, "-m", "tidegauge.cli.main", *words])
    await asking.becomes(READY, 3, seconds=120)
    await asking.delivery("LLMInputDrift", "firing", seconds=120)
    await asyncio.wait_for(program.process.wait(), 240)

    summary = json.loads("{" + program.log.read_text().rpartition("\n{")[2])
    assert summary["failed"] == {}
    assert (summary["shed"], summary["abandoned"]) == (0, 0)
    assert summary["ok"] == summary["sent"] > 500
    assert program.process.returncode == 0

    await asking.delivery("LLMInputDrift", "resolved", seconds=30)
    assert {alert.status for alert in asking.delivered("LLMInputDrift")} == {"firing", "resolved"}
    await asking.becomes(READY, 1, seconds=60)
    assert set(await asking.sizes(DESIRED)) <= {1, 2, 3}
    assert max(await asking.sizes(READY)) == 3
    assert asking.delivered("LLMReplicaLost") == []
    errors = 'sum(llm_traffic_requests_total{outcome!="ok"})'
    assert await asking.value(errors) == 0


async def test_what_is_exported_has_no_finding(asking: Asking) -> None:
    ports = asking.stack.ports
    for address in (*await asking.targets(), ports.at(ports.control)):
        text = await asking.scrape(address)
        promtool = str(ROOT / ".tools" / "bin" / "promtool")
        said = subprocess.run(
            [promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False
        )
        assert (said.returncode, said.stdout + said.stderr) == (0, "")


async def test_an_engine_killed_is_noticed_alerted_and_replaced(asking: Asking) -> None:
    ((name, pids),) = asking.replicas().items()
    os.kill(pids["engine"], signal.SIGKILL)
    await asking.becomes(LOST, 1, seconds=30)
    await asking.delivery("LLMReplicaLost", "firing", seconds=30)
    await asking.becomes(READY, 1, seconds=30)
    assert name not in asking.replicas()
    assert len(asking.process_groups()) == 2, "an engine and its sidecar"


async def test_a_restarted_haproxy_is_told_its_servers_again(asking: Asking) -> None:
    before = asking.replicas()
    await asking.stack.stop("haproxy")
    await asking.stack.start_haproxy()
    await asking.stack.serving()
    assert asking.replicas() == before


async def test_without_prometheus_the_pool_keeps_its_size(asking: Asking) -> None:
    before = asking.replicas()
    await asking.stack.stop("prometheus")
    ports = asking.stack.ports

    async def noticed() -> bool:
        text = await asking.scrape(ports.at(ports.control))
        series = f'tidegauge_query_errors_total{{pool="{POOL}",reason="unreachable"}} '
        (line,) = [line for line in text.splitlines() if line.startswith(series)]
        return float(line.rpartition(" ")[2]) >= 4

    await eventually(noticed, seconds=30, what="queries that fail")
    assert asking.replicas() == before
    await asking.stack.start_prometheus()
    await asking.becomes(READY, 1, seconds=30)


async def test_a_controller_killed_while_it_scales_up_ends_at_the_right_size(
    asking: Asking,
) -> None:
    program = await load(asking, "burst", inject(asking, "--rate", "0s:6,60s:6", "--seed", "3"))

    async def scaling() -> bool:
        return len(asking.replicas()) > 1

    await eventually(scaling, seconds=60, what="a second replica")
    await asking.kill_control()
    await asyncio.sleep(3)
    await asking.stack.start_control()
    await asking.becomes(READY, 3, seconds=60)
    await asyncio.wait_for(program.process.wait(), 120)
    assert program.process.returncode == 0, program.log.read_text()
    recorded = {pid for pids in asking.replicas().values() for pid in pids.values()}
    assert asking.process_groups() == recorded
    await asking.becomes(READY, 1, seconds=120)
    assert len(asking.process_groups()) == 2


async def test_every_panel_answers(asking: Asking) -> None:
    """Each query of each panel over what the tests above did; asked last, when all has happened."""
    empty = []
    for query in queries():
        expression = filled(query.expr, window=profile()["rate_window"])
        # llama.cpp has no KV cache series; the panel says so. Everything else has an answer.
        if not await asking.history(expression) and query.needs != "kv_cache":
            empty.append((query.panel, expression))
    assert empty == []
