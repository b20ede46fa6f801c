"""Captures on disk: one file, or all that a folder holds, whatever their names.

Some keep the head of the HTTP answer, and beside captures lies what is none: NoCaptureError says
why a file is left out, and whoever asked goes on.
"""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

_EOF = "# EOF\n"


class NoCaptureError(ValueError):
    """A file that holds no exposition; the message says why."""


def files(data: Path) -> list[Path]:
    """The file itself, or every file below the folder."""
    return sorted(path for path in data.rglob("*") if path.is_file()) if data.is_dir() else [data]


def exposition(path: Path) -> str:
    """The exposition in a file, without a head, and with the newline that ends its last line.

    Raises:
        NoCaptureError: prometheus_client reads no row in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoCaptureError(str(error)) from None
    if text.startswith("HTTP/"):
        text = text.partition("\n\n")[2]
    text = text.rstrip("\n") + "\n"
    try:
        rows = sum(len(metric.samples) for metric in families(text))
    except (ValueError, KeyError, IndexError) as error:
        raise NoCaptureError(f"no exposition: {error}"[:200]) from None
    if not rows:
        raise NoCaptureError("no exposition: it has no row")
    return text


def families(text: str) -> Iterator[Metric]:
    """What prometheus_client's parser for the text's format makes of it.

    Raises:
        ValueError: it is no exposition; KeyError and IndexError happen as well.
    """
    yield from (openmetrics if text.endswith(_EOF) else plain)(text)
