"""A real Prometheus with a past that promtool wrote, and signals that are followed over it."""

import asyncio
import math
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from demo.program import Program
from tests.haproxy import free_port

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / ".tools" / "bin"
WEEK = 7 * 86400.0
Past = Callable[[float], float | None]

_CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: prometheus
    static_configs: [targets: ["{address}"]]
"""


@dataclass(slots=True)
class Remembering:
    """A Prometheus that can be stopped and started again."""

    folder: Path
    address: str
    programs: list[Program] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def start(self) -> None:
        command = [
            str(TOOLS / "prometheus"),
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            "--storage.tsdb.retention.time=60d",
            f"--web.listen-address={self.address}",
        ]
        program = await Program.start("prometheus", command, log=self.folder / "prometheus.log")
        self.programs.append(program)
        await program.ready(f"{self.url}/-/ready", seconds=90)

    async def stop(self) -> None:
        while self.programs:
            await self.programs.pop().stop(grace_seconds=60)


@asynccontextmanager
async def remembering(
    folder: Path, past: Mapping[str, Past], *, begin: float, end: float, step: float
) -> AsyncIterator[Remembering]:
    """A Prometheus that remembers `past`, by series as in `x{model="a"}`; not started yet."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "prometheus.yml").write_text(_CONFIG.format(address=address))
    await asyncio.to_thread(write, folder, past, times(begin, end, step))
    server = Remembering(folder, address)
    try:
        yield server
    finally:
        await server.stop()


def times(begin: float, end: float, step: float) -> list[float]:
    """Whole multiples of the step from `begin` until before `end`."""
    first, last = math.ceil(begin / step), math.ceil(end / step)
    return [number * step for number in range(first, last)]


def write(folder: Path, past: Mapping[str, Past], at: Iterable[float]) -> None:
    """One block of all that there was, under `folder`/data."""
    text = folder / "past.txt"
    moments = list(at)
    with text.open("w") as file:
        names = sorted({series.partition("{")[0] for series in past})
        for name in names:
            file.write(f"# TYPE {name} gauge\n")
            for series, value in past.items():
                if series.partition("{")[0] == name:
                    rows = ((moment, value(moment)) for moment in moments)
                    file.writelines(f"{series} {v:.6g} {t:.3f}\n" for t, v in rows if v is not None)
        file.write("# EOF\n")
    words = ["tsdb", "create-blocks-from", "--max-block-duration=1000h", "openmetrics", "--quiet"]
    subprocess.run(
        [TOOLS / "promtool", *words, text, folder / "data"], check=True, capture_output=True
    )
    text.unlink()


def daily(phase: float = 0.0) -> Past:
    """A value that rises and falls with the day, and is never twice the same."""

    def value(at: float) -> float:
        noise = math.sin(at * 12.9898 + phase * 78.233) * 43758.5453
        return 10 + phase + 3 * math.sin(2 * math.pi * at / 86400 + phase) + noise % 1

    return value


def grid_now(step: float) -> float:
    """The last grid point."""
    return math.floor(time.time() / step) * step
