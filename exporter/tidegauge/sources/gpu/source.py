"""The source named `gpu`: every device read in a lane of its own, what answered in time gathered.

A device that is lost, hung or silent costs its own series and says `llm_gpu_up 0`.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from tidegauge.catalog import gpu as catalog
from tidegauge.samples import Sample
from tidegauge.sources.gpu.calls import TIERS
from tidegauge.sources.gpu.device import Device
from tidegauge.sources.gpu.driver import Driver
from tidegauge.sources.gpu.lane import HungError, Lane
from tidegauge.sources.gpu.nvml import DriverGoneError, ForbiddenError, NvmlError
from tidegauge.sources.source import SourceError

_log = logging.getLogger(__name__)


Trouble = Literal["hung", "failed", "forbidden", "driver gone"]


@dataclass(frozen=True, slots=True)
class _Gpu:
    device: Device
    lane: Lane[tuple[Sample, ...]]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one device gave: its samples, or what was wrong and how to say it."""

    index: int
    samples: tuple[Sample, ...]
    trouble: Trouble | None = None
    message: str = ""


class GpuSource:
    """The GPUs that NVML lists. A device has `timeout_seconds` to answer all calls of a read.

    A machine without driver or GPU is asked again at each read: either may come later.
    """

    name = "gpu"

    def __init__(
        self, *, timeout_seconds: float = 2.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._driver = Driver()
        self._driver_lane: Lane[tuple[Device, ...]] = Lane("nvml", clock=clock)
        self._gpus: tuple[_Gpu, ...] = ()
        self._known: tuple[tuple[str, ...], ...] = ()
        self._troubles: dict[int, str] = {}
        self._latest: tuple[Sample, ...] = ()

    async def read(self) -> Sequence[Sample]:
        """Every device's series now.

        Raises:
            SourceError: `unavailable` without driver or device, `timeout` where all calls hang.
        """
        self._latest = ()  # until this read has succeeded, nothing is known
        if not self._gpus:
            self._gpus = await self._opened()
        outcomes = await asyncio.gather(*(self._outcome(gpu) for gpu in self._gpus))
        await self._check(outcomes)
        self._note(outcomes)
        samples = [sample for outcome in outcomes for sample in outcome.samples]
        self._known = tuple(sample.labels for sample in samples if sample.metric is catalog.UP)
        self._latest = tuple(samples)
        return samples

    def latest(self) -> Sequence[Sample]:
        """What the last read gave, for those who judge it; nothing if it failed."""
        return self._latest

    def unread(self) -> Sequence[Sample]:
        """`llm_gpu_up 0` for every device that was there before: no driver, no device."""
        return [Sample(catalog.UP, 0, labels) for labels in self._known]

    async def close(self) -> None:
        """Let the threads end; one that hangs is left behind, and holds up nobody."""
        self._driver_lane.stop()
        for gpu in self._gpus:
            gpu.lane.stop()

    async def _opened(self) -> tuple[_Gpu, ...]:
        devices = await self._ask_driver(self._driver.devices)
        if not devices:
            raise SourceError("unavailable", "NVML lists no GPU on this machine")
        return tuple(_Gpu(d, Lane(f"nvml gpu {d.index}", clock=self._clock)) for d in devices)

    async def _ask_driver(self, job: Callable[[], tuple[Device, ...]]) -> tuple[Device, ...]:
        try:
            return await self._driver_lane.run(job, patience_seconds=self._timeout_seconds)
        except HungError as hung:
            message = f"{self._driver.asking} has {hung}"
            raise SourceError("timeout", message) from hung
        except NvmlError as error:
            message = f"{self._driver.asking}: {error}; GPUs need NVIDIA's driver and NVML"
            raise SourceError("unavailable", message) from error

    async def _outcome(self, gpu: _Gpu) -> _Outcome:
        device = gpu.device
        try:
            samples = await gpu.lane.run(_all(device), patience_seconds=self._timeout_seconds)
        except HungError as hung:
            message = f"{device.asking} on GPU {device.index} has {hung}"
            return _Outcome(device.index, _up(device, 0.0), "hung", message)
        except NvmlError as error:
            message = f"{device.asking} on GPU {device.index}: {error}"
            # A device of somebody else's is not down: of that one we say nothing at all.
            up = () if isinstance(error, ForbiddenError) else _up(device, 0.0)
            return _Outcome(device.index, up, _trouble(error), message)
        return _Outcome(device.index, (*_up(device, 1.0), *samples))

    async def _check(self, outcomes: Sequence[_Outcome]) -> None:
        gone = [outcome.message for outcome in outcomes if outcome.trouble == "driver gone"]
        if gone:
            await self._close()
            raise SourceError("unavailable", "; ".join(gone))
        ours = [outcome for outcome in outcomes if outcome.trouble != "forbidden"]
        if not ours:
            raise SourceError("unavailable", "; ".join(outcome.message for outcome in outcomes))
        if all(outcome.trouble == "hung" for outcome in ours):
            raise SourceError("timeout", "; ".join(outcome.message for outcome in ours))

    async def _close(self) -> None:
        for gpu in self._gpus:
            gpu.lane.stop()
        self._gpus = ()
        await self._ask_driver(self._driver.close)

    def _note(self, outcomes: Sequence[_Outcome]) -> None:
        """Log what changed: a device that fell silent, or that answers again."""
        for outcome in outcomes:
            before = self._troubles.pop(outcome.index, None)
            if outcome.trouble is not None:
                self._troubles[outcome.index] = outcome.trouble
            if outcome.trouble is not None and outcome.trouble != before:
                _log.warning("GPU %d is silent: %s", outcome.index, outcome.message)
            if outcome.trouble is None and before is not None:
                _log.info("GPU %d answers again", outcome.index)


def _all(device: Device) -> Callable[[], tuple[Sample, ...]]:
    def read() -> tuple[Sample, ...]:
        return tuple({s for tier in TIERS[:2] for s in device.read(tier)})

    return read


def _trouble(error: NvmlError) -> Trouble:
    if isinstance(error, DriverGoneError):
        return "driver gone"
    return "forbidden" if isinstance(error, ForbiddenError) else "failed"


def _up(device: Device, value: float) -> tuple[Sample, ...]:
    return (Sample(catalog.UP, value, device.labels),)
