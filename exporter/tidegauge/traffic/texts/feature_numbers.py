"""Features as plain numbers and back, for the socket between two processes.

No clock, no network, no logging: same arguments, same answer. What is read back may be anything:
nothing but ValueError is raised, and only what could have been written is accepted.
"""

from collections.abc import Iterable
from itertools import islice

from tidegauge.traffic.texts.languages import LANGUAGES
from tidegauge.traffic.texts.scripts import SCRIPTS
from tidegauge.traffic.texts.text_features import TextFeatures
from tidegauge.traffic.texts.vectors import DIMENSIONS, STEPS

_ABSENT = -1.0
_PRESENT = 1.0
_EXACT = 2**53  # beyond, a float is no count
_RATIO_MAX = 1.0
_COMPRESSION_MAX = 16.0  # deflate makes a few bytes more of a text, even of one byte
_STEP_BYTE: dict[object, int] = {step: step % 256 for step in range(-STEPS, STEPS + 1)}
_ROUNDING = 1e-4  # of six shares that were in single precision


def text_numbers(text: TextFeatures | None) -> tuple[float, ...]:
    return (_ABSENT,) if text is None else text.numbers()


def optional_number(value: float | None) -> tuple[float]:
    return (_ABSENT if value is None else float(value),)


def vector_numbers(vector: bytes | None) -> tuple[float, ...]:
    if vector is None:
        return (_ABSENT,)
    return (_PRESENT, *map(float, memoryview(vector).cast("b")))


class NumbersReader:
    """Takes numbers one after the other. Every method raises ValueError on what it cannot take."""

    def __init__(self, numbers: Iterable[object]) -> None:
        self._numbers = iter(numbers)

    def number(self) -> float:
        """The next number: finite, and no larger than a float counts exactly."""
        value = next(self._numbers, None)
        # bool is an int, but nobody's number. NaN is in no range.
        if not isinstance(value, int | float) or isinstance(value, bool):
            kind = "nothing" if value is None else type(value).__name__
            raise ValueError(f"features: {kind} where a number has to be")  # noqa: TRY004
        if not -_EXACT < value < _EXACT:
            raise ValueError("features: a number that is not finite or too large")
        return float(value)

    def optional_ratio(self) -> float | None:
        value = self.number()
        return None if value == _ABSENT else _within(value, _RATIO_MAX)

    def optional_truth(self) -> bool | None:
        value = self.number()
        return None if value == _ABSENT else _whole(value, 0, 1) == 1

    def text(self) -> TextFeatures | None:
        first = self.number()
        if first == _ABSENT:
            return None
        characters = _whole(first, 1, _EXACT)
        lower, upper, digit, space, punctuation, other = (self._ratio() for _ in range(6))
        if abs(lower + upper + digit + space + punctuation + other - 1) > _ROUNDING:
            raise ValueError("features: shares of the character classes do not sum to 1")
        return TextFeatures(
            characters=characters,
            lower_ratio=lower,
            upper_ratio=upper,
            digit_ratio=digit,
            space_ratio=space,
            punctuation_ratio=punctuation,
            other_ratio=other,
            non_ascii_ratio=self._ratio(),
            newline_ratio=self._ratio(),
            compression_ratio=_within(self.number(), _COMPRESSION_MAX),
            script=SCRIPTS[_whole(self.number(), 0, len(SCRIPTS) - 1)],
            language=LANGUAGES[_whole(self.number(), 0, len(LANGUAGES) - 1)],
        )

    def vector(self) -> bytes | None:
        if self.number() == _ABSENT:
            return None
        steps = list(islice(self._numbers, DIMENSIONS))
        # In bulk: one call of `_whole` for each would be most of what reading costs.
        if len(steps) < DIMENSIONS or not set(map(type, steps)) <= {int, float}:
            raise ValueError(f"features: a vector is {DIMENSIONS} numbers")
        known = [_STEP_BYTE[step] for step in steps if step in _STEP_BYTE]
        if len(known) < DIMENSIONS or not {STEPS, 256 - STEPS}.intersection(known):
            raise ValueError(
                f"features: a vector is whole numbers, the largest {STEPS} or -{STEPS}"
            )
        return bytes(known)

    def end(self) -> None:
        """Nothing may be left."""
        if next(self._numbers, self) is not self:
            raise ValueError("features: more numbers than there are features")

    def _ratio(self) -> float:
        return _within(self.number(), _RATIO_MAX)


def _within(value: float, most: float) -> float:
    if not 0 <= value <= most:
        raise ValueError(f"features: {value:g} is not between 0 and {most:g}")
    return value


def _whole(value: float, least: int, most: int) -> int:
    if not (least <= value <= most and value.is_integer()):
        raise ValueError(f"features: {value:g} is no whole number from {least} to {most}")
    return int(value)
