"""Record answers of an engine as raw bytes, for the tests of the wire parser.

`.venv/bin/python -m scripts.record_streams` starts the pinned llama.cpp with a small model and
writes tests/fixtures/streams/llamacpp-<build>/; with `vllm-0.32 http://127.0.0.1:8000` it asks a
vLLM that runs there and serves "chat", with tools, up to 1024 tokens. A new version is a new
folder; old ones stay, for users run old servers. A file's first line is what was asked and the
answer's head; the rest is its body.
"""

import http.client
import importlib.metadata
import json
import sys
import tempfile
from pathlib import Path

from demo.model import ModelShape, cached_model
from tests.e2e.engine_fixture import running_engine

ROOT = Path(__file__).resolve().parents[1]
SMALL = ModelShape(width=64, layers=2, heads=2, feed_forward=128)
CHAT = "/v1/chat/completions"
TEXT = "/v1/completions"
MESSAGES = {"messages": [{"role": "user", "content": "Where is my parcel?"}], "max_tokens": 3}
PROMPT = {"prompt": "Where is", "max_tokens": 3}
STREAM = {"stream": True}
USAGE = {"stream_options": {"include_usage": True}}
EVERY_USAGE = {"stream_options": {"include_usage": True, "continuous_usage_stats": True}}
TOO_LONG = "parcel " * 200
PARCEL = {
    "type": "object",
    "properties": {"parcel": {"enum": ["a1", "b2"]}},
    "required": ["parcel"],
}
TOOL = {"type": "function", "function": {"name": "find", "parameters": PARCEL}}
TOOLS = {"tools": [TOOL], "tool_choice": "required", "max_tokens": 60}

CASES: dict[str, tuple[str, dict[str, object]]] = {
    "chat": (CHAT, {**MESSAGES}),
    "chat-stream": (CHAT, {**MESSAGES, **STREAM}),
    "chat-stream-usage": (CHAT, {**MESSAGES, **STREAM, **USAGE}),
    "chat-two": (CHAT, {**MESSAGES, "n": 2}),
    "chat-two-stream": (CHAT, {**MESSAGES, **STREAM, "n": 2}),
    "chat-two-stream-usage": (CHAT, {**MESSAGES, **STREAM, **USAGE, "n": 2}),
    "chat-logprobs-stream": (CHAT, {**MESSAGES, **STREAM, "logprobs": True, "top_logprobs": 2}),
    "text": (TEXT, {**PROMPT}),
    "text-stream": (TEXT, {**PROMPT, **STREAM}),
    "text-batch": (TEXT, {**PROMPT, "prompt": ["Where is", "Who has it"]}),
    "text-batch-stream": (TEXT, {**PROMPT, **STREAM, "prompt": ["Where is", "Who has it"]}),
    "text-token-ids": (TEXT, {**PROMPT, "prompt": [70, 71, 72], "logprobs": 1}),
    "error-not-messages": (CHAT, {"messages": 5}),
    "error-too-long": (TEXT, {**PROMPT, "prompt": TOO_LONG}),
    "error-too-long-stream": (
        CHAT,
        {**STREAM, "messages": [{"role": "user", "content": TOO_LONG}], "max_tokens": 3},
    ),
    "error-no-ollama": ("/api/chat", {**MESSAGES}),
}
OF_LLAMACPP = {
    "chat-stream-timings": (CHAT, {**MESSAGES, **STREAM, **USAGE, "timings_per_token": True}),
    "error-grammar-stream": (TEXT, {**PROMPT, **STREAM, "grammar": "root ::= ("}),
}
OF_VLLM = {
    "chat-tools": (CHAT, {**MESSAGES, **TOOLS}),
    "chat-tools-stream": (CHAT, {**MESSAGES, **STREAM, **USAGE, **TOOLS}),
    "chat-two-every-usage": (CHAT, {**MESSAGES, **STREAM, **EVERY_USAGE, "n": 2}),
    "text-batch-every-usage": (
        TEXT,
        {**PROMPT, **STREAM, **EVERY_USAGE, "prompt": ["Where is", "Who has it"]},
    ),
    "text-echo-stream": (TEXT, {**PROMPT, **STREAM, "echo": True, "logprobs": 1}),
    "error-no-such-model": (CHAT, {**MESSAGES, "model": "nobody"}),
}


def main() -> None:
    if sys.argv[1:]:
        name, url = sys.argv[1:]
        record(name, url, {**CASES, **OF_VLLM})
        return
    build = importlib.metadata.version("xllamacpp").rpartition(".")[2]
    with tempfile.TemporaryDirectory() as models:
        model = cached_model(Path(models), SMALL)
        options = ("--allowance", "none", "--alias", "chat", "--context", "256")
        with running_engine(model, *options) as engine:
            record(f"llamacpp-b{build}", engine.url, {**CASES, **OF_LLAMACPP})


def record(engine: str, url: str, cases: dict[str, tuple[str, dict[str, object]]]) -> None:
    """Write a file for each case into the engine's folder."""
    folder = ROOT / "tests" / "fixtures" / "streams" / engine
    folder.mkdir(parents=True, exist_ok=True)
    for name, (path, fields) in cases.items():
        request = {"model": "chat", "seed": 1, **fields}
        (folder / f"{name}.stream").write_bytes(recorded(url, path, request))
    print(f"recorded {folder.relative_to(ROOT)}")


def recorded(url: str, path: str, request: dict[str, object]) -> bytes:
    """What was asked and the answer's head as one line of JSON, then the answer's body."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    connection.request("POST", path, json.dumps(request), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    head = {
        "path": path,
        "request": request,
        "status": answer.status,
        "content_type": answer.getheader("Content-Type", ""),
    }
    return json.dumps(head).encode() + b"\n" + answer.read()


if __name__ == "__main__":
    main()
