"""The web configuration file: every key that the exporter-toolkit documents, and every mistake."""

import ssl
from pathlib import Path

import pytest

from tidegauge.cli.main import main
from tidegauge.cli.web_rules import read_rules
from tidegauge.web import RulesError

TLS = Path(__file__).parents[1] / "fixtures" / "tls"
PAIR = "cert_file: cert.pem, key_file: key.pem"
HASH = "$2y$04$abcdefghijklmnopqrstuuGIFMHXPW4TsvLqJV0FExf5J0tIcCvJW"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that holds the certificates of the tests."""
    for path in TLS.glob("*.pem"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.pem").write_text("-----BEGIN NONSENSE-----\n")
    return tmp_path


@pytest.mark.parametrize(
    "text,mistake",
    [
        pytest.param("tls: {}", "tls: unknown key", id="a key that is unknown"),
        pytest.param(
            "tls_server_config: {cert_fil: x}",
            "tls_server_config.cert_fil: unknown key; did you mean cert_file?",
            id="a key that is misspelt",
        ),
        pytest.param(
            "tls_server_config: {cert_file: cert.pem}",
            "tls_server_config.key_file: is missing; give it, or key",
            id="a certificate without its key",
        ),
        pytest.param(
            "tls_server_config: {key_file: key.pem}",
            "tls_server_config.cert_file: is missing; give it, or cert",
            id="a key without its certificate",
        ),
        pytest.param(
            "tls_server_config: {client_auth_type: RequireAndVerifyClientCert}",
            "tls_server_config.cert_file: is missing",
            id="client certificates without TLS",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, key: x}}",
            "tls_server_config.key: is given beside key_file; keep one",
            id="a key in the file and beside it",
        ),
        pytest.param(
            "tls_server_config: {cert_file: none.pem, key_file: key.pem}",
            "tls_server_config.cert_file: 'none.pem' cannot be read: No such file or directory",
            id="a certificate that is not there",
        ),
        pytest.param(
            "tls_server_config: {cert_file: broken.pem, key_file: key.pem}",
            "tls_server_config.cert: no PEM certificate and key",
            id="a certificate that is none",
        ),
        pytest.param(
            "tls_server_config: {cert_file: cert.pem, key_file: renewed-key.pem}",
            "tls_server_config.key: does not belong to the certificate",
            id="a key of another certificate",
        ),
        pytest.param(
            "tls_server_config: {cert_file: renewed-cert.pem, key_file: encrypted-key.pem}",
            "tls_server_config.key: is encrypted",
            id="a key with a password",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, client_ca_file: client-ca.pem}}",
            "tls_server_config.client_auth_type: is missing",
            id="authorities that nobody asks",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, client_auth_type: VerifyClientCertIfGiven, "
            "client_ca_file: broken.pem}",
            "tls_server_config.client_ca: no PEM certificates",
            id="authorities that are none",
        ),
        *(
            pytest.param(
                f"tls_server_config: {{{PAIR}, client_auth_type: {kind}}}",
                f"tls_server_config.client_auth_type: '{kind}' takes certificates that nobody has",
                id=f"{kind}, which Python cannot do",
            )
            for kind in ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, client_auth_type: Sometimes}}",
            "tls_server_config.client_auth_type: 'Sometimes' is wrong: it should be",
            id="a policy that is unknown",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, client_auth_type: VerifyClientCertIfGiven, "
            "client_allowed_sans: [a]}",
            "tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerify",
            id="names of clients that may show none",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, min_version: TLS13, max_version: TLS12}}",
            "tls_server_config.min_version: TLS13 is above max_version (TLS12)",
            id="versions that leave none",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, min_version: TLS10, max_version: TLS11}}",
            "tls_server_config.max_version: 'TLS11' is too old for OpenSSL",
            id="versions that nobody speaks",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, min_version: SSL3}}",
            "tls_server_config.min_version: 'SSL3' is wrong: it should be",
            id="a version that is unknown",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}}",
            "tls_server_config.cipher_suites: 'TLS_RSA_WITH_RC4_128_SHA' is unknown; known are",
            id="a cipher suite that is unknown",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, max_version: TLS12, "
            "cipher_suites: [TLS_AES_128_GCM_SHA256]}",
            "tls_server_config.cipher_suites: none of them is for TLS12",
            id="no cipher suite for the version",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, curve_preferences: [CurveP224]}}",
            "tls_server_config.curve_preferences[0]: 'CurveP224' is wrong: it should be",
            id="a curve that is unknown",
        ),
        pytest.param(
            "http_server_config: {headers: {X-Powered-By: us}}",
            "http_server_config.headers: 'X-Powered-By' can not be set; known here: Content-Sec",
            id="a header that may not be set",
        ),
        pytest.param(
            "http_server_config: {headers: {X-Frame-Options: never}}",
            "http_server_config.headers: X-Frame-Options is 'never'; write deny or sameorigin",
            id="a header with a value that it has not",
        ),
        pytest.param(
            'http_server_config: {headers: {X-XSS-Protection: "a\\r\\nB: c"}}',
            r"http_server_config.headers: X-XSS-Protection is 'a\r\nB: c'; write one line",
            id="a header of two lines",
        ),
        pytest.param(
            "basic_auth_users: {alice: secret}",
            "basic_auth_users: the password of 'alice' is no bcrypt hash; write what `htpasswd",
            id="a password in the clear",
        ),
        pytest.param(
            f"basic_auth_users: {{alice: '{HASH.replace('$04$', '$99$')}'}}",
            "basic_auth_users: the password of 'alice' is no bcrypt hash",
            id="a cost that bcrypt has not",
        ),
        pytest.param(
            "basic_auth_users: {alice: [hunter2]}",
            "basic_auth_users.alice: its value is wrong: it should be a valid string",
            id="a password that is a list",
        ),
        pytest.param(
            "rate_limit: {interval: 1s}",
            "rate_limit.burst: is missing; without it every request would be refused",
            id="a limit that lets nothing through",
        ),
        pytest.param(
            "rate_limit: {interval: 5, burst: 1}",
            "rate_limit.interval: 5 is no duration; write 500ms, 5s, 1m30s or 2h",
            id="an interval without a unit",
        ),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(
    folder: Path, text: str, mistake: str
) -> None:
    path = folder / "web.yml"
    path.write_text(text)
    with pytest.raises(RulesError) as caught:
        read_rules(path)
    (line,) = caught.value.lines
    assert line.startswith(f"{path}: {mistake}")
    for secret in ("hunter2", "secret", "BEGIN"):
        assert secret not in line.partition("hash; ")[0], "a secret is shown to nobody"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(f"tls_server_config: {{{PAIR}}}", id="files beside it, whatever the folder"),
        pytest.param(
            f"tls_server_config: {{{PAIR}, client_auth_type: RequireAndVerifyClientCert, "
            "client_ca_file: client-ca.pem, client_allowed_sans: [prometheus.example]}",
            id="clients that must show a certificate",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, client_auth_type: NoClientCert, min_version: TLS10}}",
            id="the policy by its name, and an old version allowed",
        ),
        pytest.param(
            f"tls_server_config: {{{PAIR}, prefer_server_cipher_suites: false, curve_preferences: "
            "[X25519, CurveP256], cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]}",
            id="suites and curves by Go's names",
        ),
        pytest.param("http_server_config: {http2: false, headers: {}}", id="no HTTP/2"),
        pytest.param("rate_limit: {interval: 0, burst: 20}", id="a limit that is switched off"),
    ],
)
def test_what_is_documented_is_taken(folder: Path, text: str) -> None:
    path = folder / "web.yml"
    path.write_text(text)
    assert (read_rules(path).tls is not None) == ("tls_server_config" in text)


def test_certificate_key_and_authorities_may_stand_in_the_file_itself(folder: Path) -> None:
    def inline(name: str) -> str:
        return "|\n    " + (folder / name).read_text().replace("\n", "\n    ")

    path = folder / "web.yml"
    path.write_text(
        "tls_server_config:\n"
        f"  cert: {inline('cert.pem')}\n  key: {inline('key.pem')}\n"
        f"  client_ca: {inline('client-ca.pem')}\n  client_auth_type: VerifyClientCertIfGiven\n"
    )
    rules = read_rules(path)
    assert rules.tls
    assert rules.tls.verify_mode == ssl.CERT_OPTIONAL
    assert rules.files == ()


def test_suites_for_tls_13_alone_leave_no_older_version(folder: Path) -> None:
    path = folder / "web.yml"
    path.write_text(f"tls_server_config: {{{PAIR}, cipher_suites: [TLS_AES_256_GCM_SHA384]}}")
    rules = read_rules(path)
    assert rules.tls
    assert rules.tls.minimum_version == ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("command", ["serve", "control"])
def test_config_check_reads_the_web_configuration_too(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "web.yml"
    path.write_text("rate_limit: {interval: 1s}")
    assert main([command, "--config.check", "--web.config.file", str(path)]) == 2
    said = f"tidegauge {command}: error: {path}: rate_limit.burst: is missing"
    assert said in capsys.readouterr().err
