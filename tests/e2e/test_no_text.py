"""No text leaves: marker words planted wherever a peer can write are found nowhere.

One real `tidegauge serve` with every door open and everything that it can be told to write or to
send. What passes the tap is its clients' own and is not looked at; all else that leaves is: both
outputs, every answer of the face, the tap's own answers, datagrams both ways, envelopes to Sentry,
requests to the engine, and every file.
"""

import asyncio
import base64
import contextlib
import json
import logging
import signal
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from demo.program import eventually
from tests.e2e import marked
from tests.e2e.leaks import MARK, leaks, mark
from tests.e2e.watched import (
    SECRET,
    Sidecar,
    configure,
    exchanged,
    listening,
    prepare,
    running,
    sniffing,
)
from tests.haproxy import free_port
from tests.otlp import JSON, PROTOBUF, as_json, as_protobuf
from tests.unit.test_forwarding_sentry import ingesting
from tests.vllm_like import served
from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.middleware import Tap

pytestmark = pytest.mark.e2e

NDJSON = "application/x-ndjson"
PAGES = (
    "/",
    "/metrics",
    f"/metrics?name[]={mark('name')}",
    "/-/healthy",
    "/-/ready",
    "/v1/error-patterns",
    f"/v1/error-patterns?{mark('query')}={mark('value')}",
    f"/{mark('page')}?{mark('query')}=%00",
    f"/{mark('folder')}/../%2e%2e/{mark('file')}",
    f"/probe?target={mark('target')}",
    f"/probe?target=http://127.0.0.1:9&module={mark('module')}&{mark('more')}=1",
    "/probe?target=http://127.0.0.1:9",
    f"/v1/feedback/hooks/{mark('hook')}",
)


async def complete(url: str, *asked: tuple[str, marked.Body, str]) -> None:
    """Requests of completions, and whatever comes of them."""
    async with aiohttp.ClientSession() as session:
        for path, body, how in asked:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = {**marked.HEADERS, "X-Answer": how}
            with contextlib.suppress(aiohttp.ClientError):
                async with (
                    session.post(f"http://{url}{path}", data=data, headers=headers) as answer,
                ):
                    assert MARK in str(answer.headers)
                    if how == "hang":  # leave in mid-stream
                        await answer.content.readany()
                    else:
                        await answer.read()


