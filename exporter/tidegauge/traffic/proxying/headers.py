"""Which headers a proxy passes on: all but those that belong to one connection (RFC 9110, 7.6.1).

No clock, no network, no logging: same arguments, same answer. Transfer-Encoding stays: bodies pass
with their framing.
"""

from tidegauge.traffic.proxying.head import Fields, listed, values

_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"upgrade",
    }
)
# What says where a body ends is not for a sender to take away by naming it in Connection.
_FRAMING = frozenset({b"transfer-encoding", b"content-length", b"host"})


def passed_on(fields: Fields, *, without: frozenset[bytes] = frozenset()) -> Fields:
    """The end-to-end headers, repeated ones included, less the lower-case names in `without`.

    Content-Length goes too where Transfer-Encoding frames the body: passing on both is how
    requests are smuggled.
    """
    dropped = _HOP_BY_HOP | (frozenset(listed(fields, b"connection")) - _FRAMING) | without
    if values(fields, b"transfer-encoding"):
        dropped |= {b"content-length"}
    return tuple(each for each in fields if each[0].lower() not in dropped)


def upgrade(fields: Fields) -> Fields:
    """What asks for another protocol on a connection, or agrees to it; () where nothing does."""
    asked = values(fields, b"upgrade")
    if not asked or b"upgrade" not in listed(fields, b"connection"):
        return ()
    return ((b"Connection", b"Upgrade"), *((b"Upgrade", value) for value in asked))
