"""Everything that a peer of the sidecar can write, with a marker in every part that is text."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping

from aiohttp import web

from tests.e2e.leaks import mark
from tests.otlp import Made

Body = dict[str, object] | list[object] | bytes

CHAT: dict[str, object] = {
    "model": "chat",
    "user": mark("user"),
    "messages": [
        {"role": "system", "content": f"You are {mark('system')}."},
        {"role": mark("role"), "name": mark("name"), "content": mark("content")},
        {"role": "user", "content": [{"type": "text", "text": f"Who is {mark('prompt')}? " * 9}]},
    ],
    "tools": [{"type": "function", "function": {"name": mark("tool"), "parameters": {}}}],
    "stop": [mark("stop")],
    mark("key"): {mark("inner"): mark("value")},
}
ANSWER: dict[str, object] = {
    "id": mark("answerid"),
    "model": mark("servedmodel"),
    "system_fingerprint": mark("fingerprint"),
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": f"It is {mark('answer')}. " * 9,
                "reasoning_content": mark("reasoning"),
                "tool_calls": [{"id": mark("call"), "function": {"name": mark("called")}}],
            },
            "finish_reason": mark("finish"),
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 5, mark("usage"): 1},
}
CHUNK = {
    "id": mark("chunkid"),
    "choices": [{"index": 0, "delta": {"content": f" {mark('chunk')}"}, "finish_reason": None}],
}
ERROR = {"error": {"message": f"no {mark('error')}", "type": mark("errortype"), "code": mark("c")}}
OLLAMA = {
    "model": mark("ollamamodel"),
    "message": {"role": "assistant", "content": mark("ollama")},
    "response": mark("ollamaresponse"),
    "done": True,
    "done_reason": mark("done"),
}
LAST_OF_STREAM = {
    "stream": b"data: [DONE]\n\n",
    "broken": b"data: " + json.dumps(ERROR).encode() + b"\n\n",
    "garbage": b"data: {" + mark("garbage").encode() + b"\n\n" + mark("line").encode() + b"\n\n",
    "cut": b"data: {" + mark("half").encode(),
    "hang": b"",
}
HEADERS = {
    "X-Client": mark("client"),
    "Authorization": f"Bearer {mark('key')}",
    "Cookie": f"a={mark('cookie')}",
    "User-Agent": mark("agent"),
    "Referer": f"http://{mark('referer')}/",
    "X-Request-Id": mark("requestid"),
    f"X-{mark('name')}": "1",
}

# Path, body, and how the engine answers.
ASKED: tuple[tuple[str, Body, str], ...] = (
    ("/v1/chat/completions", CHAT, "whole"),
    ("/v1/chat/completions", CHAT | {"model": mark("model")}, "whole"),
    ("/v1/chat/completions", CHAT, "error"),
    *(
        ("/v1/chat/completions", CHAT | {"stream": True}, how)
        for how in ("stream", "broken", "garbage", "cut")
    ),
    ("/v1/completions", {"model": "chat", "prompt": mark("plain"), "suffix": mark("s")}, "whole"),
    (f"/v1/completions?{mark('query')}={mark('asked')}", {"prompt": [mark("list")]}, "whole"),
    ("/api/chat", {"model": "chat", "messages": [{"content": mark("ollamaprompt")}]}, "ollama"),
    ("/api/generate", {"model": mark("m"), "prompt": mark("g"), "system": mark("s")}, "ollama"),
    ("/v1/chat/completions", b'{"model": "chat", "messages": [' + mark("torn").encode(), "whole"),
    ("/v1/chat/completions", b"\xff\xfe\0" + mark("binary").encode(), "error"),
    ("/v1/chat/completions", [mark("array"), {mark("array"): 1}], "whole"),
    ("/v1/chat/completions", CHAT | {"messages": mark("text"), "stream": mark("x")}, "whole"),
)

SPAN_ATTRIBUTES: dict[str, object] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "chat",
    "gen_ai.response.id": mark("spanid"),
    "gen_ai.response.finish_reasons": [mark("reasons")],
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"content": mark("part")}]}]),
    "gen_ai.prompt": mark("spanprompt"),
    "gen_ai.completion.0.content": mark("spananswer"),
    "server.address": mark("server"),
    "error.type": mark("spanerror"),
    mark("attribute"): mark("attributevalue"),
}


def span(number: int) -> Made:
    """A request that failed, told by a span that no other has the number of."""
    return Made(
        SPAN_ATTRIBUTES,
        (
            ("exception", {"exception.type": mark("type"), "exception.message": mark("message")}),
            ("gen_ai.choice", {"gen_ai.event.content": mark("choice")}),
            (mark("event"), {mark("eventkey"): mark("eventvalue")}),
        ),
        number=number,
        status=2,
    )


PUSHED: dict[str, object] = {
    "id": mark("pushid"),
    "model": "chat",
    "duration_seconds": 1.0,
    "prompt": mark("pushprompt") * 20,
    "answer": mark("pushanswer") * 20,
    "client": mark("pushclient"),
    "finish_reason": mark("pushfinish"),
}
WRONGLY_PUSHED: tuple[Body, ...] = (
    *({**PUSHED, field: mark("wrong")} for field in ("duration_seconds", "status", "route")),
    *({**PUSHED, field: mark("wrong")} for field in ("outcome", "error", "prompt_tokens")),
    {**PUSHED, mark("unknown"): mark("field")},
    {**PUSHED, "gaps_seconds": [mark("gap")], "prompt": [mark("list")]},
    {**PUSHED, "model": [mark("x")], "version": {mark("x"): mark("y")}},
    [mark("text")],
    b'{"duration_seconds": ' + mark("torn").encode(),
    mark("notjson").encode(),
    b"\xff" + mark("binary").encode(),
)
JUDGED: dict[str, object] = {
    "id": mark("pushid"),
    "thumb": "down",
    "category": mark("category"),
    "comment": mark("comment"),
}
WRONGLY_JUDGED: tuple[Body, ...] = (
    *({**JUDGED, field: mark("wrong")} for field in ("thumb", "rating", mark("unknown"))),
    {"id": {mark("x"): 1}, "thumb": "up"},
    {"id": mark("long") * 200, "thumb": "up"},
    b'[{"id": "' + mark("torn").encode(),
    mark("notjson").encode(),
)
SURVEY = {
    "event": "response",
    "data": {
        "page": f"http://{mark('host')}/{mark('path')}?answer={mark('pushid')}&{mark('q')}=1",
        "rating": "Awful",
        "why": mark("why"),
        mark("surveykey"): mark("surveyvalue"),
    },
}
WRONG_SURVEYS: tuple[Body, ...] = (
    {"event": mark("event"), "data": {}},
    {"event": "response", "data": {mark("nothing"): 1}},
    {"event": "response", "data": {**SURVEY["data"], "rating": mark("word")}},  # type: ignore[dict-item]
    {"event": "response", "data": {**SURVEY["data"], "page": mark("nourl")}},  # type: ignore[dict-item]
    mark("notjson").encode(),
)

LOG_LINES = (
    f"ERROR 11-28 10:00:00 engine.py:12] prompt: {mark('logprompt')}",
    f"WARNING 11-28 10:00:01 engine.py:12] unusual {mark('logword')} in request {mark('logid')}",
    f"CRITICAL torch.cuda.OutOfMemoryError: CUDA out of memory. {mark('oom')}",
    json.dumps({"level": "error", "message": f"failed {mark('json')}", mark("jsonkey"): 1}),
    json.dumps({"level": mark("level"), "msg": mark("msg"), "exc_info": mark("trace")}),
    f'{{"level": "error", "message": "torn {mark("tornjson")}',
    "Traceback (most recent call last):",
    f'  File "/srv/{mark("path")}.py", line 1, in {mark("function")}',
    f"    raise ValueError({mark('source')!r})",
    f"ValueError: {mark('exception')}",
    f"{mark('Package')}.{mark('Class')}Error: {mark('exception')}",
    f"ERROR {mark('failed')}: failed/{mark('x')} failed.{mark('y')} failed_{mark('z')} failed",
    f"[E] {mark('odd')} \x1b[31m{mark('colour')}\x1b[0m \x00",
    f"2026-11-28T10:00:00Z stderr F ERROR: {mark('container')} cache {mark('full')}",
    f"ERROR: a long line {mark('long') * 3000}",
    "INFO: the end",
)

# No HTTP, or not quite: what is answered to these is the sidecar's own.
GARBAGE = tuple(
    text.encode().replace(b"\n", b"\r\n")
    for text in (
        f"{mark('verb').upper()} /{mark('path')} HTTP/9.9\nHost: {mark('host')}\n\n",
        f"GET /{mark('path')} {mark('version')}\nHost: a\n\n",
        f"{mark('alone')}\n\n",
        f"GET /{mark('path')} HTTP/1.1\nHost: a\n{mark('nocolon')}\n\n",
        f"GET / HTTP/1.1\nHost: a\n{mark('space')} : {mark('value')}\n\n",
        f"GET / HTTP/1.1\nHost: a\nX: \x01{mark('control')}\n\n",
        f"GET / HTTP/1.1\nHost: a\nX: {mark('huge') * 4000}\n\n",
        f"GET /{mark('target') * 4000} HTTP/1.1\nHost: a\n\n",
        f"POST /v1/feedback HTTP/1.1\nHost: a\nContent-Length: {mark('length')}\n\n",
        f"POST /v1/feedback HTTP/1.1\nHost: a\nTransfer-Encoding: {mark('coding')}\n\n",
        f"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n{mark('chunk')}\n{mark('d')}\n",
        f"POST /v1/feedback HTTP/1.1\nHost: a\nExpect: {mark('expect')}\nContent-Length: 1\n\n",
        f"GET http://{mark('absolute')}:x/ HTTP/1.1\nHost: {mark('host')}@{mark('b')}\n\n",
        f"\x16\x03\x01\x02{mark('hello')}\n\n",
    )
)

# A request that the tap finds no engine for.
TO_NOBODY = (
    "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    f"X-Client: {mark('client')}\r\nContent-Length: {len(mark('body'))}\r\n\r\n{mark('body')}"
).encode()

Message = MutableMapping[str, object]


async def engine(request: web.Request) -> web.StreamResponse:
    """Answers as the header X-Answer asks for; whatever it says is text."""
    await request.read()
    ours = {"X-Engine": "1", "X-Said": mark("header"), "Server": mark("server")}
    how = request.headers.get("X-Answer", "whole")
    if request.path == "/metrics":
        text = f'# HELP vllm:{mark("series")} {mark("help")}\nvllm:x{{a="{mark("label")}"}} torn\n'
        return web.Response(text=text, headers=ours)
    if how in {"whole", "ollama"}:
        return web.json_response(ANSWER if how == "whole" else OLLAMA, headers=ours)
    if how == "error":
        text = json.dumps(ERROR)
        return web.Response(text=text, status=400, reason=mark("reason"), headers=ours)
    response = web.StreamResponse(headers={**ours, "Content-Type": "text/event-stream"})
    await response.prepare(request)
    for _ in range(3):
        await response.write(b"data: " + json.dumps(CHUNK).encode() + b"\n\n")
    await response.write(LAST_OF_STREAM[how])
    while how == "hang" and request.transport and not request.transport.is_closing():
        await asyncio.sleep(0.05)
    if how == "cut" and request.transport:
        request.transport.abort()
    return response


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """The same answers from an ASGI application, which raises where the engine would hang up."""
    how = dict(scope["headers"])[b"x-answer"].decode()  # type: ignore[call-overload]
    while (await receive()).get("more_body"):
        pass
    streams = how in LAST_OF_STREAM
    media = b"text/event-stream" if streams else b"application/json"
    headers = [(b"content-type", media), (b"x-said", mark("header").encode())]
    status = 400 if how == "error" else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if not streams:
        said = {"error": ERROR, "ollama": OLLAMA}.get(how, ANSWER)
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})
        return
    for piece in (b"data: " + json.dumps(CHUNK).encode() + b"\n\n", LAST_OF_STREAM[how]):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    if how == "cut":
        raise RuntimeError(mark("raised"))
    await send({"type": "http.response.body", "body": b""})
