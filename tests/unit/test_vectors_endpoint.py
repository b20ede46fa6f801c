"""A server that embeds is asked for one text at a time; whatever it does, it costs a vector."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.haproxy import free_port
from tidegauge.cli.vectors import embedding, vector_settings
from tidegauge.config.semantic import SemanticConfig
from tidegauge.config.traffic import TrafficConfig
from tidegauge.traffic.texts import vectors_endpoint
from tidegauge.traffic.texts.embedding import STATIC, EmbeddingError, Endpoint, mark
from tidegauge.traffic.texts.vector_settings import RESULTS
from tidegauge.traffic.texts.vectorizing import Job, JobDone, Vectorizing, load
from tidegauge.traffic.texts.vectors import direction, style_vector

SECRET_TEXT = "How high is the tide at Brest?"


def good(numbers: list[float]) -> web.Response:
    return web.json_response({"data": [{"embedding": numbers}], "model": "e5"})


class Server:
    """Answers as `answers` says; keeps what it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[dict[str, object]] = []
        self.heads: list[dict[str, str]] = []
        self.answer: Callable[[int], web.Response | float] = lambda _: good([1.0, 2.0])
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._up.wait(30)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/embeddings"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    def _run(self) -> None:
        runner = self._loop.run_until_complete(self._start())
        self._up.set()
        self._loop.run_forever()
        self._loop.run_until_complete(runner.cleanup())

    async def _start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_post("/v1/embeddings", self._handle)
        app.router.add_post("/elsewhere", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.port).start()
        return runner

    async def _handle(self, request: web.Request) -> web.Response:
        self.asked.append(json.loads(await request.read()))
        self.heads.append(dict(request.headers))
        answer = self.answer(len(self.asked))
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            return good([1.0, 2.0])
        return answer


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def test_a_text_is_asked_for_and_its_embedding_rounded(server: Server, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("sk-tide\n")
    embed = vectors_endpoint.load(Endpoint(server.url, "e5", api_key_file=key))
    vector = embed("high\ud800")
    assert vector
    assert (len(vector), vector[:3].hex()) == (256, "407f00")
    assert server.asked == [{"model": "e5", "input": "high?", "encoding_format": "float"}]
    assert server.heads[0]["Authorization"] == "Bearer sk-tide"


def test_one_connection_serves_many_texts_and_is_opened_anew_once_it_is_closed(
    server: Server,
) -> None:
    def answer(turn: int) -> web.Response:
        response = good([float(turn), 1.0])
        if turn == 2:
            response.force_close()
        return response

    server.answer = answer
    embed = vectors_endpoint.load(Endpoint(server.url, "e5"))
    assert [embed("tide") is not None for _ in range(4)] == [True] * 4


def test_dimensions_are_asked_for_where_they_are_configured(server: Server) -> None:
    vectors_endpoint.load(Endpoint(server.url, "e5", dimensions=256))("tide")
    vectors_endpoint.load(Endpoint(server.url, "e5"))("tide")
    assert [asked.get("dimensions") for asked in server.asked] == [256, None]


def test_more_than_256_dimensions_are_projected(server: Server) -> None:
    server.answer = lambda turn: good([float(n % (turn + 1)) - 0.3 for n in range(384)])
    embed = vectors_endpoint.load(Endpoint(server.url, "e5"))
    one, other = (direction(embed("tide") or b"") for _ in range(2))
    assert one.shape == (256,)
    assert 0 < float(one @ other) < 1


@pytest.mark.parametrize(
    "answer,reason",
    [
        pytest.param(lambda: web.Response(status=500), "status 500", id="an error"),
        pytest.param(lambda: web.Response(status=401, text="sk"), "status 401", id="a wrong key"),
        pytest.param(lambda: web.Response(status=429), "status 429", id="too many questions"),
        pytest.param(lambda: web.Response(status=413), "status 413", id="a text too long for it"),
        pytest.param(
            lambda: web.Response(status=307, headers={"Location": "/elsewhere"}),
            "status 307",
            id="a redirect, which is not followed",
        ),
        pytest.param(
            lambda: web.Response(text='{"data": [{"embedding": [NaN, 1]}]}'), "not finite", id="NaN"
        ),
        pytest.param(
            lambda: web.Response(text='{"data": [{"embedding": [1e999, 1]}]}'),
            "not finite",
            id="infinity",
        ),
        pytest.param(
            lambda: web.Response(text='{"data": [{"embedding": [1' + "0" * 400 + "]}]}"),
            "not finite",
            id="a whole number beyond all floats",
        ),
        pytest.param(lambda: web.Response(body=b"7" * (3 << 20)), "more than", id="a huge body"),
        pytest.param(lambda: web.Response(text="[" * 9999), "no list", id="brackets without end"),
        pytest.param(lambda: web.Response(text="<html>"), "no list", id="a page"),
        pytest.param(lambda: web.Response(text='{"data": []}'), "no list", id="no embedding"),
        pytest.param(lambda: web.Response(body=b"\xff\xfe{}"), "no list", id="no UTF-8"),
        pytest.param(lambda: good([]), "1 to 8192", id="an embedding of nothing"),
        pytest.param(lambda: good([0.1] * 9000), "1 to 8192", id="too many dimensions"),
        pytest.param(lambda: good(["a"]), "numbers alone", id="words for numbers"),
        pytest.param(lambda: good([True]), "numbers alone", id="truths for numbers"),
        pytest.param(
            lambda: web.json_response({"data": [{"embedding": "AACAPw=="}]}),
            "1 to 8192",
            id="base64, which was not asked for",
        ),
        pytest.param(lambda: 0.7, "no answer in time", id="an answer that is late"),
    ],
)
def test_a_bad_answer_is_one_error_that_quotes_nothing(
    server: Server, answer: Callable[[], web.Response | float], reason: str
) -> None:
    server.answer = lambda _: answer()
    embed = vectors_endpoint.load(Endpoint(server.url, "e5", timeout_seconds=0.2))
    with pytest.raises(EmbeddingError, match=reason) as caught:
        embed(SECRET_TEXT)
    assert "tide" not in str(caught.value)
    assert len(server.asked) == 1


def test_zeros_have_no_vector(server: Server) -> None:
    server.answer = lambda _: good([0.0, 0.0])
    assert vectors_endpoint.load(Endpoint(server.url, "e5"))("tide") is None


def test_a_model_that_is_changed_under_way_is_noticed_by_its_dimensions(server: Server) -> None:
    server.answer = lambda turn: good([1.0] * (2 + (turn > 1)))
    embed = vectors_endpoint.load(Endpoint(server.url, "e5"))
    assert embed("tide")
    with pytest.raises(EmbeddingError, match="3 dimensions, were 2"):
        embed("tide")


def test_a_server_that_is_away_is_left_alone_for_a_while() -> None:
    now = 100.0
    asked = Endpoint(f"http://127.0.0.1:{free_port()}/v1/embeddings", "e5")
    embed = vectors_endpoint.load(asked, clock=lambda: now)
    with pytest.raises(EmbeddingError, match="endpoint: ConnectionRefusedError"):
        embed("tide")
    begun = time.perf_counter()
    for _ in range(1000):
        with pytest.raises(EmbeddingError, match="endpoint: ConnectionRefusedError"):
            embed("tide")
    assert time.perf_counter() - begun < 0.5


def test_a_server_that_has_failed_is_asked_again_later(server: Server) -> None:
    now = [100.0]
    server.answer = lambda turn: web.Response(status=503) if turn == 1 else good([1.0])
    embed = vectors_endpoint.load(Endpoint(server.url, "e5"), clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(EmbeddingError, match="status 503"):
            embed("tide")
    now[0] += vectors_endpoint.PAUSE_SECONDS
    assert embed("tide")
    assert len(server.asked) == 2


def test_a_text_that_is_refused_says_nothing_of_the_next(server: Server) -> None:
    server.answer = lambda turn: web.Response(status=413) if turn == 1 else good([1.0])
    embed = vectors_endpoint.load(Endpoint(server.url, "e5"))
    with pytest.raises(EmbeddingError, match="status 413"):
        embed("tide")
    assert embed("tide")


@pytest.mark.parametrize("content", [None, "", "two\nlines", "schlüssel"])
def test_a_key_that_cannot_be_sent_is_said_and_not_quoted(
    server: Server, tmp_path: Path, content: str | None
) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content)
    embed = vectors_endpoint.load(Endpoint(server.url, "e5", api_key_file=key))
    with pytest.raises(EmbeddingError, match="api_key_file") as caught:
        embed("tide")
    assert "schl" not in str(caught.value)
    assert server.asked == []


def test_what_fails_keeps_the_style_and_is_logged_once(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda _: web.Response(status=413)
    asked = Endpoint(server.url, "e5", workers=1)
    done: list[JobDone] = []
    finished = threading.Semaphore(0)

    def hand_back(call: Callable[[], None]) -> None:
        call()
        finished.release()

    vectorizing = Vectorizing(
        lambda: load(("style", "semantic"), asked), done.append, hand_back=hand_back
    )
    for ticket in range(3):
        vectorizing.put(Job(ticket, SECRET_TEXT, "Four metres."))
        assert finished.acquire(timeout=30)
    vectorizing.close()
    assert [(each.vectors.style, each.vectors.semantic) for each in done if each.vectors] == [
        (style_vector("Four metres."), None)
    ] * 3
    lines = [record.__dict__ for record in caplog.records if record.levelno == logging.WARNING]
    assert [line["reason"] for line in lines] == ["endpoint: status 413"]
    assert "Brest" not in str(lines)


def test_several_threads_wait_at_once(server: Server) -> None:
    server.answer = lambda _: 0.3
    done = threading.Semaphore(0)
    asked = Endpoint(server.url, "e5", workers=4)
    vectorizing = Vectorizing(
        lambda: load(("semantic",), asked),
        lambda _: done.release(),
        hand_back=lambda call: call(),
        workers=4,
    )
    begun = time.perf_counter()
    for ticket in range(8):
        vectorizing.put(Job(ticket, SECRET_TEXT, ""))
    assert all(done.acquire(timeout=30) for _ in range(8))
    assert time.perf_counter() - begun < 2.0  # 2.4 s by one thread
    vectorizing.close()


def test_what_is_no_longer_wanted_is_not_asked_for(server: Server) -> None:
    done = threading.Semaphore(0)
    vectorizing = Vectorizing(
        lambda: load(("semantic",), Endpoint(server.url, "e5")),
        lambda _: done.release(),
        hand_back=lambda call: call(),
        wanted=lambda ticket: ticket == 2,
    )
    for ticket in range(3):
        vectorizing.put(Job(ticket, SECRET_TEXT, ""))
    assert done.acquire(timeout=30)
    vectorizing.close()
    assert len(server.asked) == 1


def test_a_configuration_says_which_embedding_references_are_of() -> None:
    section = SemanticConfig.model_validate(
        {"endpoint": {"url": "http://a/v1/embeddings", "model": "e5", "timeout": "1s"}}
    )
    config = TrafficConfig(vectors=("semantic",), semantic=section)
    settings = vector_settings(config, look=lambda: pytest.fail("needs nothing installed"))
    assert settings.embedding == Endpoint("http://a/v1/embeddings", "e5", timeout_seconds=1.0)
    assert settings.embedding.identity == "endpoint e5"
    assert embedding(TrafficConfig()).identity == "wordllama l2_supercat_256"
    assert Endpoint("u", "e5", dimensions=256).identity == "endpoint e5, 256 dimensions"
    assert mark(settings.embedding) != mark(STATIC)
    assert "failed" in RESULTS
