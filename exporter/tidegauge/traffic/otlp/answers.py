"""What an OTLP/HTTP server answers: a body in the encoding that was asked in.

No clock, no network, no logging: same arguments, same answer. Three messages of one or two fields
each are written here, so that a refusal needs no library.
"""

import json

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
TYPES = (PROTOBUF, JSON)

_VARINT, _LENGTH = 0, 2


def accepted(media_type: str, *, rejected: int, why: str) -> bytes:
    """An ExportTraceServiceResponse; `rejected` spans could not be read, which leaves the rest."""
    if media_type == PROTOBUF:
        partial = _number(1, rejected) + _bytes(2, why.encode())
        return _bytes(1, partial) if rejected else b""
    partial_success = {"rejectedSpans": str(rejected), "errorMessage": why}
    return _json({"partialSuccess": partial_success} if rejected else {})


def refused(media_type: str, why: str) -> bytes:
    """A google.rpc.Status, which the body of every refusal is; OTLP has no use for its code."""
    return _bytes(2, why.encode()) if media_type == PROTOBUF else _json({"message": why})


def _json(document: dict[str, object]) -> bytes:
    return json.dumps(document).encode()


def _bytes(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varint(value: int) -> bytes:
    spelled = bytearray()
    while value >= 0x80:  # noqa: PLR2004  # seven bits a byte, the last without continuation
        spelled.append(value & 0x7F | 0x80)
        value >>= 7
    spelled.append(value)
    return bytes(spelled)
