"""Xids: delivered as they happen, counted from 0, one device's trouble its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.nvml.control import (
    DRIVER,
    GPU_IS_LOST,
    NOT_SUPPORTED,
    UNKNOWN,
    NvmlControl,
    uuid,
)
from tidegauge.catalog import gpu_health as catalog
from tidegauge.sources.gpu import nvml as edge
from tidegauge.sources.gpu.events import Xid, XidWatcher
from tidegauge.sources.gpu.nvml import DeviceLostError, DriverGoneError, NvmlError
from tidegauge.sources.gpu.xid_ledger import OTHER, OTHERS_AT_MOST, XidLedger
from tidegauge.sources.gpu.xids import KNOWN

NOW = 1_700_000_000.0


@contextmanager
def watching(*indexes: int) -> Iterator[XidWatcher]:
    edge.open_library()
    watcher = XidWatcher(clock=lambda: NOW)
    for index in indexes:
        watcher.watch(index)
    yield watcher
    watcher.close()


def test_an_xid_is_delivered_once_with_its_device(nvml: NvmlControl) -> None:
    nvml.gpus(2)
    with watching(0, 1) as watcher:
        quiet = watcher.wait(0)
        nvml.xid(1, 79)

        assert quiet == ()
        assert watcher.wait(0) == (Xid(1, uuid(1), 79, NOW),)
        assert watcher.wait(0) == ()


def test_one_wait_gives_all_that_happened_in_their_order(nvml: NvmlControl) -> None:
    with watching(0) as watcher:
        for code in (31, 31, 45):
            nvml.xid(0, code)

        assert [xid.xid for xid in watcher.wait(0)] == [31, 31, 45]


def test_what_happened_before_the_watch_is_the_past(nvml: NvmlControl) -> None:
    nvml.xid(0, 79)
    with watching(0) as watcher:
        assert watcher.wait(0) == ()


def test_a_wait_that_blocks_ends_with_the_xid(nvml: NvmlControl) -> None:
    with watching(0) as watcher:
        later = threading.Timer(0.1, nvml.xid, (0, 48))
        later.start()

        assert [xid.xid for xid in watcher.wait(5000)] == [48]
        later.join()


@pytest.mark.parametrize("code", [NOT_SUPPORTED, UNKNOWN, GPU_IS_LOST])
def test_a_device_that_can_t_be_watched_costs_itself_alone(nvml: NvmlControl, code: int) -> None:
    nvml.gpus(2)
    nvml.error(0, "nvmlDeviceRegisterEvents", code)
    with watching(0, 1) as watcher:
        nvml.xid(0, 31)
        nvml.xid(1, 31)

        assert watcher.watching == (1,)
        assert watcher.wait(0) == (Xid(1, uuid(1), 31, NOW),)


@pytest.mark.parametrize(
    "code, error", [(UNKNOWN, NvmlError), (GPU_IS_LOST, DeviceLostError), (18, DriverGoneError)]
)
def test_a_wait_that_fails_says_so_and_is_told(
    nvml: NvmlControl, code: int, error: type[NvmlError]
) -> None:
    told: list[tuple[str, int]] = []
    edge.open_library()
    watcher = XidWatcher(on_call=lambda name, _, code: told.append((name, code)))
    nvml.error(DRIVER, "nvmlEventSetWait_v2", code)

    with pytest.raises(error):
        watcher.wait(0)

    assert told[-1] == ("nvmlEventSetWait", code)
    nvml.heal()
    watcher.close()


def test_without_event_sets_there_is_no_watcher(nvml: NvmlControl) -> None:
    edge.open_library()
    nvml.error(DRIVER, "nvmlEventSetCreate", NOT_SUPPORTED)

    with pytest.raises(NvmlError):
        XidWatcher()


def counts(ledger: XidLedger, gpu: int = 0) -> dict[str, float]:
    return {
        sample.labels[2]: float(str(sample.value))
        for sample in ledger.samples()
        if sample.metric is catalog.XID_ERRORS and sample.labels[:2] == (str(gpu), uuid(gpu))
    }


def test_known_xids_are_there_at_0_before_the_first() -> None:
    ledger = XidLedger()
    ledger.watch(0, uuid(0))

    assert counts(ledger) == {str(known.code): 0.0 for known in KNOWN}
    assert not [s for s in ledger.samples() if s.metric is catalog.XID_LAST]


def test_an_xid_counts_on_its_device_and_says_when() -> None:
    ledger = XidLedger()
    for gpu in (0, 1):
        ledger.watch(gpu, uuid(gpu))
    for at in (NOW, NOW + 5, NOW + 2):
        ledger.add(Xid(1, uuid(1), 79, at))
    ledger.watch(1, uuid(1))  # it was put back: what was counted stays

    assert counts(ledger, 0)["79"] == 0
    assert counts(ledger, 1)["79"] == 3
    (last,) = [s for s in ledger.samples() if s.metric is catalog.XID_LAST]
    assert (last.labels, last.value) == (("1", uuid(1), "79"), NOW + 5)


def test_an_xid_that_nobody_knows_gets_a_series_but_not_without_bound() -> None:
    ledger = XidLedger()
    for code in range(1000, 1000 + OTHERS_AT_MOST + 5):
        ledger.add(Xid(0, uuid(0), code, NOW))

    assert counts(ledger)["1000"] == 1
    assert counts(ledger)[OTHER] == 5
    assert len(counts(ledger)) == len(KNOWN) + OTHERS_AT_MOST + 1


def test_the_table_names_each_xid_once_in_order() -> None:
    codes = [known.code for known in KNOWN]
    assert codes == sorted(set(codes))
    assert all(known.meaning.endswith(".") for known in KNOWN)
