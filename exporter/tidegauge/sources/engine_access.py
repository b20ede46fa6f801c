"""How to reach an engine: its URL, who we are to it, and whom we trust.

Secrets are read from their files for each request, so that a rotated one is used at once; they are
no part of a message or of a repr.
"""

import asyncio
import base64
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tidegauge.sources.source import SourceError


@dataclass(frozen=True, slots=True)
class Tls:
    """What TLS towards an engine is built from; names as in Prometheus's `tls_config`."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str | None = None
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """One engine's address, without a path to its metrics, and what every request to it carries.

    `scheme` stands before the credentials ("Bearer"). `params` is the query, which may hold a
    secret as well as a header does.
    """

    url: str
    params: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    scheme: str = "Bearer"
    credentials: str | None = field(default=None, repr=False)
    credentials_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    header_files: Mapping[str, Path] = field(default_factory=dict)
    tls: Tls = Tls()

    @property
    def names_somebody(self) -> bool:
        """Whether a request says who asks."""
        secrets = (self.credentials, self.credentials_file, self.password_file)
        return any(secrets) or bool(self.headers or self.header_files)


def request_headers(access: Access) -> dict[str, str]:
    """The headers that `access` asks for, secrets as their files hold them now.

    Raises:
        SourceError: "secret"; the message names the file.
    """
    headers = dict(access.headers)
    headers |= {name: _secret(path) for name, path in access.header_files.items()}
    token = _secret(access.credentials_file) if access.credentials_file else access.credentials
    if token:
        headers["Authorization"] = f"{access.scheme} {token}"
    elif access.username is not None and access.password_file:
        pair = f"{access.username}:{_secret(access.password_file)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


class Trust:
    """The TLS context of a `Tls`, built anew when one of its files has changed."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._files = tuple(f for f in (tls.ca_file, tls.cert_file, tls.key_file) if f)
        self._built: tuple[tuple[object, ...], ssl.SSLContext] | None = None

    async def context(self) -> ssl.SSLContext:
        """The context for a request now.

        Raises:
            SourceError: "secret"; the message names the files.
        """
        state = tuple(_state(file) for file in self._files)
        if self._built is None or self._built[0] != state:
            # Reading the system's certificates takes tens of milliseconds.
            self._built = state, await asyncio.to_thread(_context, self._tls)
        return self._built[1]


def _secret(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise SourceError("secret", f"{path}: cannot be read: {reason}") from None
    if not text or not text.isprintable():
        raise SourceError("secret", f"{path}: must hold one line that is not empty")
    return text


def _state(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError as error:
        raise SourceError("secret", f"{file}: cannot be read: {error.strerror}") from None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _context(tls: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except OSError as error:
        raise SourceError("secret", f"{tls.ca_file}: no CA certificates: {error}") from None
    if tls.cert_file:
        try:
            # Without a password OpenSSL would ask the terminal for that of an encrypted key.
            context.load_cert_chain(tls.cert_file, tls.key_file, password="")
        except OSError as error:
            pair = f"{tls.cert_file} with {tls.key_file or tls.cert_file}"
            raise SourceError("secret", f"{pair}: no certificate and key: {error}") from None
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
