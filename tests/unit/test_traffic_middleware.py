"""The middleware over bare ASGI messages: how each way to end is told, and that nothing changes."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.asgi import (
    CHAT,
    DISCONNECT,
    DOCUMENT,
    DONE,
    END,
    REQUEST,
    STREAM,
    TOKEN,
    Script,
    Server,
    Told,
    piece,
    tap,
)
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.middleware import Message, Tap
from tidegauge.traffic.reporting.middleware_settings import (
    VECTOR_BUDGET_RATIO,
    from_environment,
)
from tidegauge.traffic.texts.embedding import STATIC, Endpoint
from tidegauge.traffic.texts.vector_settings import VectorSettings

ANSWER = (
    b'{"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}],'
    b' "usage": {"prompt_tokens": 3, "completion_tokens": 1}}'
)


async def told_of(steps: list[Message | BaseException | None], server: Server) -> Exchange:
    """The one exchange that was told of; nothing is left under way."""
    told = Told()
    try:
        await server.run(tap(Script(steps), told))
    except (RuntimeError, OSError):
        pass
    except asyncio.CancelledError:
        pass
    assert (told.begun, told.in_flight, told.streams) == (1, 0, 0)
    (exchange,) = told.exchanges
    return exchange


@pytest.mark.parametrize(
    "steps,outcome,status",
    [
        pytest.param([None, STREAM, TOKEN, DONE, END], "ok", 200, id="a whole stream"),
        pytest.param([None, DOCUMENT, piece(ANSWER, more=False)], "ok", 200, id="a document"),
        pytest.param([None, STREAM, TOKEN, END], "cut", 200, id="a stream without its end mark"),
        pytest.param([None, STREAM, TOKEN], "cut", 200, id="returned in the middle"),
        pytest.param([None], "server_error", 500, id="returned without an answer"),
        pytest.param([None, RuntimeError()], "server_error", 500, id="raised before an answer"),
        pytest.param([None, STREAM, TOKEN, RuntimeError()], "cut", 200, id="raised in the middle"),
        pytest.param([None, asyncio.CancelledError()], "aborted", None, id="cancelled"),
        pytest.param(
            [None, STREAM, TOKEN, asyncio.CancelledError()], "aborted", 200, id="cancelled late"
        ),
        pytest.param(
            [{**DOCUMENT, "status": 401}, piece(b"{}", more=False)],
            "client_error",
            401,
            id="refused unread",
        ),
        pytest.param([None, STREAM, TOKEN, DONE, END, RuntimeError()], "ok", 200, id="raised late"),
    ],
)
async def test_each_way_to_end_has_its_outcome(steps, outcome: str, status: int | None) -> None:
    exchange = await told_of(steps, Server())
    assert (exchange.outcome, exchange.status) == (outcome, status)


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([None, STREAM, TOKEN, None], id="and the stream is given up"),
        pytest.param([None, None, DOCUMENT, piece(b"null", more=False)], id="and vLLM says null"),
        pytest.param([None, None, RuntimeError()], id="and the application raises"),
        pytest.param([None, None], id="and nothing more comes"),
    ],
)
async def test_a_client_that_leaves_has_aborted(steps) -> None:
    exchange = await told_of(steps, Server([REQUEST, DISCONNECT]))
    assert exchange.outcome == "aborted"


async def test_a_client_that_leaves_once_it_has_seen_the_end_mark_has_its_answer() -> None:
    steps = [None, STREAM, TOKEN, DONE, None]
    assert (await told_of(steps, Server([REQUEST, DISCONNECT]))).outcome == "ok"


async def test_a_server_that_raises_when_the_client_has_left_is_an_abort() -> None:
    exchange = await told_of([None, STREAM, TOKEN, TOKEN, DONE, END], Server(gone_after=2))
    assert (exchange.outcome, exchange.generation_tokens) == ("aborted", 1)


async def test_what_an_exchange_says() -> None:
    usage = piece(
        b'data: {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}\n\n'
    )
    exchange = await told_of([None, STREAM, TOKEN, TOKEN, usage, DONE, END], Server())
    said = (exchange.model, exchange.streamed, exchange.prompt_tokens, exchange.generation_tokens)
    assert said == ("chat", True, 5, 2)


async def test_the_answer_is_over_before_work_that_is_left_for_later() -> None:
    told, later = Told(), asyncio.Event()

    async def app(scope, receive, send) -> None:
        await Script([None, DOCUMENT, piece(ANSWER, more=False)])(scope, receive, send)
        later.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(Server().run(tap(app, told)))
    await later.wait()
    assert (len(told.exchanges), told.in_flight) == (1, 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.exchanges[0].outcome == "ok"


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param({**CHAT, "type": "websocket"}, id="a web socket"),
        pytest.param({"type": "lifespan"}, id="the life of the application"),
        pytest.param({**CHAT, "path": "/metrics"}, id="another path"),
        pytest.param({**CHAT, "method": "GET"}, id="another method"),
        pytest.param({"type": "http"}, id="a scope without a path"),
    ],
)
async def test_what_is_no_completion_passes_untouched(scope) -> None:
    told, server = Told(), Server()
    seen = []

    async def app(*arguments: object) -> None:
        seen.extend(arguments)

    await tap(app, told)(scope, server.receive, server.send)
    assert seen[0] is scope
    assert seen[1:] == [server.receive, server.send]
    assert (told.begun, told.exchanges) == (0, [])


async def test_the_end_of_an_application_is_when_the_rest_is_sent() -> None:
    told = Told()
    await Server().run(tap(Script([]), told), {"type": "lifespan"})
    assert told.flushed == 1


async def test_an_exception_is_the_very_one_that_was_raised() -> None:
    mistake = RuntimeError("of the application")
    with pytest.raises(RuntimeError) as caught:
        await Server().run(tap(Script([None, mistake]), Told()))
    assert caught.value is mistake


@pytest.mark.parametrize(
    "start",
    [
        pytest.param({"type": "http.response.start", "status": "x"}, id="a status of text"),
        pytest.param({"type": "http.response.start"}, id="no status"),
        pytest.param({**STREAM, "headers": [(None, None)]}, id="headers of nothing"),
        pytest.param({**STREAM, "headers": 5}, id="headers that are none"),
        pytest.param({}, id="an empty message"),
    ],
)
async def test_messages_that_make_no_sense_pass_on_and_raise_nothing(start, caplog) -> None:
    server, told = Server(), Told()
    await server.run(tap(Script([None, start, TOKEN, END]), told))
    assert [id(message) for message in server.sent] == [id(start), id(TOKEN), id(END)]
    assert (told.begun, told.in_flight, told.streams) == (1, 0, 0)
    assert len(told.exchanges) + told.dropped == 1


async def test_headers_that_can_be_read_only_once_are_left_to_the_server() -> None:
    server, told = Server(), Told()
    start = {**STREAM, "headers": iter(STREAM["headers"])}
    await server.run(tap(Script([None, start, TOKEN, END]), told))
    assert len(list(server.sent[0]["headers"])) == 1
    assert len(told.exchanges) == 1


async def test_a_mistake_of_ours_names_no_word_of_the_request(caplog) -> None:
    class Broken(Told):
        def put(self, exchange: Exchange) -> None:
            raise ValueError("hello")

    told = Broken()
    await Server().run(tap(Script([None, STREAM, TOKEN, DONE, END]), told))
    assert (told.in_flight, told.dropped) == (0, 1)
    assert caplog.messages == ["tidegauge: a request is not measured: ValueError"]


async def test_vectors_are_made_where_the_engine_asks_for_them(monkeypatch) -> None:
    monkeypatch.setenv("TIDEGAUGE_VECTORS", "style")
    monkeypatch.setenv("TIDEGAUGE_VECTOR_BUDGET_RATIO", "1")
    told = Told()
    words = piece(TOKEN["body"].replace(b'"a"', b'"The tide is high at noon. "'))
    app = tap(Script([None, STREAM, *[words] * 20, DONE, END]), told)
    await Server().run(app)
    async with asyncio.timeout(20):
        while not told.exchanges:
            await asyncio.sleep(0.005)
    assert told.exchanges[0].features.style is not None
    await Server().run(app)
    await Server().run(app, {"type": "lifespan"})  # its end waits for no vector
    assert (len(told.exchanges), told.in_flight) == (2, 0)


def test_the_environment_sets_what_no_argument_does(monkeypatch, tmp_path, caplog) -> None:
    monkeypatch.setenv("TIDEGAUGE_SOCKET", "relative")
    monkeypatch.setenv("TIDEGAUGE_VERSIONS", "chat=1,oops")
    monkeypatch.setenv("TIDEGAUGE_VECTORS", "style,tone")
    monkeypatch.setenv(VECTOR_BUDGET_RATIO, "5%")
    Tap(Script([]))
    assert caplog.messages == [
        "tidegauge: TIDEGAUGE_SOCKET: 'relative' is left out; write an absolute path",
        "tidegauge: TIDEGAUGE_VERSIONS: 'oops' is left out; write MODEL=VERSION,MODEL=VERSION",
        "tidegauge: TIDEGAUGE_VECTORS: 'tone' is left out; write style or semantic",
        f"tidegauge: {VECTOR_BUDGET_RATIO}: '5%' is left out; write a number above 0 and up to 1",
    ]


def test_the_environment_says_what_embeds_prompts() -> None:
    variables = {
        "TIDEGAUGE_VECTORS": "semantic",
        "TIDEGAUGE_SEMANTIC_URL": "http://a/v1/embeddings",
        "TIDEGAUGE_SEMANTIC_MODEL": "e5",
        "TIDEGAUGE_SEMANTIC_DIMENSIONS": "256",
        "TIDEGAUGE_SEMANTIC_API_KEY_FILE": "/run/secrets/key",
    }
    asked = from_environment(variables).vectors
    assert asked.embedding == Endpoint(
        "http://a/v1/embeddings", "e5", dimensions=256, api_key_file=Path("/run/secrets/key")
    )
    assert from_environment({"TIDEGAUGE_VECTORS": "semantic"}).vectors.embedding == STATIC


@pytest.mark.parametrize(
    "variables,said",
    [
        pytest.param(
            {"URL": "http://me:pw@a/v1"},
            "SEMANTIC_URL: no URL such as http://HOST/v1/embeddings",
            id="a password in the URL, which is not quoted",
        ),
        pytest.param(
            {"URL": "http://a/v1/embeddings"},
            "SEMANTIC_URL: 'http://a/v1/embeddings' is left out; TIDEGAUGE_SEMANTIC_MODEL is missi",
            id="no model",
        ),
        pytest.param(
            {"URL": "http://a/v1/embeddings", "ONNX": "a.onnx"},
            "SEMANTIC_ONNX: 'a.onnx' is left out; TIDEGAUGE_SEMANTIC_URL is set too; keep one",
            id="two of them",
        ),
        pytest.param(
            {"ONNX": "a.onnx"},
            "SEMANTIC_ONNX: 'a.onnx' is left out; TIDEGAUGE_SEMANTIC_TOKENIZER is missing",
            id="no tokenizer",
        ),
        pytest.param(
            {"ONNX": "/nowhere/a.onnx", "TOKENIZER": "/nowhere/t.json"},
            "SEMANTIC_ONNX: '/nowhere/a.onnx' is left out; '/nowhere/a.onnx': cannot be read",
            id="no file",
        ),
    ],
)
def test_an_embedding_that_cannot_be_had_has_no_stand_in(
    caplog: pytest.LogCaptureFixture, variables: dict[str, str], said: str
) -> None:
    named = {f"TIDEGAUGE_SEMANTIC_{name}": value for name, value in variables.items()}
    found = from_environment({"TIDEGAUGE_VECTORS": "style,semantic", **named})
    assert found.vectors == VectorSettings(("style",))
    (line,) = caplog.messages
    assert line.startswith(f"tidegauge: TIDEGAUGE_{said}")
    assert "pw" not in line


def test_an_engine_does_not_pay_for_what_it_does_not_use() -> None:
    """Nothing but NumPy comes with it, which engines have: they have their own releases of all."""
    code = (
        "import sys; before = set(sys.modules); import tidegauge.traffic.middleware;"
        "import json; print(json.dumps(sorted({m.partition('.')[0] for m in sys.modules} - "
        "{m.partition('.')[0] for m in before} - set(sys.stdlib_module_names))))"
    )
    root = Path(__file__).parents[2] / "exporter"
    said = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(root)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == '["numpy", "tidegauge"]'
