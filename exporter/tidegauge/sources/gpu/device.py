"""One GPU, asked everything that it supports; what it does not support is asked once.

Runs in the device's lane: only `labels` and `asking` are read from elsewhere, and both are
replaced whole.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu import nvml
from tidegauge.sources.gpu.calls import QUESTIONS, Call, Question, Tier, Value
from tidegauge.sources.gpu.nvml import (
    DeviceLostError,
    DriverGoneError,
    Handle,
    NvmlError,
    UnsupportedError,
)

OnCall = Callable[[str, float, int], None]
"""Told of each call: its name, how long it took in seconds, and its nvmlReturn_t."""


@dataclass(frozen=True, slots=True)
class _Opened:
    handle: Handle
    info: Sample


class Device:
    """`labels` are the values of `gpu` and `uuid`; the latter is empty until it could be read.

    `asking` is the call that was made last, for messages.
    """

    def __init__(self, index: int, *, driver_version: str, on_call: OnCall | None = None) -> None:
        self.index = index
        self.labels = (str(index), "")
        self.asking = ""
        self._driver_version = driver_version
        self._on_call = on_call
        self._opened: _Opened | None = None
        self._unsupported: set[str] = set()

    def read(self, tier: Tier) -> tuple[Sample, ...]:
        """The tier's series now, `up` left out; a call that fails costs its own series.

        Raises:
            NvmlError: nothing at all could be read; DeviceLostError and DriverGoneError say why.
        """
        try:
            return self._read(tier)
        except DeviceLostError:
            self._opened = None  # a device that was reset or put back has a new handle
            raise

    def ring(
        self, kind: Literal["power", "utilization"], since_us: int
    ) -> tuple[tuple[int, float], ...]:
        """None until the ring is read."""
        return ((since_us, 0.0),) if kind not in ("power", "utilization") else ()

    def _read(self, tier: Tier) -> tuple[Sample, ...]:
        opened = self._opened = self._opened or self._open()
        values = self._values(tier, opened.handle)
        samples = (Sample(v.metric, v.value, (*self.labels, *v.labels)) for v in values)
        return (opened.info, *samples)

    def _open(self) -> _Opened:
        self.asking = "nvmlDeviceGetHandleByIndex"
        handle = nvml.handle(self.index)
        self.labels = (str(self.index), self._text("nvmlDeviceGetUUID", nvml.uuid, handle))
        name = self._text("nvmlDeviceGetName", nvml.name, handle)
        pci = self._text("nvmlDeviceGetPciInfo", nvml.pci, handle)
        identity = (*self.labels, name, pci, self._driver_version)
        return _Opened(handle, Sample(catalog.INFO, 1.0, identity))

    def _text(self, name: str, ask: Callable[[Handle], str], handle: Handle) -> str:
        self.asking = name
        try:
            return ask(handle)
        except UnsupportedError:
            return ""

    def _values(self, tier: Tier, handle: Handle) -> tuple[Value, ...]:
        values: list[Value] = []
        failure: NvmlError | None = None
        for question in QUESTIONS[tier]:
            try:
                values += self._answer(question, handle)
            except (DeviceLostError, DriverGoneError):
                raise
            except NvmlError as error:
                failure = error
        if failure is not None and not values:
            raise failure
        return tuple(values)

    def _answer(self, question: Question, handle: Handle) -> tuple[Value, ...]:
        for call in question:
            if call.name in self._unsupported:
                continue
            try:
                return self._timed(call, handle)
            except UnsupportedError:
                self._unsupported.add(call.name)
        return ()

    def _timed(self, call: Call, handle: Handle) -> tuple[Value, ...]:
        self.asking, started, code = call.name, time.perf_counter(), 0
        try:
            return call.ask(handle)
        except NvmlError as error:
            code = error.code
            raise
        finally:
            if self._on_call:
                self._on_call(call.name, time.perf_counter() - started, code)
