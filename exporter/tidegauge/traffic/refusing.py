"""Answers of the tap's own: why it did not pass a request on, or got no answer to it.

No clock, no network, no logging: same arguments, same answer.
"""

import json

from tidegauge.traffic.head import Fields, written

CLOSE: Fields = ((b"Connection", b"close"),)

_REASONS = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    501: "Not Implemented",
    502: "Bad Gateway",
    505: "HTTP Version Not Supported",
}


def refusal(status: int, message: str, *, kind: str, last: bool) -> bytes:
    """One in OpenAI's error shape, which clients of completions know to read.

    With `last` it says that it is the last on its connection.
    """
    error = {"message": message, "type": kind, "param": None, "code": status}
    body = json.dumps({"error": error}).encode()
    fields: Fields = (
        (b"Content-Type", b"application/json; charset=utf-8"),
        (b"Content-Length", b"%d" % len(body)),
        *(CLOSE if last else ()),
    )
    return written(b"HTTP/1.1 %d %s" % (status, _REASONS[status].encode()), fields) + body
