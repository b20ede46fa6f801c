"""Do three replicas of the demo's engine serve three times what one serves, on two cores?

Each replica has its CPU allowance (0.4 core). A closed loop keeps four requests under way per
replica; the peer is one replica in the same run. Rounds alternate, the first of each is warm-up.

    .venv/bin/python benchmarks/replicas.py [--allowance auto|cgroup|duty|none] [--seconds 10]
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from demo.model import cached_model  # noqa: E402 - the demo is no installed package
from demo.ports import free_ports  # noqa: E402
from demo.program import Program  # noqa: E402
from tidegauge.inject.prompts import PROMPT_KINDS  # noqa: E402

ROUNDS = 3
GOAL = 2.5
SLOTS = 4


async def main() -> int:
    """Print a JSON line per round, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--allowance", default="auto")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    rates: dict[int, list[float]] = {1: [], 3: []}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(ROUNDS + 1):
            for replicas in sorted(rates, reverse=turn % 2 == 1):
                async with engines(replicas, options.allowance, Path(folder)) as urls:
                    rate = await served_per_second(urls, options.seconds)
                if turn:
                    rates[replicas].append(rate)
                    print(json.dumps({"replicas": replicas, "requests_per_second": round(rate, 2)}))
    ratio = statistics.median(rates[3]) / statistics.median(rates[1])
    goal = {"value": round(ratio, 2), "goal": GOAL, "better": "higher"}
    print(json.dumps({"benchmark": "replicas", "goals": {"three_over_one_ratio": goal}}))
    return 0


@asynccontextmanager
async def engines(number: int, allowance: str, folder: Path) -> AsyncIterator[list[str]]:
    """That many engines, ready; their base URLs."""
    model = await asyncio.to_thread(cached_model, ROOT / ".cache" / "demo")
    ports = free_ports()
    programs = []
    urls = [f"http://127.0.0.1:{port}" for port in (ports.chat, ports.webhook, ports.control)]
    try:
        for url in urls[:number]:
            port = url.rpartition(":")[2]
            command = [
                sys.executable, "-m", "demo.engine", "--model", str(model), "--port", port,
                "--slots", str(SLOTS), "--cpu", "0.4", "--allowance", allowance,
            ]  # fmt: skip
            env = {"PYTHONPATH": str(ROOT)}
            program = await Program.start("engine", command, log=folder / "engine.log", env=env)
            programs.append(program)
            await program.ready(f"{url}/health")
        yield urls[:number]
    finally:
        for program in programs:
            await program.stop()


async def served_per_second(urls: Sequence[str], seconds: float) -> float:
    """Answers per second, each replica with as many requests under way as it has slots."""
    rng, done = np.random.default_rng(1), 0
    deadline = time.monotonic() + seconds

    async def worker(session: aiohttp.ClientSession, url: str) -> None:
        nonlocal done
        while time.monotonic() < deadline:
            prompt = PROMPT_KINDS["chat"](rng)
            ask = {
                "messages": [{"role": "user", "content": prompt.text}],
                "max_tokens": prompt.max_tokens,
                "ignore_eos": True,
                "stream": True,
            }
            async with session.post(f"{url}/v1/chat/completions", json=ask) as answer:
                answer.raise_for_status()
                await answer.read()
            done += time.monotonic() < deadline

    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        await asyncio.gather(*(worker(session, url) for url in urls for _ in range(SLOTS)))
    return done / seconds


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
