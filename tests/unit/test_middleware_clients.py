"""Clients told apart inside of the engine: by its environment, and no cost where it is wrong."""

from pathlib import Path

import pytest

from tests.asgi import CHAT, DONE, END, STREAM, TOKEN, Script, Server, Told, tap
from tidegauge.traffic.client_key import ClientKey
from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.middleware import Message, Scope
from tidegauge.traffic.middleware_clients import FIELD, HEADER, SECRET_FILE, client_key

SECRET = "sixteen bytes it is"
NAME = "Bearer sk-alice-1"
ALICE = ClientKey(SECRET.encode()).hashed(NAME)
ASKED: Message = {
    "type": "http.request",
    "body": b'{"model": "chat", "stream": true, "user": "%s"}' % NAME.encode(),
    "more_body": False,
}


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return str(path)


@pytest.mark.parametrize("variable, value", [(HEADER, "authorization"), (FIELD, "user")])
async def test_a_client_is_named_as_the_sidecar_names_it(
    variable: str, value: str, secret_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    monkeypatch.setenv(SECRET_FILE, secret_file)
    exchange = await told({**CHAT, "headers": [(b"Authorization", NAME.encode())]})
    assert exchange.client == ALICE
    assert "alice" not in repr(exchange)


async def told(scope: Scope) -> Exchange:
    sender = Told()
    server = Server(incoming=[ASKED])
    await server.run(tap(Script([None, STREAM, TOKEN, DONE, END]), sender), scope)
    (exchange,) = sender.exchanges
    return exchange


async def test_nobody_is_told_apart_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await told({**CHAT, "headers": [(b"Authorization", NAME.encode())]})).client == ""
    monkeypatch.setenv(HEADER, "X-Api-Key")
    assert (await told({**CHAT, "headers": []})).client == ""
    assert (await told(CHAT)).client == ""


def test_without_a_file_each_process_has_a_secret_of_its_own() -> None:
    first, second = (client_key({HEADER: "X-Api-Key"}) for _ in range(2))
    assert first
    assert second
    assert first.hashed("alice") != second.hashed("alice")


@pytest.mark.parametrize(
    "variables, said",
    [
        pytest.param({HEADER: "X", FIELD: "user"}, "are both given; keep one", id="two places"),
        pytest.param(
            {HEADER: "X", SECRET_FILE: "/nowhere"},
            "cannot be read: No such file",
            id="no file",
        ),
        pytest.param({FIELD: "user", SECRET_FILE: "short"}, "holds 4 bytes", id="too short"),
    ],
)
def test_a_wrong_value_costs_a_line(
    variables: dict[str, str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("short").write_text("hush")
    assert client_key(variables) is None
    (record,) = caplog.records
    assert said in record.getMessage()
    assert "hush" not in record.getMessage()
