"""TLS as a client sees it: certificates that change, clients that must show theirs."""

import asyncio
import gc
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.face import ANYWHERE, plain_face, standing
from tests.haproxy import free_port
from tidegauge.catalog import own
from tidegauge.cli.web_rules import read_rules, rules_file
from tidegauge.web import Front, RulesFile

TLS = Path(__file__).parents[1] / "fixtures" / "tls"
PAIR = "cert_file: cert.pem, key_file: key.pem"
CLIENTS = "client_auth_type: RequireAndVerifyClientCert, client_ca_file: client-ca.pem"


@dataclass(frozen=True, slots=True)
class Served:
    front: Front
    rules: RulesFile
    folder: Path

    async def write(self, text: str) -> None:
        _replace(self.folder / "web.yml", text.encode())
        await self.rules.look(self.front)

    async def copy(self, **names: str) -> None:
        """Put other certificates or keys under the names that the file gives, and look."""
        for name, source in names.items():
            _replace(self.folder / f"{name}.pem", (TLS / f"{source}.pem").read_bytes())
        await self.rules.look(self.front)

    @property
    def well(self) -> float:
        (sample,) = self.rules.samples()
        assert sample.metric is own.WEB_CONFIG_RELOADED
        return float(sample.value)


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.replace(path)


@pytest.fixture
def serve(tmp_path: Path) -> Callable[[str], object]:
    @asynccontextmanager
    async def run(text: str) -> AsyncIterator[Served]:
        for path in TLS.glob("*.pem"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / "web.yml").write_text(text)
        rules, _ = rules_file(tmp_path / "web.yml")
        assert rules
        async with standing(plain_face(), rules.rules) as front:
            yield Served(front, rules, tmp_path)

    return run


def client(*, shows: str | None = None) -> ssl.SSLContext:
    """A client that trusts both of our certificates, and shows one of its own or none."""
    context = ssl.create_default_context(cafile=TLS / "cert.pem")
    context.load_verify_locations(TLS / "renewed-cert.pem")
    if shows:
        context.load_cert_chain(TLS / f"{shows}-cert.pem", TLS / f"{shows}-key.pem")
    return context


async def status(front: Front, context: ssl.SSLContext | None = None) -> int:
    scheme = "https" if context else "http"
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{scheme}://127.0.0.1:{front.ports[0]}/metrics", ssl=context or True) as got,
    ):
        return got.status


