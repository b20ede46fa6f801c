"""Who may send to an input, how much, how fast: and what is answered and counted otherwise."""

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import bcrypt
import pytest
from aiohttp import web

from tests.face import ANYWHERE, plain_face
from tidegauge.web import Front, Guard, Input, InputError, InputRules, Rules
from tidegauge.web.inputs_batch import Batch
from tidegauge.web.inputs_peer import is_loopback
from tidegauge.web.inputs_tokens import TokenFileError, read_tokens
from tidegauge.web.tls import Tls, context

TOKEN, NEXT = "a-token-of-today", "a-token-of-tomorrow"
JSON = {"Content-Type": "application/json"}
TLS = Path(__file__).parents[1] / "fixtures" / "tls"


@dataclass
class Inbox:
    """Keeps the bodies that got through, and counts what the guard says."""

    guard: Guard
    url: str
    bodies: list[bytes] = field(default_factory=list)
    take: Callable[[web.Request, bytes], Awaitable[Batch]] | None = None

    async def send(self, body: bytes = b"{}", **headers: str) -> tuple[int, str]:
        given = JSON | {name.replace("_", "-"): value for name, value in headers.items()}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.url}/in", data=body, headers=given) as response,
        ):
            return response.status, await response.text()

    def counted(self, name: str) -> dict[tuple[str, ...], float]:
        said = {s.labels: s.value for s in self.guard.samples() if s.metric.name == name}
        return {labels: n for labels, n in said.items() if n and isinstance(n, int)}


@asynccontextmanager
async def inbox(
    rules: InputRules | None = None,
    *,
    web_rules: Rules | None = None,
    address: str = ANYWHERE,
    **kind: object,
) -> AsyncIterator[Inbox]:
    guard = Guard(rules)
    box = Inbox(guard, "")

    async def take(request: web.Request, body: bytes) -> web.Response:
        if box.take:
            return (await box.take(request, body)).response()
        box.bodies.append(body)
        if body == b"refuse":
            raise InputError(400, "malformed", "this is refused")
        return web.Response(text="taken\n")

    made = replace(Input("in", take), **kind)  # type: ignore[arg-type]  # fields by name
    pages = {"/in": guard.page(made)}
    front = Front(replace(plain_face(), inputs=lambda: pages), web_rules or Rules())
    await front.start([address])
    host = address.rpartition(":")[0]
    try:
        box.url = f"http://{host}:{front.ports[0]}"
        yield box
    finally:
        await front.close()


