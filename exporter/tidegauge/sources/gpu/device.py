"""One GPU, asked everything that it supports, tier by tier; what it does not support is asked once.

Not for two threads at a time, `labels`, `asking` and `shape` aside: they may be read from
elsewhere, and are replaced whole.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import assert_never

from tidegauge.catalog import gpu as catalog
from tidegauge.catalog import gpu_opt_in
from tidegauge.samples import Sample
from tidegauge.sources.gpu import nvml, nvml_processes, nvml_samples
from tidegauge.sources.gpu.asking import Asker, OnCall
from tidegauge.sources.gpu.calls import Tier, questions
from tidegauge.sources.gpu.gpm import Gpm
from tidegauge.sources.gpu.identity import Modes, identity, modes, switch, uuid_of
from tidegauge.sources.gpu.instances import WHOLE, Instance, Partition, Shape, partition
from tidegauge.sources.gpu.nvml import DeviceLostError, DriverGoneError, Handle, NvmlError
from tidegauge.sources.gpu.nvml_processes import Running, Usage
from tidegauge.sources.gpu.nvml_samples import Ring, RingKind
from tidegauge.sources.gpu.processes import Processes
from tidegauge.sources.gpu.question import Value
from tidegauge.sources.gpu.questions_now import MEMORY

__all__ = ["Device", "OnCall"]

_Part = Callable[[], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class _Opened:
    handle: Handle
    identity: tuple[str, ...]
    modes: Modes
    partition: Partition


class Device:
    """`labels` are the values of `gpu` and `uuid`; the latter is empty until it could be read.

    `processes` says whose a process is; without it, processes are not asked for. `clock` tells
    GPM's samples apart.
    """

    def __init__(
        self,
        index: int,
        *,
        driver_version: str,
        on_call: OnCall | None = None,
        processes: Processes | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.index = index
        self.labels = (str(index), "")
        self._driver_version = driver_version
        self._processes = processes
        self._opened: _Opened | None = None
        self._asker = Asker(on_call)
        self._instance_asker = self._asker.beside()
        self._gpm = Gpm(self._asker, clock=clock)
        self._usage_seen_us = 0

    @property
    def asking(self) -> str:
        """The call that was made last, for messages."""
        return self._asker.asking

    @property
    def shape(self) -> Shape | None:
        """How MIG cuts the device, as the slow tier saw it last; None while it is not open."""
        opened = self._opened
        return opened.partition.shape if opened else None

    def read(self, tier: Tier) -> tuple[Sample, ...]:
        """The tier's series now, `up` left out; a call that fails costs its own series.

        Raises:
            NvmlError: nothing at all could be read; DeviceLostError and DriverGoneError say why.
        """
        with self._closed_if_lost():
            return self._read(tier)

    def ring(self, kind: RingKind, since_us: int) -> Ring:
        """The driver's samples after `since_us` (its own time): about 20 ms apart, oldest first.

        Empty where there are none, and where the device keeps none, which is asked once.

        Raises:
            NvmlError: it failed now.
        """
        name = f"nvmlDeviceGetSamples/{kind}"
        with self._closed_if_lost():
            device = self._open().handle
            return self._asker.optional(name, lambda: nvml_samples.ring(device, kind, since_us), ())

    def close(self) -> None:
        """Give back what NVML lent. The next read opens the device anew."""
        self._gpm.close()
        self._opened = None

    @contextmanager
    def _closed_if_lost(self) -> Iterator[None]:
        try:
            yield
        except DeviceLostError:
            self.close()  # a device that was reset or put back has a new handle
            raise

    def _read(self, tier: Tier) -> tuple[Sample, ...]:
        opened = self._look_again() if tier == "slow" else self._open()
        samples: list[Sample] = []
        failure: NvmlError | None = None
        for part in self._parts(tier, opened):
            try:
                samples += part()
            except (DeviceLostError, DriverGoneError):
                raise
            except NvmlError as error:
                failure = error
        if failure is not None and not samples:
            raise failure
        return (self._info(opened), *samples)

    def _open(self) -> _Opened:
        if self._opened is None:
            ask = self._asker
            device = ask.timed("nvmlDeviceGetHandleByIndex", lambda: nvml.handle(self.index))
            self.labels = (str(self.index), uuid_of(device, ask))
            what = identity(device, ask)
            self._opened = _Opened(device, what, modes(device, ask), partition(device, ask))
        return self._opened

    def _look_again(self) -> _Opened:
        """The device with its modes and instances as they are now."""
        before = self._open()
        device = before.handle
        now = replace(
            before,
            modes=modes(device, self._asker, before.modes),
            partition=partition(device, self._asker, before.partition),
        )
        if now.partition.shape != before.partition.shape:
            self._asker.forget()  # with MIG, other calls are supported than without
            self._instance_asker.forget()
        self._opened = now
        return now

    def _info(self, opened: _Opened) -> Sample:
        name, pci, cuda = opened.identity
        mig = switch(opened.partition.mig)
        labels = (*self.labels, name, pci, self._driver_version, cuda, mig, *opened.modes)
        return Sample(catalog.INFO, 1.0, labels)

    def _parts(self, tier: Tier, opened: _Opened) -> tuple[_Part, ...]:
        """What may fail each by itself."""
        of_table = partial(self._of_table, tier, opened)
        match tier:
            case "fast":
                return (of_table,)
            case "medium":
                instances = opened.partition.instances
                return (of_table, *(partial(self._of_instance, one) for one in instances))
            case "slow":
                return (
                    of_table,
                    partial(self._of_partition, opened),
                    partial(self._of_processes, opened),
                )
            case "gpm":
                return (partial(self._of_gpm, opened),)
            case _:
                assert_never(tier)

    def _of_table(self, tier: Tier, opened: _Opened) -> Iterable[Sample]:
        asked = questions(tier, self._driver_version)
        return self._samples(self._asker.answers(asked, opened.handle))

    def _of_instance(self, instance: Instance) -> Iterable[Sample]:
        values = self._instance_asker.answers((MEMORY,), instance.handle)
        return self._samples(values, instance.labels)

    def _of_partition(self, opened: _Opened) -> Iterable[Sample]:
        for instance in opened.partition.instances:
            value = Value(gpu_opt_in.MIG, 1.0, (instance.uuid, instance.profile))
            yield from self._samples((value,), instance.labels)

    def _of_processes(self, opened: _Opened) -> Iterable[Sample]:
        if self._processes is None:
            return ()
        device = opened.handle
        running = self._asker.optional(
            "nvmlDeviceGetComputeRunningProcesses",
            lambda: nvml_processes.running(device),
            tuple[Running, ...](),
        )
        return self._samples(self._processes.values(running, self._usage(device)))

    def _usage(self, device: Handle) -> tuple[Usage, ...]:
        """What is new since it was asked last; what fails now costs no memory series."""
        since = self._usage_seen_us
        try:
            usage = self._asker.optional(
                "nvmlDeviceGetProcessUtilization",
                lambda: nvml_processes.usage(device, since),
                tuple[Usage, ...](),
            )
        except (DeviceLostError, DriverGoneError):
            raise
        except NvmlError:
            return ()
        self._usage_seen_us = max((sample.at_us for sample in usage), default=since)
        return usage

    def _of_gpm(self, opened: _Opened) -> Iterable[Sample]:
        for target, values in self._gpm.values(opened.handle, opened.partition.targets).items():
            instance = WHOLE if target is None else (str(target), "")
            yield from self._samples(values, instance)

    def _samples(
        self, values: Iterable[Value], instance: tuple[str, str] = WHOLE
    ) -> Iterable[Sample]:
        for value in values:
            metric = value.metric
            place = instance if "gi" in metric.labels else ()
            yield Sample(metric, value.value, (*self.labels, *place, *value.labels))