async def shown(front: Front, *, which: int = 0) -> str:
    """The name in the certificate that a new connection is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", front.ports[which], ssl=client())
    certificate = writer.get_extra_info("peercert")
    writer.close()
    return str(certificate["subject"][0][0][1])


async def test_a_new_connection_gets_the_new_certificate_and_an_open_one_goes_on(serve) -> None:
    async with (
        serve(f"tls_server_config: {{{PAIR}}}") as served,
        aiohttp.ClientSession() as session,
    ):
        url = f"https://127.0.0.1:{served.front.ports[0]}/metrics"
        async with session.get(url, ssl=client()) as response:
            await response.read()
        assert await shown(served.front) == "localhost"
        await served.copy(cert="renewed-cert", key="renewed-key")
        assert await shown(served.front) == "renewed"
        assert served.well == 1
        async with session.get(url, ssl=client()) as response:
            assert response.status == 200


async def test_a_broken_file_keeps_the_rules_and_says_so_once(
    serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(f"tls_server_config: {{{PAIR}}}") as served:
        with caplog.at_level(logging.INFO):
            await served.copy(cert="renewed-cert")  # and not yet its key
            await served.rules.look(served.front)
            assert (served.well, await shown(served.front)) == (0, "localhost")
            errors = [record.error for record in caplog.records if record.levelname == "ERROR"]
            (line,) = errors
            assert line.endswith("tls_server_config.key: does not belong to the certificate")
            await served.copy(key="renewed-key")
            assert (served.well, await shown(served.front)) == (1, "renewed")
            await served.write("tls: nonsense")
            assert (served.well, await shown(served.front)) == (0, "renewed")


async def test_tls_is_switched_on_and_off_while_it_serves(serve) -> None:
    async with serve("") as served:
        assert await status(served.front) == 200
        await served.write(f"tls_server_config: {{{PAIR}}}")
        assert await status(served.front, client()) == 200
        with pytest.raises(aiohttp.ClientError):
            await status(served.front)
        await served.write("")
        assert await status(served.front) == 200


async def test_no_connection_is_refused_while_certificates_change(serve) -> None:
    async with serve(f"tls_server_config: {{{PAIR}}}") as served:
        changing, statuses = True, []

        async def scrape() -> None:
            while changing:
                statuses.append(await status(served.front, client()))

        scrapers = [asyncio.create_task(scrape()) for _ in range(4)]
        number = 0
        while number < 10 or len(statuses) <= 20:
            pair = ("renewed-cert", "renewed-key") if number % 2 else ("cert", "key")
            await served.copy(cert=pair[0], key=pair[1])
            await asyncio.sleep(0.02)
            number += 1
        changing = False
        await asyncio.gather(*scrapers)
    assert set(statuses) == {200}


@pytest.mark.parametrize(
    "shows,let_in",
    [
        pytest.param("prometheus", True, id="a certificate of the authority"),
        pytest.param("renewed", False, id="a certificate of nobody"),
        pytest.param(None, False, id="no certificate"),
    ],
)
async def test_a_client_has_to_show_a_certificate_of_the_authority(
    serve, *, shows: str | None, let_in: bool
) -> None:
    async with serve(f"tls_server_config: {{{PAIR}, {CLIENTS}}}") as served:
        if let_in:
            assert await status(served.front, client(shows=shows)) == 200
        else:
            with pytest.raises((aiohttp.ClientError, ConnectionError)):
                await status(served.front, client(shows=shows))


@pytest.mark.parametrize(
    "sans,shows,expected",
    [
        pytest.param("prometheus.example", "prometheus", 200, id="a host name"),
        pytest.param("'::1'", "prometheus", 200, id="an address, however it is written"),
        pytest.param("spiffe://example/prometheus", "prometheus", 200, id="a URI"),
        pytest.param("prometheus.example", "stranger", 403, id="a stranger of the same authority"),
        pytest.param("'*.example'", "prometheus", 403, id="a pattern, which is no match"),
    ],
)
async def test_a_client_has_to_have_one_of_the_allowed_names(
    serve, sans: str, shows: str, expected: int
) -> None:
    allowed = f"client_allowed_sans: [{sans}]"
    async with serve(f"tls_server_config: {{{PAIR}, {CLIENTS}, {allowed}}}") as served:
        assert await status(served.front, client(shows=shows)) == expected


async def test_versions_below_the_least_are_refused(serve) -> None:
    async with serve(f"tls_server_config: {{{PAIR}, min_version: TLS13}}") as served:
        old = client()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(aiohttp.ClientError):
            await status(served.front, old)
        assert await status(served.front, client()) == 200


@pytest.mark.parametrize(
    "keys,cipher",
    [
        pytest.param(
            "cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]",
            "ECDHE-ECDSA-AES256-GCM-SHA384",
            id="the one suite",
        ),
        pytest.param(
            "cipher_suites: [TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
            "ECDHE-ECDSA-CHACHA20-POLY1305",
            id="the server's first",
        ),
        pytest.param(
            "prefer_server_cipher_suites: false, cipher_suites: "
            "[TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]",
            "ECDHE-ECDSA-AES128-GCM-SHA256",
            id="the client's first",
        ),
    ],
)
async def test_cipher_suites_are_those_of_the_file(serve, keys: str, cipher: str) -> None:
    async with serve(f"tls_server_config: {{{PAIR}, max_version: TLS12, {keys}}}") as served:
        asks = client()
        asks.set_ciphers(
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            "ECDHE-ECDSA-CHACHA20-POLY1305"
        )
        _, writer = await asyncio.open_connection("127.0.0.1", served.front.ports[0], ssl=asks)
        assert writer.get_extra_info("cipher")[0] == cipher
        writer.close()


async def test_what_changes_is_noticed_without_being_told(serve) -> None:
    async with serve("") as served:
        watching = asyncio.create_task(served.rules.watch(served.front, look_seconds=0.01))
        _replace(served.folder / "web.yml", f"tls_server_config: {{{PAIR}}}".encode())
        async with asyncio.timeout(20):
            while served.front.gate.rules.tls is None:
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.wait([watching])
        assert await status(served.front, client()) == 200


@pytest.mark.parametrize("steps", range(4))
async def test_who_is_cancelled_while_rules_change_leaves_no_socket_open(serve, steps: int) -> None:
    async with serve("") as served:
        _replace(served.folder / "web.yml", f"tls_server_config: {{{PAIR}}}".encode())
        adopting = asyncio.create_task(served.front.adopt(read_rules(served.folder / "web.yml")))
        for _ in range(steps):
            await asyncio.sleep(0)
        adopting.cancel()
        await asyncio.wait([adopting])
    gc.collect()  # an open socket is a warning, and that fails the test


async def test_addresses_and_certificates_may_change_at_the_same_time(serve) -> None:
    async with serve(f"tls_server_config: {{{PAIR}}}") as served:
        front, kept, moved = served.front, [ANYWHERE], f"127.0.0.1:{free_port()}"
        for number, addresses in enumerate(([*kept, moved], kept) * 3):
            name = ("renewed-", "")[number % 2]
            for file in ("cert.pem", "key.pem"):
                _replace(served.folder / file, (TLS / f"{name}{file}").read_bytes())
            rules = read_rules(served.folder / "web.yml")
            opened = await front.open(addresses)
            await asyncio.gather(front.adopt(rules), front.turn(addresses, opened))
            assert len(front.ports) == len(addresses)
            names = {await shown(front, which=n % len(addresses)) for n in range(16)}
            assert names == {("renewed", "localhost")[number % 2]}, "nobody else accepts there"
