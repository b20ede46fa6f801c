"""What crosses the socket between the middleware and the sidecar: numbers, and configured names.

No clock, no network, no logging: same arguments, same answer. Whoever changes what is said in any
datagram raises VERSION: the two ends may be of two releases, and must not misread one another.
"""

import struct
from dataclasses import dataclass
from typing import Literal, assert_never, get_args

from tidegauge.traffic.exchange import Exchange
from tidegauge.traffic.reporting.datagram_exchange import (
    MalformedError,
    exchange_bytes,
    exchange_of,
)

VERSION = 3
BYTES_MAX = 1 << 16
"""No datagram is longer."""

RejectedBecause = Literal["malformed", "version"]
"""malformed: not what a middleware sends; version: of one of another release."""
REJECTED_BECAUSE: tuple[RejectedBecause, ...] = get_args(RejectedBecause)

_MAGIC = b"TG"
_HEAD = struct.Struct("<2sBB")  # magic, version, kind
_TOLD, _STATUS, _TAKEN, _NAMES = range(4)
_SEQUENCE = struct.Struct("<Q")
_STATUS_BODY = struct.Struct("<QQQIIQ")
_TAKEN_BODY = struct.Struct("<QQQQ")


class DatagramError(ValueError):
    """Bytes that are no datagram of ours; the message has none of them."""

    def __init__(self, reason: RejectedBecause, message: str) -> None:
        super().__init__(message)
        self.reason: RejectedBecause = reason


@dataclass(frozen=True, slots=True)
class Counts:
    """What only ever grows: requests begun, exchanges dropped, exchanges without their vectors."""

    started: int = 0
    dropped: int = 0
    left_out: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.started + other.started,
            self.dropped + other.dropped,
            self.left_out + other.left_out,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return Counts(
            self.started - other.started,
            self.dropped - other.dropped,
            self.left_out - other.left_out,
        )


@dataclass(frozen=True, slots=True)
class Told:
    """One exchange. `sequence` counts those sent over this connection, from 1."""

    sequence: int
    exchange: Exchange


@dataclass(frozen=True, slots=True)
class Status:
    """How a process is: `counts` since what an earlier sidecar has taken in, and what is now.

    `embedding` is the mark of what makes its semantic vectors.
    """

    counts: Counts
    in_flight: int
    streams: int
    embedding: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """The sidecar's answer: it has taken in exchanges up to `sequence`, and these counts."""

    sequence: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Names:
    """The sidecar's greeting: the models whose names may be said; all others are "other"."""

    models: tuple[str, ...]


Datagram = Told | Status | Taken | Names


def encode(datagram: Datagram) -> bytes:
    """The bytes of one datagram, at most BYTES_MAX.

    Raises:
        DatagramError: a number is beyond what can be said, or the names are too many.
    """
    try:
        said = _said(datagram)
    except (struct.error, OverflowError, MalformedError):
        raise DatagramError("malformed", "a number is beyond what can be said") from None
    if len(said) > BYTES_MAX:
        raise DatagramError("malformed", f"{len(said)} bytes are more than {BYTES_MAX}")
    return said


def decode(said: bytes) -> Datagram:
    """What `encode` was given.

    Raises:
        DatagramError: the bytes are none that `encode` gives.
    """
    try:
        magic, version, kind = _HEAD.unpack_from(said)
    except struct.error:
        raise DatagramError("malformed", f"{len(said)} bytes are no datagram") from None
    if magic != _MAGIC:
        raise DatagramError("malformed", "it does not begin as a datagram does")
    if version != VERSION:
        raise DatagramError("version", f"version {version}; this is version {VERSION}")
    try:
        return _heard(kind, said[_HEAD.size :])
    except (struct.error, MalformedError, UnicodeDecodeError):
        raise DatagramError(
            "malformed", f"{len(said)} bytes of kind {kind} make no sense"
        ) from None


def _said(datagram: Datagram) -> bytes:
    match datagram:
        case Told(sequence, exchange):
            return _head(_TOLD) + _SEQUENCE.pack(sequence) + exchange_bytes(exchange)
        case Status(counts, in_flight, streams, embedding):
            body = _STATUS_BODY.pack(*_three(counts), in_flight, streams, embedding)
            return _head(_STATUS) + body
        case Taken(sequence, counts):
            return _head(_TAKEN) + _TAKEN_BODY.pack(sequence, *_three(counts))
        case Names(models):
            return _head(_NAMES) + "\0".join(models).encode("utf-8", "replace")
        case _:
            assert_never(datagram)


def _heard(kind: int, body: bytes) -> Datagram:
    if kind == _TOLD:
        (sequence,) = _SEQUENCE.unpack_from(body)
        return Told(sequence, exchange_of(body[_SEQUENCE.size :]))
    if kind == _STATUS:
        started, dropped, left_out, in_flight, streams, embedding = _STATUS_BODY.unpack(body)
        return Status(Counts(started, dropped, left_out), in_flight, streams, embedding)
    if kind == _TAKEN:
        sequence, started, dropped, left_out = _TAKEN_BODY.unpack(body)
        return Taken(sequence, Counts(started, dropped, left_out))
    if kind == _NAMES:
        return Names(tuple(body.decode().split("\0")) if body else ())
    raise MalformedError


def _head(kind: int) -> bytes:
    return _HEAD.pack(_MAGIC, VERSION, kind)


def _three(counts: Counts) -> tuple[int, int, int]:
    return counts.started, counts.dropped, counts.left_out
