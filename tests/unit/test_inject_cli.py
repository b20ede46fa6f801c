"""`tidegauge inject` as its users run it: a program, its output and its exit status."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from tidegauge.cli import inject as command

PROGRAM = (
    "import argparse, sys\n"
    "from tidegauge.cli import inject\n"
    "parser = argparse.ArgumentParser(prog='tidegauge')\n"
    "inject.add_parser(parser.add_subparsers(dest='command'))\n"
    "arguments = parser.parse_args(['inject', *sys.argv[1:]])\n"
    "sys.exit(arguments.run(arguments))\n"
)
SOURCES = Path(__file__).parents[2] / "exporter"
QUICK = ("--rate", "0s:40,1s:40", "--seed", "3")
DONE = b'data: {"choices": [{"text": "la"}]}\n\ndata: [DONE]\n\n'


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.out)
        return document


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
    )


async def ended(process: asyncio.subprocess.Process) -> Ended:
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


async def inject(*arguments: str) -> Ended:
    return await ended(await start(*arguments))


@dataclass(slots=True)
class Server:
    url: str = ""
    seen: int = 0
    fail_every: int = 10**9
    seconds: float = 0.0

    async def respond(self, request: web.Request) -> web.StreamResponse:
        self.seen += 1
        if self.seen % self.fail_every == 0:
            return web.Response(status=500)
        await asyncio.sleep(self.seconds)
        return web.Response(body=DONE, content_type="text/event-stream")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_post("/v1/completions", server.respond)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def test_a_run_where_all_is_well(server: Server, tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    run = await inject(
        *("--url", server.url, "--endpoint", "completions", *QUICK, "--results", str(results))
    )
    assert (run.status, run.err) == (0, "")
    assert run.summary["ok"] == run.summary["sent"] == run.summary["due"] == server.seen
    assert 15 < server.seen < 70
    assert run.summary["tokens"] == server.seen
    assert run.summary["failed"] == {}
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert len(lines) == server.seen
    assert {line["outcome"] for line in lines} == {"ok"}
    assert not {"prompt", "text", "content"} & lines[0].keys()


async def test_a_failed_request_fails_the_run(server: Server) -> None:
    server.fail_every = 10
    run = await inject("--url", server.url, "--endpoint", "completions", *QUICK)
    assert run.status == 1
    assert run.summary["failed"] == {"http_error": server.seen // 10}


async def test_an_interrupt_ends_with_a_summary(server: Server) -> None:
    server.seconds = 0.05
    process = await start(
        *("--url", server.url, "--endpoint", "completions", "--rate", "20", "--duration", "10m")
    )
    while server.seen < 5:
        await asyncio.sleep(0.02)
    process.send_signal(signal.SIGINT)
    run = await ended(process)
    assert run.status == 0
    assert run.summary["ok"] == run.summary["sent"] == server.seen
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    "arguments,message",
    [
        pytest.param(("--url", "http://192.0.2.1", "--rate", "1"),
                     "--url http://192.0.2.1: is not this machine; --allow-remote", id="remote"),
        pytest.param(("--url", "127.0.0.1:80", "--rate", "1"),
                     "--url 127.0.0.1:80: must be http://HOST:PORT", id="no URL"),
        pytest.param(("--rate", "1"), "--url None: must be http", id="no target"),
        pytest.param(("--url", "http://127.0.0.1:9"), "--rate or --trace is needed", id="no rate"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "2"),
                     "--duration None: must be given", id="a rate without end"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "0s:x"),
                     "'x' is no rate", id="rate"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "1", "--body", "[1]"),
                     "--body [1]: is no JSON object", id="body"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "1", "--body", '{"stream": true}'),
                     "must be without stream", id="stream in body"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "1", "--prompts", "poem"),
                     "'poem' is no kind of prompt", id="kind"),
        pytest.param(("--url", "http://127.0.0.1:9", "--trace", "/nowhere.csv"),
                     "/nowhere.csv: No such file", id="trace"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "1", "--stream-share", "2"),
                     "--stream-share 2.0: must be 0 to 1", id="share"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "1", "--users", "-1"),
                     "--users -1: must be 0 or more", id="users"),
        pytest.param(("--url", "http://127.0.0.1:9", "--rate", "1", "--speed", "0"),
                     "--speed 0.0: must be above 0", id="speed"),
        pytest.param(("--write-prompts", "x", "--prompts", "0s:chat,9s:code"),
                     "--write-prompts takes a single kind", id="two kinds to write"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    parser = argparse.ArgumentParser(prog="tidegauge")
    command.add_parser(parser.add_subparsers(dest="command"))
    parsed = parser.parse_args(["inject", *arguments])
    assert parsed.run(parsed) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("tidegauge inject: error: ")
    assert message in printed.err
    assert printed.err.count("\n") == 1


async def test_a_trace_sets_the_moments(server: Server, tmp_path: Path) -> None:
    trace = tmp_path / "trace.csv"
    moments = [f"2024-01-01 00:00:{second:02}.5" for second in (0, 10, 20, 40)]
    trace.write_text("\n".join(["TIMESTAMP,ContextTokens,GeneratedTokens", *moments]))
    results = tmp_path / "results.jsonl"
    run = await inject(
        *("--url", server.url, "--endpoint", "completions", "--trace", str(trace)),
        *("--speed", "100", "--results", str(results)),
    )
    assert run.status == 0
    at = [json.loads(line)["at_seconds"] for line in results.read_text().splitlines()]
    assert at == [0.0, 0.1, 0.2, 0.4]


@pytest.mark.parametrize(
    "body,keys",
    [
        pytest.param('{"ignore_eos": true}', {"prompt", "completion_tokens"}, id="length is known"),
        pytest.param("{}", {"prompt"}, id="length is up to the model"),
    ],
)
async def test_prompts_are_written_for_a_reference(
    tmp_path: Path, body: str, keys: set[str]
) -> None:
    file = tmp_path / "prompts.jsonl"
    arguments = ("--write-prompts", str(file), "--count", "120", "--prompts", "code", "--seed", "1")
    run = await inject(*arguments, "--body", body)
    assert (run.status, run.err) == (0, "")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 120
    assert all(line.keys() == keys for line in lines)
