"""A web configuration file, made into the rules that the face goes by."""

import ssl
from pathlib import Path

from tidegauge.config import ConfigError
from tidegauge.config.web import WebTls, load_web
from tidegauge.web import Rules, RulesError, RulesFile
from tidegauge.web.tls import ClientAuth, Tls, TlsError, context

_CLIENT_AUTH: dict[str, ClientAuth] = {
    "": "none",
    "NoClientCert": "none",
    "VerifyClientCertIfGiven": "if given",
    "RequireAndVerifyClientCert": "required",
}


def rules_file(path: Path | None) -> tuple[RulesFile | None, tuple[str, ...]]:
    """The file at `path`, read for the first time, and the mistakes in it; None without one."""
    if path is None:
        return None, ()
    try:
        return RulesFile(path, lambda: read_rules(path)), ()
    except RulesError as error:
        return None, error.lines


def read_rules(path: Path) -> Rules:
    """The rules in the file at `path`; the files that it names are relative to its folder.

    Raises:
        RulesError: one line per mistake.
    """
    try:
        config = load_web(path)
    except ConfigError as error:
        raise RulesError(error.lines) from None
    tls, rate = config.tls_server_config, config.rate_limit
    sans = tls.client_allowed_sans
    named = (tls.cert_file, tls.key_file, tls.client_ca_file)
    return Rules(
        tls=_context(tls, path) if tls.enabled else None,
        allowed_sans=None if sans is None else frozenset(sans),
        users=config.basic_auth_users,
        headers=config.http_server_config.headers,
        interval_seconds=rate.interval,
        burst=rate.burst,
        files=tuple(path.parent / name for name in named if name),
    )


def _context(config: WebTls, path: Path) -> ssl.SSLContext:
    try:
        return context(
            Tls(
                cert=_pem(config.cert, config.cert_file, key="cert_file", path=path),
                key=_pem(config.key, config.key_file, key="key_file", path=path),
                client_ca=_pem(
                    config.client_ca, config.client_ca_file, key="client_ca_file", path=path
                )
                or None,
                client_auth=_CLIENT_AUTH[config.client_auth_type],
                minimum=config.min_version,
                maximum=config.max_version,
                suites=config.cipher_suites,
                prefer_server_suites=config.prefer_server_cipher_suites,
                curves=config.curve_preferences,
            )
        )
    except TlsError as error:
        raise RulesError([f"{path}: tls_server_config.{error}"]) from None


def _pem(inline: str, file: str, *, key: str, path: Path) -> bytes:
    if not file:
        return inline.encode()
    try:
        return (path.parent / file).read_bytes()
    except OSError as error:
        raise TlsError(f"{key}: {file!r} cannot be read: {error.strerror}") from None
