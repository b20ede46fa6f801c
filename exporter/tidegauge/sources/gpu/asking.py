"""Asks one device questions: fields together, each call timed, what is unsupported once.

Knows nothing of what is asked for; that is in calls.py.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tidegauge.sources.gpu.counter import Unwrapped
from tidegauge.sources.gpu.nvml import (
    DeviceLostError,
    DriverGoneError,
    Handle,
    NvmlError,
    UnsupportedError,
)
from tidegauge.sources.gpu.nvml_fields import FieldValue, field_values
from tidegauge.sources.gpu.question import FIELD_VALUES, Call, Field, Question, Value

OnCall = Callable[[str, float, int], None]
"""Told of each call: its name (one of CALL_NAMES), the seconds it took, its nvmlReturn_t."""

Result = TypeVar("Result")
_Outcome = tuple[Value, ...] | NvmlError


@dataclass(slots=True)
class _Latest:
    """The call that was made last, for messages."""

    asking: str = ""


class Asker:
    """What one device was asked and did not know."""

    def __init__(self, on_call: OnCall | None = None) -> None:
        self._latest = _Latest()
        self._on_call = on_call
        self._unsupported: set[str] = set()
        self._answered: set[str] = set()
        self._counters: dict[tuple[int, tuple[str, ...]], Unwrapped] = {}

    @property
    def asking(self) -> str:
        """The call that was made last, by this one or by those beside it."""
        return self._latest.asking

    def beside(self) -> "Asker":
        """One for a part of the same device, which may know other calls than the whole."""
        other = Asker(self._on_call)
        other._latest = self._latest
        return other

    def forget(self) -> None:
        """The device is another one now (MIG was switched): what it did not know, it may know."""
        self._unsupported.clear()
        self._answered.clear()

    def timed(self, name: str, ask: Callable[[], Result]) -> Result:
        """What `ask` gives or raises, which is told to `on_call`: `name` up to its `/`."""
        function = name.partition("/")[0]
        self._latest.asking, started, code = function, time.perf_counter(), 0
        try:
            return ask()
        except NvmlError as error:
            code = error.code
            raise
        finally:
            self._tell(function, started, code)

    def optional(self, name: str, ask: Callable[[], Result], default: Result) -> Result:
        """As `timed`; `default` where it is not supported, which is asked once."""
        if name in self._unsupported:
            return default
        try:
            return self.timed(name, ask)
        except UnsupportedError:
            self._unsupported.add(name)
            return default

    def answers(self, questions: Sequence[Question], device: Handle) -> tuple[Value, ...]:
        """The answers to all questions; a call that fails costs its own.

        Raises:
            NvmlError: nothing at all was answered, and something failed; DeviceLostError and
                DriverGoneError as soon as they are seen.
        """
        found: dict[int, tuple[Value, ...]] = {}
        failure: NvmlError | None = None
        waiting = dict(enumerate(questions))
        while waiting:  # a round more where an alternative turned out to be unsupported
            chosen = {place: self._chosen(question) for place, question in waiting.items()}
            outcomes = self._outcomes([row for row in chosen.values() if row], device)
            for place, row in chosen.items():
                outcome = outcomes.get(row.name) if row else ()
                if outcome is not None:
                    del waiting[place]
                if isinstance(outcome, NvmlError):
                    failure = outcome
                elif outcome:
                    found[place] = outcome
        if failure is not None and not found:
            raise failure
        return tuple(value for place in sorted(found) for value in found[place])

    def _chosen(self, question: Question) -> Call | Field | None:
        for row in question:
            if row.name in self._unsupported:
                continue
            if isinstance(row, Call) or not row.needs or row.needs in self._answered:
                return row
        return None

    def _outcomes(self, rows: Sequence[Call | Field], device: Handle) -> dict[str, _Outcome]:
        """By name; what is not supported is left out, and remembered."""
        fields = [row for row in rows if isinstance(row, Field)]
        outcomes = self._of_fields(fields, device) if fields else {}
        for row in rows:
            if isinstance(row, Call):
                outcomes[row.name] = self._of_call(row, device)
        for name, outcome in tuple(outcomes.items()):
            if isinstance(outcome, UnsupportedError):
                self._unsupported.add(name)
                self._answered.discard(name)
                del outcomes[name]
            elif isinstance(outcome, DeviceLostError | DriverGoneError):
                raise outcome
            elif not isinstance(outcome, NvmlError):
                self._answered.add(name)
        return outcomes

    def _of_call(self, call: Call, device: Handle) -> _Outcome:
        try:
            return self.timed(call.name, lambda: call.ask(device))
        except (DeviceLostError, DriverGoneError):
            raise
        except NvmlError as error:
            return error

    def _of_fields(self, fields: Sequence[Field], device: Handle) -> dict[str, _Outcome]:
        asked = [(field.number, field.scope) for field in fields]
        self._latest.asking, started, code = FIELD_VALUES, time.perf_counter(), 0
        answers: Sequence[FieldValue | NvmlError]
        try:
            answers = field_values(device, asked)
            code = _code_of(answers)
        except NvmlError as error:
            code, answers = error.code, [error] * len(fields)
        finally:
            self._tell(FIELD_VALUES, started, code)
        return {
            field.name: answer if isinstance(answer, NvmlError) else (self._value(field, answer),)
            for field, answer in zip(fields, answers, strict=True)
        }

    def _value(self, field: Field, answer: FieldValue) -> Value:
        value = answer.value
        if field.wraps and answer.size is not None:
            counter = self._counters.setdefault((field.number, field.labels), Unwrapped())
            value = counter.follow(int(value), size=answer.size)
        return Value(field.metric, value * field.scale, field.labels)

    def _tell(self, function: str, started: float, code: int) -> None:
        if self._on_call:
            self._on_call(function, time.perf_counter() - started, code)


def _code_of(answers: Sequence[FieldValue | NvmlError]) -> int:
    """What is told of a call that succeeds as a whole: a field that fails, or is not supported."""
    failures = [answer for answer in answers if isinstance(answer, NvmlError)]
    failures.sort(key=lambda failure: isinstance(failure, UnsupportedError))
    return failures[0].code if failures else 0