async def through_the_inputs(sidecar: Sidecar, number: int) -> None:
    traces = (
        (as_protobuf(marked.span(number)), PROTOBUF),
        (as_json(marked.span(number + 1)), JSON),
    )
    for body, kind in traces:
        assert await sidecar.ask("POST", "/v1/traces", body, {"Content-Type": kind}) == 200
    assert await sidecar.ask("POST", "/v1/exchanges", marked.PUSHED) == 200
    assert await sidecar.ask("POST", "/v1/feedback", marked.JUDGED) == 200
    assert await sidecar.ask("POST", "/v1/feedback/hooks/survey", marked.SURVEY) == 200
    both = b"\n".join(json.dumps(each).encode() for each in (marked.PUSHED, marked.JUDGED))
    for path in ("/v1/exchanges", "/v1/feedback"):
        assert await sidecar.ask("POST", path, both, {"Content-Type": NDJSON}) == 200
    wrong: list[tuple[str, marked.Body]] = [
        *(("/v1/exchanges", body) for body in marked.WRONGLY_PUSHED),
        *(("/v1/feedback", body) for body in marked.WRONGLY_JUDGED),
        *(("/v1/feedback/hooks/survey", body) for body in marked.WRONG_SURVEYS[1:]),
        ("/v1/traces", mark("notjson").encode()),
        ("/v1/traces", {"resourceSpans": [{"scopeSpans": mark("spans")}]}),
        ("/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [{mark("key"): 1}]}]}]}),
        *((path, mark("body").encode()) for path in (f"/v1/{mark('unknown')}", "/-/quit")),
    ]
    for path, body in wrong:
        assert await sidecar.ask("POST", path, body) >= 400 or path == "/v1/traces"
    await sidecar.ask("POST", "/v1/feedback/hooks/survey", marked.WRONG_SURVEYS[0])
    for path in ("/v1/traces", "/v1/exchanges", "/v1/feedback", "/v1/feedback/hooks/signed"):
        for headers in (
            {"Content-Type": mark("media")},
            {"Content-Type": f"{JSON}; charset={mark('charset')}"},
            {"Content-Encoding": mark("encoding")},
            {"Content-Encoding": "gzip"},
            {"Content-Type": PROTOBUF},
            {"X-Forwarded-For": mark("from"), "X-Signature": f"t={mark('t')},v1={mark('v')}"},
        ):
            await sidecar.ask("POST", path, b"\x1f\x8b\n" + mark("raw").encode(), headers)
    basic = base64.b64encode(mark("user").encode()).decode()
    for credentials in (f"Bearer {mark('token')}", f"Basic {basic}", mark("scheme")):
        proxied = {"X-Forwarded-For": "192.0.2.7", "Authorization": credentials}
        assert await sidecar.ask("POST", "/v1/feedback", marked.JUDGED, proxied) in {401, 403}
    for page in PAGES:
        await sidecar.ask("GET", page)
        await sidecar.ask("GET", page, headers={"Accept": "application/openmetrics-text"})
        await sidecar.ask("DELETE", page)


async def plant(sidecar: Sidecar, program: asyncio.subprocess.Process, application: str) -> None:
    """Markers through every door; each is seen to have measured them."""
    asked = len(marked.ASKED)
    before = sum(v for k, v in (await sidecar.series()).items() if _ENDED in k)
    hung = ("/v1/chat/completions", marked.CHAT | {"stream": True}, "hang")
    await complete(sidecar.tap, *marked.ASKED, hung)
    await sidecar.reaches(before + asked + 1, _ENDED)
    await complete(application, *marked.ASKED)
    await sidecar.reaches(asked, "tidegauge_middleware_exchanges_total")
    await sidecar.reaches(before + 2 * asked + 1, _ENDED)
    await through_the_inputs(sidecar, 10)
    await sidecar.garbage()
    lines = "".join(f"{line}\n" for line in marked.LOG_LINES).encode()
    with (sidecar.folder / "logs" / "engine.log").open("ab") as log:
        log.write(lines)
    assert program.stdin
    program.stdin.write(lines)
    await sidecar.reaches(
        2 * (len(marked.LOG_LINES) - 1), 'tidegauge_log_lines_total{result="read"}'
    )
    for least, *parts in MEASURED:
        await sidecar.reaches(least, *parts)


CLIENT = ClientKey(SECRET.encode(), header="X-Client", field=None).hashed(mark("client"))
_ENDED = "llm_traffic_requests_total{"
MEASURED: tuple[tuple[float, *tuple[str, ...]], ...] = (
    (5, _ENDED, 'model="other"'),
    (1, _ENDED, 'outcome="aborted"'),
    (1, _ENDED, 'outcome="cut"'),
    (2 * len(marked.ASKED), f'llm_traffic_client_requests_total{{client="{CLIENT}"}}'),
    (2, "tidegauge_otlp_spans_total", "counted"),
    (2, "tidegauge_input_items_total", '"exchanges"', "accepted"),
    (9, "tidegauge_input_items_total", '"exchanges"', "rejected"),
    (2, "tidegauge_input_items_total", '"feedback"', "accepted"),
    (1, "tidegauge_input_items_total", "feedback_hook_survey", "accepted"),
    (1, "tidegauge_input_rejected_total", "feedback_hook_signed", "signature"),
    (1, "llm_feedback_total", 'model="chat"', 'category="other"'),
    (1, "llm_feedback_joined_total"),
    (2, "llm_error_patterns_total", "cuda_out_of_memory"),
    (6, "llm_error_patterns_total", 'severity="error"'),
    (1, "tidegauge_traffic_vectors_total", "made"),
    (1, "llm_drift_window_requests", "prompt_punctuation"),
    (1, "tidegauge_forwarded_events_total", '"sentry"', "accepted"),
    (1, "tidegauge_forwarded_events_total", '"ecs"', "accepted"),
    (1, "tidegauge_source_errors_total", 'source="engine"'),
)


async def test_no_marker_is_in_anything_that_the_sidecar_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "tidegauge")
    prepare(tmp_path)
    sidecar = Sidecar(tmp_path, f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    monkeypatch.setenv("TIDEGAUGE_VECTORS", "style")
    monkeypatch.setenv("TIDEGAUGE_VECTOR_BUDGET_RATIO", "1")
    monkeypatch.setenv("TIDEGAUGE_CLIENT_HEADER", "X-Client")
    monkeypatch.setenv("TIDEGAUGE_CLIENT_SECRET_FILE", f"{tmp_path}/secret")
    outside = tmp_path / "outside.sock"
    async with AsyncExitStack() as stack:
        ingest = await stack.enter_async_context(ingesting())
        (tmp_path / "dsn").write_text(ingest.dsn)
        engine = await stack.enter_async_context(listening(sidecar))
        configure(sidecar, engine, level="debug", format="logfmt")
        program = await stack.enter_async_context(running(sidecar))
        await stack.enter_async_context(sniffing(outside, tmp_path / "inside.sock", sidecar))
        tap = Tap(marked.application, socket=str(outside))
        url = await stack.enter_async_context(served(tap, lifespan="off"))
        application = url.removeprefix("http://")

        await plant(sidecar, program, application)
        configure(sidecar, "127.0.0.1:9", level="debug", format="json")
        program.send_signal(signal.SIGHUP)
        await eventually(lambda: _holds(tmp_path / "stderr", b'{"'), seconds=30, what="JSON")
        said = await exchanged(sidecar.tap, marked.TO_NOBODY, seconds=30)
        assert b" 502 " in said
        sidecar.hear("the tap without an engine", said)
        await through_the_inputs(sidecar, 30)
        await sidecar.garbage()
        await ingest.got(3)
    assert [each for each, _ in sidecar.heard if each == "a datagram to the sidecar"]
    assert [each for each, _ in sidecar.heard if each == "a datagram to the middleware"]
    assert [each for each, _ in sidecar.heard if each == "a read of the engine"]
    assert b'"error.type"' in (tmp_path / "stdout").read_bytes()
    for envelope in ingest.raw:
        sidecar.hear("Sentry", envelope)
    for record in caplog.records:
        if record.name.startswith("tidegauge"):
            sidecar.hear("the middleware's log", record.getMessage(), record.exc_text)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != tmp_path / "logs" / "engine.log":
            sidecar.hear(str(path.relative_to(tmp_path)), str(path), path.read_bytes())
    assert leaks(sidecar.heard) == []


async def _holds(path: Path, text: bytes) -> bool:
    return text in path.read_bytes()


@pytest.mark.parametrize(
    "said",
    [
        mark("x"),
        mark("x").upper(),
        mark("x")[::-1],
        mark("x")[:8],
        mark("x").encode().hex(),
        base64.b64encode(mark("x").encode()).decode(),
        base64.b64encode(f"a {mark('x')}".encode()).decode(),
        base64.b64encode(f"so {mark('x')}".encode()).decode(),
        mark("x").encode("utf-16-le").decode("latin-1"),
        "".join(f"%{ord(letter):02X}" for letter in mark("x")),
        "".join(f"\\u{ord(letter):04x}" for letter in mark("x")),
        str(list(mark("x").encode())),
    ],
)
def test_a_marker_is_found_however_it_is_written(said: str) -> None:
    assert leaks([("here", f"before {said} after".encode("latin-1"))])
    assert not leaks([("here", b"before after")])
