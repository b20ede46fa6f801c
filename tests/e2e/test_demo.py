"""`make demo` as a person meets it: what it prints, how it ends, and what it leaves."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.files import ROOT
from demo.program import Program, eventually
from tidegauge.control.pools import proc
from tidegauge.control.pools.process import MARK

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


async def demo(home: Path, log: Path, *arguments: str) -> Program:
    command = [sys.executable, "-m", "demo.run", "--home", str(home), *arguments]
    return await Program.start("demo", command, log=log, env={"PYTHONPATH": str(ROOT)})


@pytest_asyncio.fixture
async def running(tmp_path: Path) -> AsyncIterator[Program]:
    """A demo that has begun its story."""
    program = await demo(tmp_path / "home", tmp_path / "demo.log")

    async def told() -> bool:
        return "the story begins" in program.log.read_text()

    try:
        await eventually(told, seconds=60, what="the story")
        yield program
    finally:
        await program.stop(grace_seconds=60)


async def test_it_names_every_part_and_ctrl_c_ends_all_of_it(
    running: Program, tmp_path: Path
) -> None:
    said = running.log.read_text()
    parts = ("chat completions", "tidegauge control", "Prometheus", "Alertmanager", "HAProxy")
    for part in (*parts, "alerts are delivered"):
        assert f"  {part}" in said
    assert said.count("http://127.0.0.1:") >= 6
    mark = f"{(tmp_path / 'home' / 'pool').resolve()}:"
    assert len(proc.marked_groups(MARK, mark)) == 2, "an engine and its sidecar"

    second = await demo(tmp_path / "home", tmp_path / "second.log")
    assert await asyncio.wait_for(second.process.wait(), 30) == 1
    assert "a demo is running here; end it, or use --home" in second.log.read_text()

    running.process.send_signal(signal.SIGINT)
    await asyncio.sleep(0.2)
    running.process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(running.process.wait(), 60) == 0
    assert running.log.read_text().rstrip().endswith("stopped; nothing is left running")
    assert proc.marked_groups(MARK, mark) == {}


async def test_it_ends_by_itself_and_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    program = await demo(tmp_path, tmp_path / "demo.log", "--duration", "12")
    assert await asyncio.wait_for(program.process.wait(), 90) == 0, program.log.read_text()
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    assert proc.marked_groups(MARK, f"{(tmp_path / 'pool').resolve()}:") == {}
