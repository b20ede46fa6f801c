"""A TLS context for the face, from PEM in memory: keys that are given inline touch no disk."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

ClientAuth = Literal["none", "if given", "required"]
Version = Literal["TLS10", "TLS11", "TLS12", "TLS13"]
Curve = Literal["CurveP256", "CurveP384", "CurveP521", "X25519"]

_VERSIONS = {
    # OpenSSL 3 refuses both at its default security level; naming them would only warn.
    "TLS10": ssl.TLSVersion.MINIMUM_SUPPORTED,
    "TLS11": ssl.TLSVersion.MINIMUM_SUPPORTED,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
_CLIENTS = {
    "none": ssl.CERT_NONE,
    "if given": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}
_CURVES = {
    "CurveP256": "prime256v1",
    "CurveP384": "secp384r1",
    "CurveP521": "secp521r1",
    "X25519": "X25519",
}
# The names of Go's crypto/tls, which the web configuration file is written in, and OpenSSL's.
# Suites of TLS 1.3 are always on in both, and their names change nothing.
_TLS13_SUITES = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
)
_SUITES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
}


class TlsError(Exception):
    """No TLS can be served so; the message begins with the key that is wrong."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What is served, as the web configuration file says it; certificates and keys are PEM."""

    cert: bytes
    key: bytes
    client_ca: bytes | None = None
    client_auth: ClientAuth = "none"
    minimum: Version = "TLS12"
    maximum: Version = "TLS13"
    suites: tuple[str, ...] = ()
    prefer_server_suites: bool = True
    curves: tuple[Curve, ...] = ()


def context(tls: Tls) -> ssl.SSLContext:
    """The context that serves `tls`.

    Raises:
        TlsError: the certificate, the key, an authority or a cipher suite cannot be used.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_alpn_protocols(["http/1.1"])
    made.minimum_version, made.maximum_version = _VERSIONS[tls.minimum], _VERSIONS[tls.maximum]
    _load_certificate(made, tls)
    _ask_clients(made, tls)
    _choose_suites(made, tls)
    if len(tls.curves) == 1:  # OpenSSL's order stands where more than one is allowed
        made.set_ecdh_curve(_CURVES[tls.curves[0]])
    return made


def _load_certificate(made: ssl.SSLContext, tls: Tls) -> None:
    with _file_of(tls.cert) as cert, _file_of(tls.key) as key:
        try:
            # Without `password` an encrypted key would ask for one at the terminal, and wait.
            made.load_cert_chain(cert, key, password=_no_password)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise TlsError("key: does not belong to the certificate") from None
            what = f": {error.reason}" if error.reason else ""
            raise TlsError(f"cert: no PEM certificate and key{what}") from None


def _no_password() -> bytes:
    raise TlsError("key: is encrypted; nobody is there to type its password")


def _ask_clients(made: ssl.SSLContext, tls: Tls) -> None:
    made.verify_mode = _CLIENTS[tls.client_auth]
    if tls.client_auth == "none":
        return
    if tls.client_ca is None:
        made.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    try:
        made.load_verify_locations(cadata=tls.client_ca.decode("ascii", errors="replace"))
    except (ssl.SSLError, ValueError) as error:
        raise TlsError(f"client_ca: no PEM certificates: {error}") from None


def _choose_suites(made: ssl.SSLContext, tls: Tls) -> None:
    unknown = [name for name in tls.suites if name not in (*_SUITES, *_TLS13_SUITES)]
    if unknown:
        known = ", ".join((*_TLS13_SUITES, *_SUITES))
        raise TlsError(f"cipher_suites: {unknown[0]!r} is unknown; known are {known}")
    old = [_SUITES[name] for name in tls.suites if name in _SUITES]
    if old:
        made.set_ciphers(":".join(old))
    elif tls.suites:  # none for TLS 1.2, so it is not spoken
        if tls.maximum != "TLS13":
            raise TlsError(f"cipher_suites: none of them is for {tls.maximum}")
        made.minimum_version = ssl.TLSVersion.TLSv1_3
    if not tls.prefer_server_suites:
        made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE


@contextmanager
def _file_of(content: bytes) -> Iterator[str]:
    """A path that OpenSSL can read `content` from; it lies in memory alone."""
    descriptor = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
