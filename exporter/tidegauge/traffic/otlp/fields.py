"""Where the parts of a protobuf message lie, without decoding them: protobuf's wire format.

No clock, no network, no logging: same arguments, same answer. Other bytes raise FieldError, and
nothing else. See protobuf.dev/programming-guides/encoding.
"""

from collections.abc import Iterator

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BYTES_MAX = 10
_FIELDS_MAX = 65_536  # of one message, before what it holds is not worth the steps


class FieldError(Exception):
    """Bytes are no protobuf message, or one of too many fields."""


def fields(message: memoryview, number: int) -> Iterator[memoryview]:
    """Each part of `message` in the field `number`, which holds bytes, text or messages."""
    at, seen = 0, 0
    while at < len(message):
        seen += 1
        if seen > _FIELDS_MAX:
            raise FieldError
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
            continue
        length, at = _varint(message, at) if kind == _LENGTH else (_size(kind), at)
        if length > len(message) - at:
            raise FieldError
        if kind == _LENGTH and key >> 3 == number:
            yield message[at : at + length]
        at += length


def _size(kind: int) -> int:
    if kind not in _SIZES:  # groups, which proto3 has not, or what is no protobuf at all
        raise FieldError
    return _SIZES[kind]


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for index, byte in enumerate(message[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004  # the last byte has no continuation bit
            return value, at + index + 1
    raise FieldError