def own_address() -> str | None:
    """An address of this machine that is not loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        found = str(probe.getsockname()[0])
    return None if found.startswith("127.") else found


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# who may push\n{TOKEN}\n\n{NEXT}\n")
    return path


async def test_a_program_of_this_machine_needs_no_token() -> None:
    async with inbox() as box:
        assert await box.send(b'{"a": 1}') == (200, "taken\n")
        assert box.bodies == [b'{"a": 1}']
        assert box.counted("tidegauge_input_requests_total") == {("in", "200"): 1}
        assert box.counted("tidegauge_input_bytes_total") == {("in",): 8}


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "Origin", "Sec-Fetch-Site"]
)
async def test_whoever_speaks_for_others_is_not_taken_for_a_program_of_this_machine(
    header: str,
) -> None:
    async with inbox() as box:
        status, said = await box.send(**{header: "127.0.0.1"})
        assert status == 403
        assert "serve.inputs.token_file" in said
        assert not box.bodies
        rejected = box.counted("tidegauge_input_rejected_total")
        assert rejected == {("in", "not_configured"): 1}


@pytest.mark.parametrize(
    "given, status",
    [
        ({}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"bearer  {NEXT}"}, 200),
        ({"X-Tidegauge-Token": TOKEN}, 200),
        ({"Authorization": "Bearer a-token-of-nobody"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": "Bearer # who may push"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": TOKEN}, 401),
    ],
)
async def test_where_loopback_is_not_trusted_a_token_is_asked_of_everybody(
    token_file: Path, given: dict[str, str], status: int
) -> None:
    async with inbox(InputRules(token_file=token_file, trust_loopback=False)) as box:
        assert (await box.send(**given))[0] == status
        assert len(box.bodies) == (status == 200)


async def test_another_machine_is_let_in_by_its_token_alone(token_file: Path) -> None:
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    async with inbox(address=f"{address}:0") as box:
        assert (await box.send())[0] == 403
    async with inbox(InputRules(token_file=token_file), address=f"{address}:0") as box:
        assert (await box.send())[0] == 401
        assert (await box.send(X_Forwarded_For="127.0.0.1"))[0] == 401
        assert (await box.send(Authorization=f"Bearer {TOKEN}"))[0] == 200


@pytest.mark.parametrize(
    "peername, local",
    [
        (("127.0.0.1", 4), True),
        (("127.8.9.1", 4), True),
        (("::1", 4, 0, 0), True),
        (("::ffff:127.0.0.1", 4, 0, 0), True),
        (("::ffff:192.0.2.1", 4, 0, 0), False),
        (("fe80::1%eth0", 4, 0, 2), False),
        (("192.0.2.1", 4), False),
        (("0.0.0.0", 4), False),
        (("localhost", 4), False),
        ((), False),
        (None, False),
        ("", False),
    ],
)
def test_only_loopback_is_of_this_machine(peername: object, local: bool) -> None:  # noqa: FBT001
    assert is_loopback(None, peername) is local


def test_a_unix_socket_is_of_this_machine() -> None:
    with socket.socket(socket.AF_UNIX) as held:
        assert is_loopback(held, "")


async def test_a_password_of_the_web_configuration_is_enough() -> None:
    users = {"app": bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()}
    rules = InputRules(trust_loopback=False)
    async with inbox(rules, web_rules=Rules(users=users)) as box:
        assert (await box.send(Authorization=aiohttp.encode_basic_auth("app", "secret")))[0] == 200
        assert (await box.send(Authorization=aiohttp.encode_basic_auth("app", "no")))[0] == 401
        assert (await box.send())[0] == 401


@pytest.mark.parametrize("shows, status", [("prometheus", 200), (None, 403)])
async def test_a_verified_client_certificate_is_enough(shows: str | None, status: int) -> None:
    tls = context(
        Tls(
            cert=(TLS / "cert.pem").read_bytes(),
            key=(TLS / "key.pem").read_bytes(),
            client_ca=(TLS / "client-ca.pem").read_bytes(),
            client_auth="if given",
        )
    )
    client = ssl.create_default_context(cafile=TLS / "cert.pem")
    if shows:
        client.load_cert_chain(TLS / f"{shows}-cert.pem", TLS / f"{shows}-key.pem")
    async with (
        inbox(InputRules(trust_loopback=False), web_rules=Rules(tls=tls)) as box,
        aiohttp.ClientSession() as session,
        session.post(
            f"{box.url}/in".replace("http", "https"), data=b"{}", headers=JSON, ssl=client
        ) as response,
    ):
        assert response.status == status


async def test_a_token_file_that_changes_is_read_again(token_file: Path) -> None:
    now = 0.0
    guard = Guard(InputRules(token_file=token_file), clock=lambda: now)
    tokens = guard._tokens  # read by nobody else, and the clock is ours
    assert tokens
    assert await tokens.right(TOKEN)
    token_file.write_text(f"{NEXT}\n")
    assert await tokens.right(TOKEN), "looked at once a second at most"
    now = 1.0
    assert not await tokens.right(TOKEN)
    assert await tokens.right(NEXT)
    token_file.write_text("short\n")
    now = 2.0
    assert await tokens.right(NEXT), "a file that is wrong changes nothing"
    token_file.unlink()
    now = 3.0
    assert await tokens.right(NEXT)


@pytest.mark.parametrize(
    "text, said",
    [
        (b"", "holds no secret"),
        (b"# only a word\n\n", "holds no secret"),
        (b"fifteen-of-them\n", "shorter than 16"),
        (b"x" * 70_000, "larger than"),
    ],
)
def test_a_token_file_of_no_use_says_why(tmp_path: Path, text: bytes, said: str) -> None:
    (tmp_path / "tokens").write_bytes(text)
    with pytest.raises(TokenFileError, match=said):
        read_tokens(tmp_path / "tokens")


async def test_a_body_may_be_so_large_and_no_larger_also_when_it_is_packed() -> None:
    async with inbox(InputRules(max_bytes=1000)) as box:
        assert (await box.send(b"1" * 1000))[0] == 200
        status, said = await box.send(b"1" * 1001)
        assert (status, "1000 bytes" in said) == (413, True)
        packed = gzip.compress(b"1" * 1000)
        assert (await box.send(packed, Content_Encoding="gzip"))[0] == 200
        assert box.bodies[-1] == b"1" * 1000
        bomb = gzip.compress(b"1" * 10_000_000)
        assert len(bomb) < 10_000
        assert (await box.send(bomb[:900], Content_Encoding="gzip"))[0] == 413
        assert (await box.send(packed[:-9], Content_Encoding="gzip"))[0] == 400
        assert (await box.send(b"", Content_Encoding="gzip"))[0] == 400
        assert (await box.send(zlib.compress(b"12"), Content_Encoding="deflate"))[0] == 200
        assert (await box.send(b"no gzip", Content_Encoding="gzip"))[0] == 400
        assert (await box.send(b"{}", Content_Encoding="zstd"))[0] == 415


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
async def test_only_its_own_kind_of_body_is_taken(kind: str) -> None:
    async with inbox() as box:
        assert await box.send(Content_Type=kind) == (415, "send application/json\n")
        assert (await box.send(Content_Type="Application/JSON; charset=utf-8"))[0] == 200


async def test_more_than_so_many_a_second_are_told_to_wait() -> None:
    async with inbox(InputRules(per_second=1)) as box:
        statuses = [(await box.send())[0] for _ in range(12)]
        assert statuses[:2] == [200, 200]
        assert 429 in statuses


async def test_a_slow_body_is_given_up_and_keeps_out_no_more_than_its_own_share() -> None:
    async with inbox(InputRules(max_requests=1, body_seconds=0.5)) as box:
        host, _, port = box.url.removeprefix("http://").rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /in HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: 10\r\n\r\n{"
        )
        answered = asyncio.create_task(reader.readline())
        statuses = []
        while not answered.done():
            statuses.append((await box.send())[0])
        assert b" 408 " in await answered
        assert 429 in statuses
        assert (await box.send())[0] == 200
        writer.close()


async def test_who_signs_needs_nothing_else_and_nobody_else_is_let_in() -> None:
    def signed(request: web.Request, body: bytes) -> bool:
        return request.headers.get("X-Signature") == body.decode()

    async with inbox(InputRules(trust_loopback=False), signed=signed) as box:
        assert (await box.send(b"abc", X_Signature="abc"))[0] == 200
    async with inbox(signed=signed) as box:
        assert (await box.send(b"abc", X_Signature="abd"))[0] == 401
        assert (await box.send(b"abc"))[0] == 401
        assert box.counted("tidegauge_input_rejected_total") == {("in", "signature"): 2}


async def test_a_refusal_is_one_line_and_json_for_who_reads_json() -> None:
    async with inbox(types=("text/csv",)) as box:
        assert await box.send(b"refuse", Content_Type="text/csv") == (400, "this is refused\n")
        status, said = await box.send(b"refuse", Content_Type="text/csv", Accept="application/json")
        assert status == 400
        assert said == '{"error": {"message": "this is refused", "type": "malformed"}}'
        assert box.counted("tidegauge_input_rejected_total") == {("in", "malformed"): 2}


async def test_other_rules_are_gone_by_at_once_and_counts_go_on(token_file: Path) -> None:
    async with inbox() as box:
        assert (await box.send())[0] == 200
        box.guard.adopt(InputRules(token_file=token_file, trust_loopback=False))
        assert (await box.send())[0] == 401
        box.guard.adopt(InputRules())
        assert (await box.send())[0] == 200
        said = box.counted("tidegauge_input_requests_total")
        assert said == {("in", "200"): 2, ("in", "401"): 1}
