"""What a client asks for in its headers: format, encoding, time.

No clock, no network, no logging: same arguments, same answer. A header that makes no sense is
taken for one that was not sent.
"""

import math
import re
from collections.abc import Iterator

from tidegauge.exposition import Format

_QUALITY = re.compile(r"[01](?:\.\d*)?")
_OPENMETRICS_VERSIONS = ("1.0.0", "0.0.1", "")


def exposition_format(accept: str) -> Format:
    """The format for an Accept header; whoever wants neither gets Prometheus's, as everywhere.

    >>> exposition_format("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    'openmetrics'
    >>> exposition_format("application/openmetrics-text;q=0.1, text/plain")
    'prometheus'
    """
    openmetrics, text = 0.0, {"text/plain": 0.0, "text/*": 0.0, "*/*": 0.0}
    for kind, quality, version in _ranges(accept):
        if kind == "application/openmetrics-text" and version in _OPENMETRICS_VERSIONS:
            openmetrics = max(openmetrics, quality)
        elif kind in text:
            text[kind] = max(text[kind], quality)
    best_text = next((quality for quality in text.values() if quality), 0.0)
    return "openmetrics" if openmetrics and openmetrics >= best_text else "prometheus"


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip and likes it no less than the plain body.

    >>> takes_gzip("gzip"), takes_gzip("gzip;q=0, *"), takes_gzip("*;q=0.5")
    (True, False, True)
    """
    qualities = {kind: quality for kind, quality, _ in _ranges(accept_encoding)}
    anything = qualities.get("*", 0.0)
    gzip = qualities.get("gzip", qualities.get("x-gzip", anything))
    return gzip > 0 and gzip >= qualities.get("identity", 0.0)


def seconds_left(timeout: str) -> float | None:
    """The value of X-Prometheus-Scrape-Timeout-Seconds; None if it is no time that one can wait.

    >>> seconds_left("10"), seconds_left("nan"), seconds_left("-1"), seconds_left("soon")
    (10.0, None, None, None)
    """
    try:
        seconds = float(timeout)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds > 0 else None


def _ranges(header: str) -> Iterator[tuple[str, float, str]]:
    """What a header lists: value, q and version of each element that makes sense."""
    for element in header.split(","):
        kind, *rest = element.split(";")
        parameters = {
            key.strip().lower(): value.strip().strip('"')
            for key, _, value in (parameter.partition("=") for parameter in rest)
        }
        quality = parameters.get("q", "1")
        if _QUALITY.fullmatch(quality):
            yield kind.strip().lower(), min(float(quality), 1.0), parameters.get("version", "")
