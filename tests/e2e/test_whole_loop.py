"""The demo in short, on the real parts: llama.cpp, HAProxy, Prometheus, Alertmanager.

The tests of this file share one stack and run in order: each leaves it with one idle replica.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
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
from tidegauge.control.routes.haproxy import HaproxyRoute

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(480),
]

READY = f'llm_pool_ready_replicas{{pool="{POOL}"}}'
DESIRED = f'llm_pool_desired_replicas{{pool="{POOL}"}}'
# The stand-in's devices want a reset and wait for a remap, so that each series has a value to tell.
WELL = {"nvmlDeviceGetFieldValues/144": (0, 1), "nvmlDeviceGetFieldValues/230": (0, 1)}
# Signals that the story moves, on a machine that is late, too.
MOVED = {
    "time_to_first_token_p95",
    "inter_token_p95",
    "queue_time_p95",
    "tokens_per_replica",
    "drift_score",
}
STREAM_SECONDS = 5
SHORTEST, LONGEST = 200, 900  # tokens of a stream; a slot holds 1024
# Signals with a value here from their first rate on; bands want more time than these tests take.
MEASURED = tuple(
    f'llm_signal_value{{detector!="rules", signal=~"{signal}"'
    for signal in (
        "time_to_first_token_p95",
        "inter_token_p95",
        "error_ratio",
        "tokens_per_replica",
        "drift_score",
    )
)
LOST = f'llm_pool_replica_failures_total{{pool="{POOL}",reason="died"}}'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(
    tmp_path_factory: pytest.TempPathFactory, nvml_library: Path
) -> AsyncIterator[Asking]:
    home = tmp_path_factory.mktemp("stack")
    gpus = NvmlControl(home.parent / "nvml-control", gpus=2)
    for gpu in range(2):
        gpus.values(gpu, WELL)
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
    usual = {"--url": url, "--model": MODEL, "--body": '{"ignore_eos": true}'}
    words = [word for pair in usual.items() for word in pair]
    return [sys.executable, "-m", "tidegauge.cli.main", "inject", *words, *arguments]


async def load(asking: Asking, name: str, command: list[str]) -> Program:
    log = asking.stack.files.logs / f"{name}.log"
    program = await Program.start(name, command, log=log, env=asking.stack.env)
    asking.stack.programs[name] = program
    return program


def summary(program: Program) -> dict[str, Any]:
    """What `tidegauge inject` said last."""
    return json.loads("{" + program.log.read_text().rpartition("\n{")[2])


async def test_the_story(asking: Asking) -> None:
    """1 to 3 to 1 without a request lost, and a drift alert that comes and goes."""
    story = Story(seconds=240)
    url = asking.stack.url(asking.stack.ports.chat)
    words = inject_command(story, url=url, model=MODEL, seed=7)
    command = [sys.executable, "-m", "tidegauge.cli.main", *words, "--stream-share", "0.8"]
    begun = time.time()
    program = await load(asking, "story", command)
    await program.process.wait()

    told = summary(program)
    assert told["failed"] == {}
    assert (told["shed"], told["abandoned"]) == (0, 0)
    assert told["ok"] == told["sent"] > 500
    assert program.process.returncode == 0
    failed = await asking.history('sum(llm_traffic_requests_total{outcome!="ok"})')
    assert {value for series in failed for _, value in series["values"]} == {"0"}

    await asking.becomes(READY, 1, seconds=90)
    sizes = await asking.sizes(DESIRED)
    top = sizes.index(3)
    bottom = sizes.index(1, top)  # what a chance burst asks for after that is another story
    assert sizes[: top + 1] == sorted(sizes[: top + 1]), "it grows"
    assert sizes[top : bottom + 1] == sorted(sizes[top : bottom + 1], reverse=True), "it shrinks"
    assert (sizes[0], sizes[-1]) == (1, 1)
    assert max(await asking.sizes(READY)) == 3

    await asking.delivery("LLMInputDrift", "firing", seconds=1)
    await asking.delivery("LLMInputDrift", "resolved", seconds=30)
    firing = await asking.history('ALERTS{alertname="LLMInputDrift",alertstate="firing"}')
    first = min(series["values"][0][0] for series in firing)
    assert begun + story.seconds / 3 < first < begun + story.seconds * 2 / 3
    tops = await asking.history('llm_drift_top_channel_info{side="inputs"}')
    assert any(series["metric"]["channel"].startswith("prompt_") for series in tops), "it is named"
    # A slow machine may be late with answers at the peak, or with the very first scrapes, and say
    # so. Nothing else is wrong.
    late = {"LLMLatencyObjectiveBurning", "LLMQueueGrowing", "LLMPoolAtMaximum"}
    late |= {"TidegaugeQueryFailing", "LLMSignalAnomalous"}
    assert {alert.name for alert in asking.delivered()} - late == {"LLMInputDrift"}
    # Load and prompts are unlike all before them. Nothing else is.
    unusual = {dict(alert.labels)["signal"] for alert in asking.delivered("LLMSignalAnomalous")}
    assert unusual <= MOVED
    bands = await asking.history('llm_signal_upper{detector!="rules"}')
    known = {series["metric"]["signal"] for series in bands}
    assert {"inter_token_p95", "tokens_per_replica"} <= known


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

    async def replaced() -> bool:
        return name not in asking.replicas()

    # Until a scrape says otherwise, the one that is ready is the one that was killed.
    await eventually(replaced, seconds=30, what=f"{name} replaced")
    await asking.becomes(READY, 1, seconds=30)
    assert len(asking.process_groups()) == 2, "an engine and its sidecar"


async def test_a_restarted_haproxy_is_told_its_servers_again(asking: Asking) -> None:
    before = asking.replicas()
    await asking.stack.stop("haproxy")
    await asking.stack.start_haproxy()
    await asking.stack.serving()
    assert asking.replicas() == before


async def test_a_controller_killed_while_it_scales_up_ends_at_the_right_size(
    asking: Asking,
) -> None:
    await load(asking, "burst", inject(asking, "--rate", "0s:6,90s:6", "--seed", "3"))

    async def scaling() -> bool:
        return len(asking.replicas()) > 1

    await eventually(scaling, seconds=60, what="a second replica")
    await asking.kill_control()
    await asyncio.sleep(3)
    await asking.stack.start_control()
    await asking.becomes(READY, 3, seconds=60)
    recorded = {pid for pids in asking.replicas().values() for pid in pids.values()}
    assert asking.process_groups() == recorded


async def test_without_prometheus_a_pool_without_load_keeps_its_size(asking: Asking) -> None:
    """The burst that made it grow ends meanwhile; not to know is not to know that it ended."""
    before = asking.replicas()
    assert len(before) == 3
    await asking.stack.stop("prometheus")
    burst = asking.stack.programs["burst"]
    await asyncio.wait_for(burst.process.wait(), 150)
    assert burst.process.returncode == 0, burst.log.read_text()
    series = f'tidegauge_query_errors_total{{pool="{POOL}",reason="unreachable"}} '
    failures = 4 + await unanswered(asking, series)

    async def went_on_asking() -> bool:
        return await unanswered(asking, series) >= failures

    await eventually(went_on_asking, seconds=30, what="queries that fail")
    assert asking.replicas() == before
    await asking.stack.start_prometheus()


async def test_a_pool_that_shrinks_cuts_no_stream(asking: Asking) -> None:
    """Two long streams are open on every replica, all the time, while it goes from three to one."""
    assert len(asking.replicas()) == 3
    done = asyncio.Event()
    streams = [asyncio.create_task(streaming(asking, done)) for _ in range(6)]
    drained = asyncio.create_task(drained_with_streams(asking, done))
    await asking.becomes(READY, 1, seconds=180)
    # Streams go on until the others are gone: a replica that only missed a check is not draining.
    await asking.runs(groups=2, seconds=180)
    done.set()
    ends = [end for stream in streams for end in await stream]
    assert len(ends) > 6
    assert set(ends) == {b"data: [DONE]"}
    assert await drained, "no stream was open while a replica drained"


async def drained_with_streams(asking: Asking, done: asyncio.Event) -> set[str]:
    """Replicas that HAProxy had drain while requests were under way on them, watched closely."""
    route = HaproxyRoute(asking.stack.files.socket, POOL, POOL, 1, 2)
    seen = set()
    while not done.is_set():
        members = await route.members()
        seen |= {each.name for each in members if each.state == "drain" and each.connections}
        await asyncio.sleep(0.05)
    return seen


async def streaming(asking: Asking, done: asyncio.Event) -> list[bytes]:
    """One long stream after the other until `done`; the last line of each.

    As long as takes about `STREAM_SECONDS` on this machine: on a fast one, six short streams that
    begin anew as they end would be load enough to keep three replicas.
    """
    url = f"{asking.stack.url(asking.stack.ports.chat)}/v1/chat/completions"
    ask = {
        "model": "essays",  # a name that is not scored for drift
        "messages": [{"role": "user", "content": "Tell me everything."}],
        "ignore_eos": True,
        "stream": True,
    }
    ends = []
    tokens = SHORTEST
    async with aiohttp.ClientSession() as session:
        while not done.is_set():
            begun = time.monotonic()
            async with session.post(url, json={**ask, "max_tokens": tokens}) as answer:
                assert answer.status == 200, await answer.text()
                ends.append((await answer.read()).rstrip().rpartition(b"\n")[2])
            fitting = tokens * STREAM_SECONDS / (time.monotonic() - begun)
            tokens = max(SHORTEST, min(LONGEST, round(fitting)))
    return ends


async def unanswered(asking: Asking, series: str) -> float:
    ports = asking.stack.ports
    text = await asking.scrape(ports.at(ports.control))
    (line,) = [line for line in text.splitlines() if line.startswith(series)]
    return float(line.rpartition(" ")[2])


async def test_every_panel_answers(asking: Asking) -> None:
    """Each query of each panel over what the tests above did; asked last, when all has happened."""
    empty = []
    for query in queries():
        expression = filled(query.expr, window=profile()["rate_window"])
        # llama.cpp has no KV cache series, nothing here is ill, and the reference is of requests
        # without times, which have no age; the panels say so. Everything else has an answer.
        may_be_empty = query.needs in {
            "kv_cache",
            "xid",
            "failure",
            "log",
            "feedback",
            "times",
        } or (query.needs == "signal" and not query.expr.startswith(MEASURED))
        if not await asking.history(expression) and not may_be_empty:
            empty.append((query.panel, expression))
    assert empty == []
