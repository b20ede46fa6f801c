"""The scalars that a configuration file is written in: durations, addresses, URLs, file paths.

Each validator's message gives the bad value and what would be right.
"""

import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainValidator

_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NAME = re.compile(r"^[a-z][a-z0-9_-]*$")
_PLACEHOLDER = re.compile(r"\{[^}]*\}")
_PORT_LIMIT = 65535
_SOCKET_PATH_BYTES = 107  # what the kernel takes, less the NUL at its end
_MODE = re.compile(r"0?[0-7]{3}\Z")


class Section(BaseModel):
    """A mapping of the file: frozen, and a key that it does not know is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def seconds(text: object) -> float:
    """A duration as Prometheus writes them, in seconds.

    >>> seconds("1m30s"), seconds("250ms")
    (90.0, 0.25)
    """
    if not isinstance(text, str) or not text or _PARTS.sub("", text):
        raise ValueError(f"{text!r} is no duration; write 500ms, 5s, 1m30s or 2h")
    return sum(float(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))


def _positive(value: float) -> float:
    if value <= 0:
        raise ValueError("a duration here must be longer than 0s")
    return value


def _address(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not port.isdigit() or int(port) > _PORT_LIMIT:
        raise ValueError(f"{text!r} is no listen address; write HOST:PORT such as 127.0.0.1:9470")
    return f"{host}:{port}"  # ":9470" is every address, IPv6 too, as in Prometheus


def _addresses(value: object) -> tuple[str, ...]:
    given = value if isinstance(value, list | tuple) else [value]
    found = tuple(_address(text if isinstance(text, str) else repr(text)) for text in given)
    twice = next((address for address in found if found.count(address) > 1), None)
    if not found:
        raise ValueError("no listen address is given; write HOST:PORT such as 127.0.0.1:9470")
    if twice:
        raise ValueError(f"{twice!r} is given twice; keep one")
    return found


def _http_url(text: str) -> str:
    if not _is_http_url(text):
        raise ValueError(f"{text!r} is no HTTP URL; write http://HOST:PORT or https://HOST:PORT")
    return text.rstrip("/")


def _url_template(text: str) -> str:
    return text if _is_http_url(_PLACEHOLDER.sub("1", text)) else _http_url(text)


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:  # a port that is no number
        return False
    whole = all(host.removesuffix(".").split(".")) and text.isprintable()
    return parts.scheme in ("http", "https") and whole


def _header(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text!r} cannot stand in a header; write one line")
    return text


def _variable(text: str) -> str:
    if not text or "=" in text or "\0" in text:
        raise ValueError(f"{text!r} is no name of an environment variable")
    return text


def _name(text: str) -> str:
    if _NAME.match(text) is None:
        raise ValueError(f"{text!r} is no name; use a-z, 0-9, - and _, a letter first")
    return text


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"{str(path)!r} is no readable file")
    return path


def _directory(path: Path) -> Path:
    """It need not be there yet, but a file in its way is a mistake."""
    for above in (path, *path.parents):
        if above.exists():
            if not above.is_dir():
                raise ValueError(f"{str(path)!r} can be no directory: {above} is a file")
            break
    return path


def _socket_path(path: Path) -> Path:
    length = len(os.fsencode(path))
    if not path.is_absolute():
        raise ValueError(f"{str(path)!r} is no absolute path; write /run/tidegauge/traffic.sock")
    if length > _SOCKET_PATH_BYTES:
        raise ValueError(
            f"{str(path)!r} has {length} bytes; a socket's path has at most {_SOCKET_PATH_BYTES}"
        )
    return path


def _file_mode(value: object) -> str:
    if isinstance(value, str) and _MODE.match(value):
        return value
    raise ValueError(f'{value!r} is no file mode; write it as text of octal digits, "0660"')


Seconds = Annotated[float, BeforeValidator(seconds)]
PositiveSeconds = Annotated[float, BeforeValidator(seconds), AfterValidator(_positive)]
Address = Annotated[str, AfterValidator(_address)]
Addresses = Annotated[tuple[str, ...], PlainValidator(_addresses)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
UrlTemplate = Annotated[str, AfterValidator(_url_template)]
Header = Annotated[str, AfterValidator(_header)]
Variable = Annotated[str, AfterValidator(_variable)]
Name = Annotated[str, AfterValidator(_name)]
SocketPath = Annotated[Path, AfterValidator(_socket_path)]
FileMode = Annotated[str, PlainValidator(_file_mode)]
ReadableFile = Annotated[Path, AfterValidator(_file)]
Directory = Annotated[Path, AfterValidator(_directory)]
