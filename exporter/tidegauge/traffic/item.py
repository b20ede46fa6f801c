"""One JSON object that somebody sent, read field by field: each is of its kind, or a mistake.

No clock, no network, no logging: same arguments, same answer. A message names the field and the
kind of its value, and never repeats a value or a name that came from outside: either may be text.
"""

import math
from collections.abc import Collection, Sequence
from typing import TypeVar

Choice = TypeVar("Choice", bound=str)

_KINDS = {str: "text", bool: "true or false", list: "an array", dict: "an object"}


class ItemError(Exception):
    """What was sent cannot be taken. The message is one line."""


class Item:
    """Reads the fields of `value`, which may have those of `known` alone; null is left out.

    Raises:
        ItemError: it is no object, or has other fields.
    """

    def __init__(self, value: object, known: Collection[str]) -> None:
        if not isinstance(value, dict):
            raise ItemError(f"an object is wanted, not {_kind(value)}")
        self._fields: dict[str, object] = {k: v for k, v in value.items() if v is not None}
        if not self._fields.keys() <= set(known):
            raise ItemError(f"has a field that is not known; known are {', '.join(known)}")

    def text(self, key: str, *, most: int) -> str | None:
        """Text of at most so many characters.

        Raises:
            ItemError: it is something else, as of every method here.
        """
        value = self._fields.get(key)
        if value is None or (isinstance(value, str) and len(value) <= most):
            return value if isinstance(value, str) else None
        what = f"{len(value)} characters" if isinstance(value, str) else _kind(value)
        raise ItemError(f"{key}: text of at most {most} characters is wanted, not {what}")

    def choice(self, key: str, of: Sequence[Choice]) -> Choice | None:
        """One of these words."""
        value = self._fields.get(key)
        found = next((word for word in of if word == value), None)
        if value is not None and found is None:
            what = "another word" if isinstance(value, str) else _kind(value)
            raise ItemError(f"{key}: one of {', '.join(of)} is wanted, not {what}")
        return found

    def number(self, key: str, low: float, high: float) -> float | None:
        """A number from `low` to `high`."""
        value = self._fields.get(key)
        return None if value is None else number(key, value, low, high)

    def whole(self, key: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`."""
        value = self._fields.get(key)
        if value is None or (type(value) is int and low <= value <= high):
            return value if isinstance(value, int) else None
        what = "another number" if _is_number(value) else _kind(value)
        raise ItemError(f"{key}: a whole number from {low} to {high} is wanted, not {what}")

    def flag(self, key: str) -> bool | None:
        """True or false."""
        value = self._fields.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise ItemError(f"{key}: true or false is wanted, not {_kind(value)}")

    def numbers(self, key: str, low: float, high: float, *, most: int) -> tuple[float, ...]:
        """So many numbers at most, from `low` to `high`; none where the field is left out."""
        value = self._fields.get(key, [])
        if not isinstance(value, list):
            raise ItemError(f"{key}: an array of numbers is wanted, not {_kind(value)}")
        if len(value) > most:
            raise ItemError(f"{key}: at most {most} numbers are wanted, not {len(value)}")
        return tuple(number(key, member, low, high) for member in value)

    def missing(self, key: str) -> ItemError:
        """The mistake that this field is not there."""
        return ItemError(f"{key}: is missing")


def number(key: str, value: object, low: float, high: float) -> float:
    """The value, if it is a number from `low` to `high`.

    Raises:
        ItemError: it is not.
    """
    if isinstance(value, int | float) and _is_number(value) and low <= value <= high:
        return float(value)
    what = "another number" if _is_number(value) else _kind(value)
    raise ItemError(f"{key}: a number from {low:g} to {high:g} is wanted, not {what}")


def _is_number(value: object) -> bool:
    if type(value) is int:
        return True
    return isinstance(value, float) and not math.isnan(value)


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "null" if value is None else "a number")
