"""What the rest of the project relies on in llama.cpp's server: seen on the real one."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.engine_fixture import ROOT, RunningEngine, engine, quick_model, running_engine

pytestmark = pytest.mark.e2e
__all__ = ["engine", "quick_model"]

ASK = {"messages": [{"role": "user", "content": "Where is my parcel?"}], "ignore_eos": True}
STREAM = {**ASK, "stream": True, "stream_options": {"include_usage": True}}


@pytest.fixture
async def client() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def events(answer: aiohttp.ClientResponse) -> list[dict[str, object]]:
    lines = [line async for line in answer.content]
    sent = [line.removeprefix(b"data: ").strip() for line in lines if line.startswith(b"data: ")]
    assert sent.pop() == b"[DONE]"
    return [json.loads(event) for event in sent]


async def test_an_answer_has_the_asked_length_and_the_alias(
    engine: RunningEngine, client: aiohttp.ClientSession
) -> None:
    question = {**ASK, "model": "any other", "max_tokens": 7}
    async with client.post(f"{engine.url}/v1/chat/completions", json=question) as answer:
        body = await answer.json()
    assert body["model"] == "chat"
    assert body["usage"]["completion_tokens"] == 7
    assert body["choices"][0]["finish_reason"] == "length"


async def test_a_stream_carries_every_token_and_then_the_usage(
    engine: RunningEngine, client: aiohttp.ClientSession
) -> None:
    question = {**STREAM, "max_tokens": 9}
    async with client.post(f"{engine.url}/v1/chat/completions", json=question) as answer:
        sent = await events(answer)
    deltas = [event["choices"][0]["delta"].get("content") for event in sent if event["choices"]]
    assert len([text for text in deltas if text]) == 9
    assert "".join(filter(None, deltas)).isprintable()
    assert sent[-1]["choices"] == []
    assert sent[-1]["usage"]["completion_tokens"] == 9


async def test_text_completions_work_too(
    engine: RunningEngine, client: aiohttp.ClientSession
) -> None:
    question = {"prompt": "Hello", "max_tokens": 5, "ignore_eos": True}
    async with client.post(f"{engine.url}/v1/completions", json=question) as answer:
        body = await answer.json()
    assert body["usage"]["completion_tokens"] == 5


async def test_too_long_a_prompt_is_refused_with_400(
    engine: RunningEngine, client: aiohttp.ClientSession
) -> None:
    async with client.post(
        f"{engine.url}/v1/completions", json={"prompt": "a" * 3000, "max_tokens": 1}
    ) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["type"] == "exceed_context_size_error"


async def test_metrics_count_what_was_served(
    engine: RunningEngine, client: aiohttp.ClientSession
) -> None:
    question = {**ASK, "max_tokens": 6}
    for _ in range(2):
        async with client.post(f"{engine.url}/v1/chat/completions", json=question) as answer:
            assert answer.status == 200
    async with client.get(f"{engine.url}/metrics") as answer:
        text = await answer.text()
    assert "\nllamacpp:tokens_predicted_total 12\n" in text
    assert "\nllamacpp:requests_processing 0\n" in text


async def test_health_and_metrics_answer_while_more_requests_wait_than_there_are_slots(
    quick_model: Path, client: aiohttp.ClientSession
) -> None:
    question = {**STREAM, "max_tokens": 400}
    with running_engine(quick_model, "--cpu", "0.1") as engine:

        async def ask() -> None:
            async with client.post(f"{engine.url}/v1/chat/completions", json=question) as answer:
                await answer.read()

        asking = [asyncio.create_task(ask()) for _ in range(40)]
        await asyncio.sleep(1)
        began = time.monotonic()
        async with client.get(f"{engine.url}/health") as answer:
            assert answer.status == 200
        async with client.get(f"{engine.url}/metrics") as answer:
            text = await answer.text()
        assert time.monotonic() - began < 5
        assert "\nllamacpp:requests_processing 4\n" in text
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("allowance", ["auto", "duty", "none"])
async def test_it_ends_at_once_when_told_to_even_with_an_open_stream(
    quick_model: Path, client: aiohttp.ClientSession, allowance: str, ending: signal.Signals
) -> None:
    with running_engine(quick_model, "--allowance", allowance, "--cpu", "0.2") as engine:
        question = {**STREAM, "max_tokens": 900}
        async with client.post(f"{engine.url}/v1/chat/completions", json=question) as answer:
            await answer.content.readline()
            engine.process.send_signal(ending)
            assert await asyncio.to_thread(engine.process.wait, 3) == 0


async def test_it_says_nothing_of_what_was_asked(
    engine: RunningEngine, client: aiohttp.ClientSession
) -> None:
    async with client.post(
        f"{engine.url}/v1/completions", data='{"prompt": "my secret", broken'
    ) as answer:
        assert answer.status == 400
    question = {**ASK, "messages": [{"role": "user", "content": "my secret " * 300}]}
    async with client.post(f"{engine.url}/v1/chat/completions", json=question) as answer:
        assert answer.status == 400
    engine.process.terminate()
    out, err = await asyncio.to_thread(engine.process.communicate)
    assert "secret" not in out + err


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    "model, status, message",
    [
        pytest.param("absent.gguf", 2, "absent.gguf: no such file", id="no such file"),
        pytest.param("garbage.gguf", 1, "llama.cpp did not start", id="no model in the file"),
        pytest.param(None, 1, "couldn't bind", id="a port that is taken"),
    ],
)
def test_what_cannot_be_served_is_said(
    quick_model: Path, tmp_path: Path, taken_port: int, model: str | None, status: int, message: str
) -> None:
    (tmp_path / "garbage.gguf").write_text("garbage")
    path = quick_model if model is None else tmp_path / model
    command = [sys.executable, "-m", "demo.engine", "--model", str(path), "--port", str(taken_port)]
    ended = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == status
    assert message in ended.stderr
