import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tidegauge.promql.client import MAX_BYTES, Access, Prometheus
from tidegauge.promql.decode import PromqlError, number

TLS = Path(__file__).parents[1] / "fixtures" / "tls"  # self-signed for 127.0.0.1, for a century
ONE = {"status": "success", "data": {"resultType": "scalar", "result": [0, "1"]}}
Answerer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def prometheus(
    answer: Answerer, tls: ssl.SSLContext | None = None, *, call: str = "query"
) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post(f"/prefix/api/v1/{call}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/prefix"
    finally:
        await runner.cleanup()


async def asked(access: Access) -> float:
    client = Prometheus(access)
    try:
        return number(await client.query("up"))
    finally:
        await client.close()


async def reason_of(access: Access) -> str:
    with pytest.raises(PromqlError) as caught:
        await asked(access)
    return caught.value.reason


async def test_query_headers_and_rotated_token_arrive(tmp_path: Path) -> None:
    seen: list[tuple[str, str | None, str | None]] = []
    token = tmp_path / "token"

    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        headers = request.headers
        seen.append(
            (str(form["query"]), headers.get("Authorization"), headers.get("X-Scope-OrgID"))
        )
        return web.json_response(ONE)

    async with prometheus(answer) as url:
        access = Access(url, bearer_token_file=token, headers={"X-Scope-OrgID": "team-a"})
        client = Prometheus(access)
        for secret in ("first", "second\n"):
            token.write_text(secret)
            await client.query("up")
        await client.close()
    assert seen == [("up", "Bearer first", "team-a"), ("up", "Bearer second", "team-a")]


async def test_a_header_may_be_a_secret_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y\n")
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["X-Api-Key"])
        return web.json_response(ONE)

    async with prometheus(answer) as url:
        await asked(Access(url, header_files={"X-Api-Key": tmp_path / "key"}))
    assert seen == ["k3y"]


async def test_basic_authentication_takes_its_password_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers["Authorization"])
        return web.json_response(ONE)

    async with prometheus(answer) as url:
        await asked(Access(url, username="bob", password_file=tmp_path / "password"))
    assert seen == [f"Basic {base64.b64encode(b'bob:s3cret').decode()}"]


async def test_tls_is_checked_against_the_given_authority() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(ONE)

    async with prometheus(answer, context) as url:
        assert await reason_of(Access(url)) == "unreachable"
        assert await asked(Access(url, ca_file=TLS / "cert.pem")) == 1
        assert await asked(Access(url, insecure_skip_verify=True)) == 1


async def test_secrets_do_not_follow_a_redirect(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k3y")
    seen: list[web.Request] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response(ONE)

    async with prometheus(elsewhere) as target:

        async def redirect(_: web.Request) -> web.Response:
            raise web.HTTPTemporaryRedirect(f"{target}/api/v1/query")

        async with prometheus(redirect) as url:
            access = Access(url, header_files={"X-Api-Key": tmp_path / "key"})
            assert await reason_of(access) == "http_status"
    assert seen == []


@pytest.mark.parametrize(
    "content,problem",
    [
        pytest.param(b"\xff\xfe", "it is not UTF-8", id="binary"),
        pytest.param(b"two\nlines", "must hold one line", id="two lines"),
        pytest.param(b" \n", "must hold one line", id="nothing"),
    ],
)
async def test_a_secret_that_cannot_be_used_is_one_error_that_does_not_quote_it(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(PromqlError, match=problem) as caught:
        await asked(Access("http://127.0.0.1:1", bearer_token_file=tmp_path / "token"))
    assert caught.value.reason == "secret"
    assert "two" not in str(caught.value)


async def test_a_prometheus_that_is_down_is_unreachable() -> None:
    assert await reason_of(Access("http://127.0.0.1:1")) == "unreachable"


@pytest.mark.parametrize("url", ["http://a..b:1", "http://127.0.0.1:99999"])
async def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    assert await reason_of(Access(url)) == "unreachable"


async def test_a_missing_secret_is_an_error_and_no_crash(tmp_path: Path) -> None:
    access = Access("http://127.0.0.1:1", bearer_token_file=tmp_path / "gone")
    assert await reason_of(access) == "secret"


async def test_a_slow_prometheus_is_a_timeout() -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.json_response(ONE)

    async with prometheus(answer) as url, asyncio.timeout(20):
        assert await reason_of(Access(url, timeout_seconds=0.1)) == "timeout"


async def test_an_endless_answer_is_given_up_on() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(MAX_BYTES // 65536 + 2):
            await response.write(b" " * 65536)
        return response

    async with prometheus(answer) as url:
        assert await reason_of(Access(url)) == "too_large"


async def test_an_answer_cut_short_is_unreachable() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"status":')
        assert request.transport
        request.transport.abort()
        return response

    async with prometheus(answer) as url:
        assert await reason_of(Access(url)) == "unreachable"
