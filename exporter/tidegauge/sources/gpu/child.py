"""The process that talks to NVML: `python -m tidegauge.sources.gpu.child SETTINGS FD`.

It writes one line of state to the file descriptor FD about once a second, and ends when its
standard input is closed, when nobody reads FD any more, on SIGTERM, or when a state says so. What
NVML prints on standard output or error is no part of the protocol.

Keep its imports few: it counts in the sidecar's memory. `os._exit` and no tidy end: a thread may
hang in the driver for ever.
"""

import ctypes
import os
import select
import signal
import sys
import time
import traceback
from functools import partial

from tidegauge.sources.gpu.device import Device, OnCall
from tidegauge.sources.gpu.driver import Driver
from tidegauge.sources.gpu.events import XidWatcher
from tidegauge.sources.gpu.machine import Machine
from tidegauge.sources.gpu.processes import Processes
from tidegauge.sources.gpu.protocol import encode
from tidegauge.sources.gpu.settings import Settings, load

STDIN, STDERR = 0, 2
PR_SET_PDEATHSIG = 1  # linux/prctl.h
FIRST_SECONDS = 0.1  # between lines until each device has said something: somebody waits


def main(words: list[str]) -> None:
    """Read and tell until there is nobody left to tell."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends us
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    settings, out = load(words[0]), int(words[1])
    machine = Machine(
        settings,
        make_driver=Driver,
        make_device=partial(_device, settings),
        make_watcher=_watcher,
    )
    machine.start()
    due = time.monotonic()
    ended = False
    while not ended and not _closed(due - time.monotonic()):
        state = machine.state()
        _write(out, encode(state))
        ended = state.end is not None
        interval = settings.publish_seconds if machine.settled else FIRST_SECONDS
        due = max(due + interval, time.monotonic())


def _device(settings: Settings, index: int, version: str, on_call: OnCall) -> Device:
    processes = Processes() if settings.processes else None
    return Device(index, driver_version=version, on_call=on_call, processes=processes)


def _watcher(on_call: OnCall) -> XidWatcher:
    return XidWatcher(on_call=on_call)


def _closed(seconds: float) -> bool:
    """Whether standard input ends within so many seconds; nothing is ever said there."""
    readable, _, _ = select.select([STDIN], [], [], max(seconds, 0.0))
    return bool(readable)


def _write(out: int, line: bytes) -> None:
    while line:
        line = line[os.write(out, line) :]


if __name__ == "__main__":
    status = 1
    try:
        main(sys.argv[1:])
        status = 0
    except BrokenPipeError:
        status = 0
    except Exception:  # noqa: BLE001 - the last line of this process
        os.write(STDERR, traceback.format_exc().encode())  # in one piece
    finally:
        os._exit(status)
