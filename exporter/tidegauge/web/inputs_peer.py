"""Whether a request was begun on this machine, as far as can be known.

No address that a header names is believed. That there is such a header says that whoever holds
the connection speaks for somebody else.
"""

import ipaddress
import socket

from aiohttp import web

# What reverse proxies add, and what browsers say of the page that asks.
_FOR_OTHERS = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via", "Origin", "Sec-Fetch-Site")


def is_local(request: web.Request) -> bool:
    """Whether the peer is a program of this machine that speaks for itself."""
    if any(name in request.headers for name in _FOR_OTHERS):
        return False
    return is_loopback(request.get_extra_info("socket"), request.get_extra_info("peername"))


def is_loopback(held: object, peername: object) -> bool:
    """Whether a socket's peer can only be on this machine; False where that is not known."""
    if getattr(held, "family", None) == socket.AF_UNIX:
        return True
    if not isinstance(peername, tuple) or not peername:
        return False
    try:
        address = ipaddress.ip_address(str(peername[0]))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
