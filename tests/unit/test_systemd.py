"""What systemd hears: over a real datagram socket, by path and in the abstract namespace."""

import asyncio
import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegauge.cli.systemd import Notifier, notifier

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "systemd" / "tidegauge.service"


@contextlib.contextmanager
def systemd(address: str) -> Iterator[socket.socket]:
    """A socket as systemd has one; @ begins an abstract name."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        heard.settimeout(2)
        yield heard


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_every_stage_is_told(kind: str, tmp_path: Path) -> None:
    address = f"@tidegauge-test-{os.getpid()}" if kind == "abstract" else f"{tmp_path}/notify"
    with systemd(address) as heard:
        us = notifier({"NOTIFY_SOCKET": address}, pid=1)
        before = time.monotonic_ns() // 1000
        for stage in ("ready", "reloading", "stopping"):
            us.tell(stage)
        said = [heard.recv(4096).decode() for _ in range(3)]
    assert said[0] == "READY=1"
    found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", said[1])
    assert found
    assert before <= int(found[1]) <= time.monotonic_ns() // 1000
    assert said[2] == "STOPPING=1"


@pytest.mark.parametrize(
    "environment,alive",
    [
        pytest.param({"WATCHDOG_USEC": "40000"}, True, id="asked"),
        pytest.param({"WATCHDOG_USEC": "40000", "WATCHDOG_PID": "7"}, True, id="asked by our pid"),
        pytest.param({"WATCHDOG_USEC": "40000", "WATCHDOG_PID": "8"}, False, id="another is asked"),
        pytest.param({"WATCHDOG_USEC": "soon"}, False, id="no time that can be read"),
        pytest.param({"WATCHDOG_USEC": "0"}, False, id="no time"),
        pytest.param({}, False, id="nobody asks"),
    ],
)
async def test_life_is_told_twice_as_often_as_asked(
    environment: dict[str, str], *, alive: bool, tmp_path: Path
) -> None:
    address = f"{tmp_path}/notify"
    with systemd(address) as heard:
        us = notifier({"NOTIFY_SOCKET": address, **environment}, pid=7)
        task = asyncio.create_task(us.keep_alive())
        await asyncio.sleep(0.15)
        task.cancel()
        heard.settimeout(0)
        said = []
        with contextlib.suppress(BlockingIOError):
            while True:
                said.append(heard.recv(64))
    assert set(said) == ({b"WATCHDOG=1"} if alive else set())
    assert not alive or len(said) >= 3


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(None, id="no systemd"),
        pytest.param("/nowhere/notify", id="a socket that is not there"),
        pytest.param("x" * 200, id="a name that is too long"),
    ],
)
def test_nobody_who_listens_is_no_failure(address: str | None) -> None:
    Notifier(address).tell("ready")


def test_a_full_socket_holds_nobody_up(tmp_path: Path) -> None:
    with systemd(f"{tmp_path}/notify"):
        us = Notifier(f"{tmp_path}/notify")
        started = time.monotonic()
        for _ in range(5000):
            us.tell("ready")
        assert time.monotonic() - started < 5


def unit() -> dict[str, list[str]]:
    pairs = (line.partition("=") for line in UNIT.read_text().splitlines())
    keys: dict[str, list[str]] = {}
    for key, separator, value in pairs:
        if separator and not key.startswith("#"):
            keys.setdefault(key, []).append(value)
    return keys


def test_the_unit_speaks_the_protocol_and_reloads_by_signal() -> None:
    keys = unit()
    assert keys["Type"] == ["notify"]
    assert keys["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert float(keys["WatchdogSec"][0].removesuffix("s")) > 0
    assert keys["NotifyAccess"] == ["main"]


def test_the_unit_leaves_gpus_and_the_engine_in_reach() -> None:
    keys = unit()
    assert "PrivateDevices" not in keys, "it hides /dev/nvidia*"
    assert "char-nvidia-frontend rw" in keys["DeviceAllow"]
    assert "PrivateNetwork" not in keys
    assert "IPAddressDeny" not in keys
    assert keys["SystemCallFilter"][-1] == "adjtimex clock_adjtime setpriority"
    assert "ProtectClock" not in keys


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    # The program itself is not installed on this machine; everything else is checked as it is.
    path = tmp_path / "tidegauge.service"
    path.write_text(UNIT.read_text().replace("/opt/tidegauge/bin/tidegauge", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", str(path)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    about_us = [line for line in said.stderr.splitlines() if "tidegauge" in line]
    assert about_us == []
