"""Record llama.cpp's /metrics, idle, under load and after, for the engine tests.

`.venv/bin/python scripts/record_llamacpp.py` starts the pinned server with the demo's model and
writes tests/fixtures/engines/llamacpp-<build>/. A new build is a new folder; old ones stay, for
users run old servers.
"""

import asyncio
import contextlib
import importlib.metadata
import json
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

ROOT = Path(__file__).resolve().parents[1]
SLOTS = 4
REQUESTS = 4 * SLOTS
MAX_TOKENS = 24
TOPIC = "Where is my parcel, number {number}, that I sent back to your shop {number} weeks ago?"


def main() -> None:
    folder = ROOT / "tests" / "fixtures" / "engines" / f"llamacpp-{build()}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in asyncio.run(captures()).items():
        (folder / name).write_text(text)
    print(f"recorded {folder.relative_to(ROOT)}")


async def captures() -> dict[str, str]:
    """What to keep, by file name."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    with tempfile.TemporaryDirectory() as models:
        async with engine(Path(models)) as url, aiohttp.ClientSession(connector=connector) as http:
            await wait_until_healthy(http, url)
            idle = await metrics(http, url)
            asking = [asyncio.create_task(ask(http, url, number)) for number in range(REQUESTS)]
            load = await under_load(http, url)
            usage = await asyncio.gather(*asking)
            after = await metrics(http, url)
    seen = {"requests": REQUESTS, "slots": SLOTS, "usage": usage}
    return {
        "idle.prom": idle,
        "load.prom": load,
        "after.prom": after,
        "client.json": json.dumps(seen) + "\n",
    }


def build() -> str:
    """llama.cpp's build number; the binding's version ends in it."""
    return "b" + importlib.metadata.version("xllamacpp").rpartition(".")[2]


@contextlib.asynccontextmanager
async def engine(models: Path) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    sys.path.insert(0, str(ROOT))
    from demo.model import cached_model  # noqa: PLC0415 - the repository's root is no package path

    model = await asyncio.to_thread(cached_model, models)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.engine", "--model", str(model), "--port", str(port)),
        *("--slots", str(SLOTS), "--cpu", "0.2"),
        cwd=ROOT,
    )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def wait_until_healthy(http: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with http.get(f"{url}/health") as answer:
                    if answer.ok:
                        return
            await asyncio.sleep(0.1)


async def under_load(http: aiohttp.ClientSession, url: str) -> str:
    """The metrics once requests have ended, all slots are busy and others wait.

    Tokens are counted when their request ends, so that a capture before that holds zeros.
    """
    async with asyncio.timeout(60):
        while True:
            text = await metrics(http, url)
            values = dict(line.split() for line in text.splitlines() if not line.startswith("#"))
            ended = values["llamacpp:tokens_predicted_total"] != "0"
            waiting = values["llamacpp:requests_deferred"] != "0"
            if ended and waiting and values["llamacpp:requests_processing"] == str(SLOTS):
                return text
            await asyncio.sleep(0.05)


async def ask(http: aiohttp.ClientSession, url: str, number: int) -> dict[str, int]:
    question = {
        "messages": [{"role": "user", "content": TOPIC.format(number=number)}],
        "max_tokens": MAX_TOKENS,
        "ignore_eos": True,
    }
    async with http.post(f"{url}/v1/chat/completions", json=question) as answer:
        answer.raise_for_status()
        usage = (await answer.json())["usage"]
    return {name: usage[name] for name in ("prompt_tokens", "completion_tokens")}


async def metrics(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(f"{url}/metrics") as answer:
        answer.raise_for_status()
        return await answer.text()


if __name__ == "__main__":
    main()
