"""An engine behind an API key, TLS, a path prefix or a query; and secrets that stay secret."""

import base64
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from tests.engine_app import CERT, KEY, Handler, engine_app, server_tls
from tidegauge.catalog.inference import ENGINE_UP
from tidegauge.samples import Sample
from tidegauge.sources.engine import EngineSource
from tidegauge.sources.engine_access import Access, Tls
from tidegauge.sources.source import SourceError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "engines"
LLAMA = (FIXTURES / "llamacpp-b11434" / "load.prom").read_bytes()
UP = Sample(ENGINE_UP, 1, ("llamacpp",))
SECRET = "hunter2"


async def metrics(_: web.Request) -> web.Response:
    return web.Response(body=LLAMA)


def wanting(header: str, value: Callable[[], str]) -> Handler:
    """Metrics for those whose header has this value, 401 for everybody else."""

    async def handler(request: web.Request) -> web.Response:
        if request.headers.get(header) != value():
            return web.Response(status=401)
        return await metrics(request)

    return handler


async def read(access: Access) -> list[Sample]:
    source = EngineSource(access, model="chat", timeout_seconds=10)
    try:
        return list(await source.read())
    finally:
        await source.close()


async def refused(access: Access) -> SourceError:
    with pytest.raises(SourceError) as caught:
        await read(access)
    return caught.value


def kept(folder: Path, text: str = f"{SECRET}\n") -> Path:
    path = folder / "secret"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "header, value, access",
    [
        pytest.param(
            "Authorization",
            f"Bearer {SECRET}",
            lambda file: Access("", credentials_file=file),
            id="a bearer token from a file",
        ),
        pytest.param(
            "Authorization",
            f"Key {SECRET}",
            lambda _: Access("", scheme="Key", credentials=SECRET),
            id="another scheme, written in the configuration",
        ),
        pytest.param(
            "Authorization",
            f"Basic {base64.b64encode(f'me:{SECRET}'.encode()).decode()}",
            lambda file: Access("", username="me", password_file=file),
            id="basic authentication",
        ),
        pytest.param(
            "X-Api-Key",
            SECRET,
            lambda file: Access("", header_files={"X-Api-Key": file}),
            id="a header from a file",
        ),
        pytest.param(
            "X-Tenant",
            "a",
            lambda _: Access("", headers={"X-Tenant": "a"}),
            id="a header written in the configuration",
        ),
    ],
)
async def test_a_request_says_who_asks(
    tmp_path: Path, header: str, value: str, access: Callable[[Path], Access]
) -> None:
    async with engine_app(wanting(header, lambda: value)) as url:
        assert UP in await read(replace(access(kept(tmp_path)), url=url))


async def test_a_rotated_key_is_used_at_the_next_read(tmp_path: Path) -> None:
    key = kept(tmp_path, "first")
    async with engine_app(wanting("Authorization", lambda: f"Bearer {key.read_text()}")) as url:
        source = EngineSource(Access(url, credentials_file=key), model="", timeout_seconds=10)
        assert UP in await source.read()
        key.write_text("second")
        assert UP in await source.read()
        await source.close()


@pytest.mark.parametrize(
    "make, problem",
    [
        pytest.param(lambda path: None, "cannot be read: No such file", id="missing"),
        pytest.param(lambda path: path.mkdir(), "cannot be read: Is a directory", id="a folder"),
        pytest.param(lambda path: path.write_text("\n"), "must hold one line", id="empty"),
        pytest.param(
            lambda path: path.write_text(f"{SECRET}\n{SECRET}"), "must hold one line", id="2 lines"
        ),
        pytest.param(
            lambda path: path.write_bytes(f"{SECRET}\xff".encode("latin-1")), "UTF-8", id="binary"
        ),
    ],
)
async def test_a_secret_that_is_none_names_its_file_alone(
    tmp_path: Path, make: Callable[[Path], object], problem: str
) -> None:
    path = tmp_path / "key"
    make(path)
    error = await refused(Access("http://127.0.0.1:9", credentials_file=path))
    assert error.reason == "secret"
    assert str(error).startswith(f"{path}: ")
    assert problem in str(error)
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    "access, said",
    [
        pytest.param(Access(""), "answered 401: set authorization or basic_auth", id="no key"),
        pytest.param(
            Access("", credentials="wrong"), "answered 401 to our credentials", id="a wrong key"
        ),
    ],
)
async def test_an_engine_that_asks_who_is_there_says_what_to_set(access: Access, said: str) -> None:
    async with engine_app(wanting("Authorization", lambda: "Bearer right")) as url:
        error = await refused(replace(access, url=url))
    assert error.reason == "http_status"
    assert said in str(error)
    assert "wrong" not in str(error)


