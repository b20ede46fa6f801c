"""The real `tidegauge serve`, given exchanges and feedback by who may and who may not."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.e2e.test_serve_reload import serving, shows
from tests.haproxy import free_port
from tests.unit.test_web_inputs import own_address

TOKEN, SECRET = "a-token-that-nobody-guesses", "a-secret-that-two-share"
QUIET = "gpu: {enabled: false}, environment: {enabled: false}, discovery: {enabled: false}"
TRAFFIC = "traffic: {models: [chat], versions: {chat: v2}}, push: {}"
FEEDBACK = "feedback: {categories: [tone], join: 24h}"
HOOK = """
serve:
  %s
  traffic: {models: [chat]}
  push: {}
  feedback:
    webhooks:
      survey:
        id: /data/id
        rating: /data/answers/question=How was it?/answer
        verdicts: {Great: good, Awful: bad}
        when: {/event: survey_response}
        signature: {header: X-Signature, secret_file: %s, message: "{timestamp}.{body}"}
"""
PROMPT = "Swordfish is in this prompt"


async def post(
    url: str, path: str, value: object, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    given = {"Content-Type": "application/json", **(headers or {})}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}{path}", data=body, headers=given) as response,
    ):
        return response.status, json.loads(await response.text())


def exchange(name: str) -> dict[str, object]:
    return {"id": name, "model": "chat", "duration_seconds": 0.5, "prompt": PROMPT}


async def test_exchanges_and_feedback_on_them_in_any_order(tmp_path: Path) -> None:
    config = f"serve: {{{QUIET}, {TRAFFIC}, {FEEDBACK}}}"
    async with serving(tmp_path, config) as (_, url):
        assert (await post(url, "/v1/feedback", {"id": "b", "thumb": "up"}))[0] == 200
        await shows(url, "llm_feedback_waiting 1")
        lines = [exchange("a"), {"model": "chat"}, exchange("b"), exchange("c")]
        batch = "\n".join(map(json.dumps, lines)).encode()
        kind = {"Content-Type": "application/x-ndjson"}
        status, said = await post(url, "/v1/exchanges", batch, kind)
        assert status == 200
        assert said == {
            "accepted": 3,
            "rejected": 1,
            "errors": [{"index": 1, "error": "duration_seconds: is missing"}],
        }
        heard = [
            {"id": "a", "rating": 1, "category": "tone", "comment": PROMPT},
            {"id": "a", "rating": 1},
            {"id": "c", "rating": 5, "category": PROMPT},
            {"id": "c", "rating": 2},
        ]
        assert (await post(url, "/v1/feedback", heard))[0] == 200
        joined = 'llm_feedback_total{model="chat",version="v2",verdict='
        await shows(url, f'{joined}"bad",category="tone"}} 1')
        await shows(url, f'{joined}"good"}} 1')
        await shows(url, f'{joined}"good",category="other"}} 1')
        for result, n in (("joined", 2), ("early", 1), ("duplicate", 1), ("changed", 1)):
            await shows(url, f'llm_feedback_joined_total{{result="{result}"}} {n}')
        changed = 'llm_feedback_changed_total{model="chat",version="v2",was="good",verdict="bad"}'
        await shows(url, f"{changed} 1")
        await shows(url, 'tidegauge_input_items_total{input="exchanges",result="rejected"} 1')
        await shows(url, "llm_traffic_requests_started_total 3")
        # A reload that changes the categories keeps what it knows of answers, and so its counts.
        changed_config = config.replace("[tone]", "[tone, facts]")
        (tmp_path / "tidegauge.yml").write_text(changed_config)
        async with aiohttp.ClientSession() as session:
            assert (await session.post(f"{url}/-/reload")).status == 200
        assert (await post(url, "/v1/feedback", {"id": "a", "rating": 1}))[0] == 200
        await shows(url, 'llm_feedback_joined_total{result="duplicate"} 2')
        assert "Swordfish" not in await scraped(url)
        assert "Swordfish" not in (tmp_path / "serve.log").read_text()


async def scraped(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as response:
        return await response.text()


async def test_feedback_long_after_its_answer_and_feedback_in_vain(tmp_path: Path) -> None:
    feedback = "feedback: {join: 500ms, wait: 500ms}"
    async with serving(tmp_path, f"serve: {{{QUIET}, {TRAFFIC}, {feedback}}}") as (_, url):
        assert (await post(url, "/v1/exchanges", exchange("a")))[0] == 200
        await asyncio.sleep(0.7)
        assert (await post(url, "/v1/feedback", {"id": "a", "thumb": "up"}))[0] == 200
        assert (await post(url, "/v1/feedback", {"id": "nobody's", "thumb": "down"}))[0] == 200
        await shows(url, 'llm_feedback_joined_total{result="expired"} 1')
        await shows(url, 'llm_feedback_joined_total{result="unknown"} 1')
        nobodys = 'llm_feedback_total{verdict="'
        await shows(url, f'{nobodys}good"}} 1')
        await shows(url, f'{nobodys}bad"}} 1')


async def test_who_is_not_of_this_machine_needs_a_token(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(TOKEN)
    inputs = f"inputs: {{token_file: {tmp_path}/tokens}}"
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    item = {"id": "a", "thumb": "up"}
    config = f"serve: {{{QUIET}, {TRAFFIC}, {FEEDBACK}, {inputs}}}"
    address = own_address()
    flags = ("--web.listen-address", f"{address}:0") if address else ()
    async with serving(tmp_path, config, *flags) as (program, url):
        proxied = {"X-Forwarded-For": "192.0.2.7"}
        assert (await post(url, "/v1/feedback", item))[0] == 200
        assert (await post(url, "/v1/feedback", item, proxied))[0] == 401
        assert (await post(url, "/v1/exchanges", exchange("a"), proxied))[0] == 401
        assert (await post(url, "/v1/feedback", item, proxied | bearer))[0] == 200
        if address:
            port = next(p for p in listening(program.process.pid) if p != int(url.split(":")[-1]))
            outside = f"http://{address}:{port}"
            assert (await post(outside, "/v1/feedback", item))[0] == 401
            assert (await post(outside, "/v1/feedback", item, bearer))[0] == 200
        (tmp_path / "tidegauge.yml").write_text(config.replace(inputs, "inputs: {}"))
        async with aiohttp.ClientSession() as session:
            assert (await session.post(f"{url}/-/reload")).status == 200
        status, said = await post(url, "/v1/feedback", item, proxied | bearer)
        assert status == 403
        assert "serve.inputs.token_file" in str(said)
        await shows(url, 'tidegauge_input_requests_total{input="exchanges",code="401"} 1')
        rejected = 'tidegauge_input_rejected_total{input="feedback",reason="not_configured"} 1'
        await shows(url, rejected)


def listening(pid: int) -> list[int]:
    """Ports that a process of this machine accepts connections at, as the kernel tells."""
    sockets = {
        link.readlink().name.removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink()
    }
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in sockets]


async def test_a_webhook_is_let_in_by_its_signature(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"the-secret-of-before\n{SECRET}\n")
    async with serving(tmp_path, HOOK % (QUIET.replace(", ", "\n  "), tmp_path / "secret")) as (
        _,
        url,
    ):
        path = "/v1/feedback/hooks/survey"
        answers = [{"question": "How was it?", "answer": "Great"}, {"question": "Why?"}]
        survey = {"event": "survey_response", "data": {"id": "a", "answers": answers}}
        assert (await post(url, "/v1/exchanges", exchange("a")))[0] == 200
        body = json.dumps(survey).encode()
        now = str(int(time.time()))
        outside = {"X-Forwarded-For": "192.0.2.7"}
        assert (await post(url, path, body))[0] == 401
        assert (await post(url, path, body, signed(now, body, "wrong-secret-altogether")))[0] == 401
        assert (await post(url, path, body, signed("1000000000", body)))[0] == 401
        assert (await post(url, path, body, signed(now, body + b" ")))[0] == 401
        said = await post(url, path, body, outside | signed(now, body))
        assert said == (200, {"accepted": 1, "ignored": 0})
        test = b'{"event": "test_message"}'
        assert (await post(url, path, test, signed(now, test)))[1] == {"accepted": 0, "ignored": 1}
        other = b'{"event": "survey_response", "data": {"Swordfish": 1}}'
        status, refused = await post(url, path, other, signed(now, other))
        assert status == 400
        assert refused == {
            "error": {"message": "id: there is no id at /data/id", "type": "malformed"}
        }
        verdict = 'llm_feedback_total{model="chat",verdict="good"} 1'
        await shows(url, verdict)
        hook = 'input="feedback_hook_survey"'
        await shows(url, f'tidegauge_input_rejected_total{{{hook},reason="signature"}} 4')
        await shows(url, f'tidegauge_input_rejected_total{{{hook},reason="malformed"}} 1')


def signed(timestamp: str, body: bytes, secret: str = SECRET) -> dict[str, str]:
    message = timestamp.encode() + b"." + body
    digest = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return {"X-Signature": f"t={timestamp},v1={digest}"}


async def test_feedback_on_what_passed_the_tap_even_while_it_still_streams(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        chunk = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": "Water."}}]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        begun.set()
        await go_on.wait()
        await response.write(b"data: [DONE]\n\n")
        return response

    upstream = web.Application()
    upstream.router.add_post("/v1/chat/completions", stream)
    runner = web.AppRunner(upstream)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    engine, tap = runner.addresses[0][1], free_port()
    traffic = (
        f"traffic: {{listen_address: '127.0.0.1:{tap}', upstream: 'http://127.0.0.1:{engine}', "
        "models: [chat], versions: {chat: v2}}, feedback: {}"
    )
    try:
        async with serving(tmp_path, f"serve: {{{QUIET}, {traffic}}}") as (_, url):
            asked = {"model": "chat", "stream": True, "messages": []}
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"http://127.0.0.1:{tap}/v1/chat/completions", json=asked) as answer,
            ):
                await asyncio.wait_for(begun.wait(), 10)
                said = {"id": "chatcmpl-1", "thumb": "up"}
                assert (await post(url, "/v1/feedback", said))[0] == 200
                await shows(url, "llm_feedback_waiting 1")
                go_on.set()
                assert b"Water." in await answer.read()
            await shows(url, 'llm_feedback_joined_total{result="early"} 1')
            await shows(url, 'llm_feedback_total{model="chat",version="v2",verdict="good"} 1')
    finally:
        await runner.cleanup()
