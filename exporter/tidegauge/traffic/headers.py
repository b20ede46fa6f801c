"""Which headers a proxy passes on: all but those that belong to one connection (RFC 9110, 7.6.1).

No clock, no network, no logging: same arguments, same answer.
"""

from multidict import CIMultiDict, CIMultiDictProxy

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def passed_on(headers: CIMultiDictProxy[str], *, without: frozenset[str]) -> CIMultiDict[str]:
    """The end-to-end headers, repeated ones included, less the lower-case names in `without`.

    Content-Length goes too where Transfer-Encoding frames the body: passing on both is how
    requests are smuggled.
    """
    dropped = _HOP_BY_HOP | without | _named(headers)
    if "Transfer-Encoding" in headers:
        dropped |= {"content-length"}
    return CIMultiDict((key, value) for key, value in headers.items() if key.lower() not in dropped)


def _named(headers: CIMultiDictProxy[str]) -> frozenset[str]:
    """What the sender itself declared to be for this connection only."""
    values = headers.getall("Connection", ())
    return frozenset(name.strip().lower() for value in values for name in value.split(","))
