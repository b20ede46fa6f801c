"""Is every exchange that processes with the middleware measure taken in, or counted as dropped?

A real `tidegauge serve` listens; two processes of the middleware's sender tell it of exchanges, as
large as real ones, at a steady rate and then as fast as nothing can take them. At the end: those
that were measured, less those taken in, less those counted as dropped.

    .venv/bin/python -m benchmarks.tapping.socket_loss
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tidegauge.traffic.exchange import NO_GAPS, Exchange
from tidegauge.traffic.features import prompt_features
from tidegauge.traffic.reporting.sending import Sender

SENDERS = 2
SETTLE_SECONDS = 60.0
CONFIG = """
serve:
  gpu: {{enabled: false}}
  environment: {{enabled: false}}
  discovery: {{enabled: false}}
  traffic: {{models: [chat], socket: {socket}}}
"""
EXCHANGE = Exchange(
    model="chat",
    streamed=True,
    outcome="ok",
    status=200,
    finish_reason="stop",
    duration_seconds=4.2,
    first_token_seconds=0.2,
    gaps=NO_GAPS,
    prompt_tokens=1000,
    generation_tokens=200,
    features=prompt_features(("How high is the tide at noon? " * 133,)),
)


@dataclass(frozen=True, slots=True)
class Load:
    """So many exchanges a second of both senders together, for so long."""

    name: str
    per_second: int
    seconds: float


LOADS = (Load("500 a second", 500, 8.0), Load("20,000 a second", 20_000, 4.0))


@dataclass(frozen=True, slots=True)
class Found:
    """What became of the exchanges of one load."""

    case: str
    measured: int
    taken_in: int
    dropped: int
    per_second: float
    longest_put_us: float

    @property
    def uncounted(self) -> int:
        return self.measured - self.taken_in - self.dropped


def measure() -> list[Found]:
    """What became of each load, one sidecar for each."""
    return [_measured(load) for load in LOADS]


def _measured(load: Load) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traffic.sock"
        config = Path(folder) / "tidegauge.yml"
        config.write_text(CONFIG.format(socket=path))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [sys.executable, "-m", "tidegauge.cli.main", "serve"]
        flags = ["--config.file", str(config), "--web.listen-address", address]
        with subprocess.Popen([*command, *flags], stderr=subprocess.DEVNULL) as sidecar:
            try:
                _wait(address)
                return _loaded(load, path, address)
            finally:
                sidecar.terminate()


def _loaded(load: Load, path: Path, address: str) -> Found:
    flags = [str(path), str(load.per_second / SENDERS), str(load.seconds)]
    command = [sys.executable, "-m", "benchmarks.tapping.socket_loss", *flags]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(SENDERS)
    ]
    told = [json.loads(process.stdout.readline()) for process in processes if process.stdout]
    measured = sum(each["measured"] for each in told)
    try:
        taken_in, dropped = _settled(address, measured)
    finally:
        for process in processes:
            process.communicate()  # until now each went on to send what waited
    return Found(
        load.name,
        measured,
        taken_in,
        dropped,
        per_second=sum(each["per_second"] for each in told),
        longest_put_us=max(each["longest_put_us"] for each in told),
    )


def _settled(address: str, measured: int) -> tuple[int, int]:
    """What was taken in and what was dropped, once that is all or has been the same for long."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        shown = _shown(address)
        found = (
            shown["tidegauge_middleware_exchanges_total"],
            shown["tidegauge_middleware_dropped_total"],
        )
        if sum(found) >= measured or time.monotonic() > deadline:
            return int(found[0]), int(found[1])
        time.sleep(0.2)


def _shown(address: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{address}/metrics") as response:
        lines = response.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def _wait(address: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        try:
            if "tidegauge_middleware_exchanges_total" in _shown(address):
                return
        except OSError:
            time.sleep(0.05)


def send(path: str, per_second: float, seconds: float) -> None:
    """One sender's part: tell, say on standard output how many, and stay while its input does.

    On a busy machine what waits takes long to send; what it takes along is counted by nobody.
    """
    sender = Sender(path)
    sender.start()
    measured, longest = 0, 0.0
    began = time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        while measured < (now - began) * per_second:
            put_at = time.perf_counter()
            sender.begin()
            sender.end(streaming=False)
            sender.put(EXCHANGE)
            longest = max(longest, time.perf_counter() - put_at)
            measured += 1
        time.sleep(0.001)
    taken = time.perf_counter() - began
    said = {"measured": measured, "per_second": measured / taken, "longest_put_us": longest * 1e6}
    print(json.dumps(said), flush=True)
    sys.stdin.read()
    sender.close()


def lines() -> Iterable[str]:
    """A line for each load, and one for the goal, which is that of all loads together."""
    found = measure()
    for each in found:
        yield json.dumps({**asdict(each), "uncounted": each.uncounted})
    value = sum(abs(each.uncounted) for each in found)
    goal = {"value": value, "goal": 0, "better": "lower"}
    yield json.dumps({"benchmark": "socket_loss", "goals": {"dropped_uncounted": goal}})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        send(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
    else:
        for line in lines():
            print(line)