async def test_a_secret_is_in_no_message_log_or_repr(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Every way to give one, against every way to fail."""
    caplog.set_level(logging.DEBUG)
    accesses = (
        Access("", credentials=SECRET),
        Access("", credentials_file=kept(tmp_path)),
        Access("", username="me", password_file=kept(tmp_path)),
        Access("", headers={"X-Key": SECRET}, params=(("key", SECRET),)),
        Access("", header_files={"X-Key": kept(tmp_path)}),
    )
    failures: list[Handler] = [
        wanting("Authorization", lambda: "nothing fits"),
        answering(web.Response(status=404)),
        answering(web.Response(text="<html>")),
        answering(web.Response(status=302, headers={"Location": "http://127.0.0.2:1/"})),
        answering(web.Response(status=302, headers={"Location": "http://:x"})),
        answering(web.Response(status=302, headers={"Location": "?again"})),
    ]
    said = [repr(access) for access in accesses]
    for failure in failures:
        async with engine_app(failure) as url:
            said += [repr(await refused(replace(access, url=url))) for access in accesses]
    said += [repr(await refused(replace(access, url=url))) for access in accesses]  # nobody there
    said += [record.getMessage() + repr(vars(record)) for record in caplog.records]
    assert len(said) > 35
    assert not [text for text in said if SECRET in text]


def answering(response: web.Response) -> Handler:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(
            status=response.status, headers=response.headers.copy(), text=response.text
        )

    return handler


async def test_secrets_follow_no_redirect_to_another_host() -> None:
    heard: list[str] = []

    async def thief(request: web.Request) -> web.Response:
        heard.append(request.headers.get("Authorization", ""))
        return await metrics(request)

    async with engine_app(thief) as other:

        async def away(_: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"{other}/metrics"})

        async with engine_app(away) as url:
            error = await refused(Access(url, credentials=SECRET))
    assert error.reason == "http_status"
    assert f"redirects to {other}, which is not followed" in str(error)
    assert heard == []


async def test_a_redirect_to_a_slash_is_followed_with_key_and_query() -> None:
    # A mounted ASGI application, which is what vLLM was once, redirects /metrics to /metrics/.
    async def handler(request: web.Request) -> web.StreamResponse:
        assert request.headers["Authorization"] == f"Bearer {SECRET}"
        if request.path == "/metrics":
            target = request.rel_url.with_path("/metrics/", keep_query=True)
            return web.Response(status=307, headers={"Location": str(target)})
        assert (request.path, request.query["model"]) == ("/metrics/", "a/b c")
        return await metrics(request)

    async with engine_app(handler) as url:
        assert UP in await read(Access(url, credentials=SECRET, params=(("model", "a/b c"),)))


async def test_a_query_goes_with_each_request() -> None:
    seen: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.path_qs)
        return await metrics(request)

    params = (("model", "a"), ("autoload", "false"))
    async with engine_app(handler) as url:
        await read(Access(f"{url}/prefix", params=params))
        await read(Access(url))
    assert seen == ["/prefix/metrics?model=a&autoload=false", "/metrics"]


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with engine_app(metrics) as url:
        assert UP in await read(Access(url))


@pytest.mark.parametrize(
    "tls",
    [
        pytest.param(Tls(ca_file=CERT), id="a certificate that we trust"),
        pytest.param(Tls(insecure_skip_verify=True), id="any certificate"),
        pytest.param(Tls(ca_file=CERT, server_name="127.0.0.1"), id="its name given"),
    ],
)
async def test_tls(tls: Tls) -> None:
    async with engine_app(metrics, tls=server_tls()) as url:
        assert UP in await read(Access(url, tls=tls))


@pytest.mark.parametrize(
    "tls, said",
    [
        pytest.param(Tls(), "certificate verify failed", id="a CA that we don't know"),
        pytest.param(
            Tls(ca_file=CERT, server_name="engine.example"),
            "engine.example",
            id="another name than was asked for",
        ),
    ],
)
async def test_a_certificate_that_does_not_fit_is_refused(tls: Tls, said: str) -> None:
    asked: list[str] = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path)
        return await metrics(request)

    async with engine_app(handler, tls=server_tls()) as url:
        error = await refused(Access(url, credentials=SECRET, tls=tls))
    assert error.reason == "unavailable"
    assert "/metrics: its certificate is refused: " in str(error)
    assert said in str(error)
    assert asked == []


async def test_a_client_certificate() -> None:
    async with engine_app(metrics, tls=server_tls(asks_clients=True)) as url:
        assert UP in await read(Access(url, tls=Tls(ca_file=CERT, cert_file=CERT, key_file=KEY)))
        error = await refused(Access(url, tls=Tls(ca_file=CERT)))
    assert error.reason == "unavailable"


async def test_certificates_that_change_are_read_anew(tmp_path: Path) -> None:
    ca, cert, key = (tmp_path / name for name in ("ca", "cert", "key"))
    ca.write_bytes(CERT.read_bytes())
    async with engine_app(metrics, tls=server_tls(asks_clients=True)) as url:
        access = Access(url, tls=Tls(ca_file=ca, cert_file=cert, key_file=key))
        source = EngineSource(access, model="", timeout_seconds=10)
        with pytest.raises(SourceError, match=f"{cert}: cannot be read: No such file"):
            await source.read()
        cert.write_text("no certificate")
        key.write_bytes(KEY.read_bytes())
        with pytest.raises(SourceError, match=f"{cert} with {key}: no certificate and key"):
            await source.read()
        cert.write_bytes(CERT.read_bytes())
        assert UP in await source.read()
        ca.write_text("no certificate")
        with pytest.raises(SourceError, match=f"{ca}: no CA certificates"):
            await source.read()
        await source.close()


async def test_an_encrypted_key_is_an_error_and_nobody_is_asked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key.pem"
    key.write_text(ENCRYPTED_KEY)
    tls = Tls(ca_file=CERT, cert_file=CERT, key_file=key)
    error = await refused(Access("https://127.0.0.1:9", tls=tls))
    assert error.reason == "secret"
    assert capfd.readouterr() == ("", ""), "OpenSSL asks for a pass phrase"


# tests/fixtures/tls/key.pem, encrypted.
ENCRYPTED_KEY = """\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,3D98DD97B9D69F9C46E5D7436DEA214F

jAINFt6nb8JB7Wb4Zjq8S/o41ExzJaUWu1W/4iHNlbo/ZNkgwVwm2PV6KLC+eaU7
2MrM1I6v9I0RB3r/3oIpcbr0mOdq0kUIt7uP8I64LSahZ7bV8V/vwM2dBqtUugtq
BEwIDPW+mB8Quz/zmfkvrU9k7GXAwkFGxfWn0QhToyY=
-----END EC PRIVATE KEY-----
"""
