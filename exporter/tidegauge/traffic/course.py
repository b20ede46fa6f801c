"""Where a request goes, and how its head is written there.

Every request has a connection of its own: see `passage`.
"""

from dataclasses import dataclass

from tidegauge.traffic.head import Fields, RequestHead, values, written
from tidegauge.traffic.headers import passed_on, upgrade
from tidegauge.traffic.labelling import Labelling
from tidegauge.traffic.refusing import CLOSE
from tidegauge.traffic.upstream import Upstream

# What an engine compresses can't be measured; engines behind a proxy on the same host hardly do.
_NOT_TO_MEASURED = frozenset({b"accept-encoding"})


@dataclass(frozen=True, slots=True)
class Course:
    """Where a request goes; it ends on the course that it began on."""

    upstream: Upstream
    labelling: Labelling
    connect_seconds: float

    def request_head(self, head: RequestHead, *, measured: bool) -> bytes:
        """What the upstream is sent for `head`; `measured`: its answer is going to be."""
        upstream = self.upstream
        without = _NOT_TO_MEASURED if measured else frozenset[bytes]()
        if not head.minor:  # a 1.0 client can't be told to go on
            without |= {b"expect"}
        fields = passed_on(head.fields, without=without)
        if not values(fields, b"host"):
            fields = ((b"Host", upstream.authority), *fields)
        if upstream.authorization and not values(fields, b"authorization"):
            fields += ((b"Authorization", upstream.authorization),)
        fields += asked_upgrade(head) or CLOSE
        path = upstream.prefix + head.target if head.target.startswith(b"/") else head.target
        return written(b"%s %s HTTP/1.1" % (head.method, path), fields)


def asked_upgrade(head: RequestHead) -> Fields:
    """What of the request asks for another protocol, which HTTP/1.0 can't."""
    return upgrade(head.fields) if head.minor else ()
