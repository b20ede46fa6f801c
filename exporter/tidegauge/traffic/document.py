"""JSON from outside: either an object, or None. Nothing that a peer sends raises beyond here.

No clock, no network, no logging: same arguments, same answer.
"""

import json


def json_object(raw: bytes | bytearray) -> dict[str, object] | None:
    """The object that `raw` spells; None for anything else, such as half an object."""
    try:
        value: object = json.loads(raw)
    except (ValueError, RecursionError):  # RecursionError: a million opening brackets
        return None
    return mapping(value)


def mapping(value: object) -> dict[str, object] | None:
    """The value if it is a JSON object."""
    return value if isinstance(value, dict) else None


def objects(value: object) -> list[dict[str, object]]:
    """The JSON objects among the members of a JSON array; none if it is no array."""
    members: list[object] = value if isinstance(value, list) else []
    return [member for member in members if isinstance(member, dict)]


def count(value: object) -> int | None:
    """The value if it is a whole number of things, from 0 to what a float counts exactly."""
    return value if type(value) is int and 0 <= value < 2**53 else None


class Copy:
    """A copy of what passed, kept up to `limit` bytes; beyond that all of it is let go."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: bytearray | None = bytearray()

    def piece(self, piece: bytes) -> None:
        if self._kept is None:
            return
        if len(self._kept) + len(piece) > self._limit:
            self._kept = None
        else:
            self._kept += piece

    def json_object(self) -> dict[str, object] | None:
        """What was copied, read as a JSON object; None if it is none or was too large."""
        return None if self._kept is None else json_object(self._kept)
