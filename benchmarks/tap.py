"""What does the tap add to a request and to a chunk, and does it change a byte?

64 streams at a time are asked of the same engine directly, through `tidegauge serve` and through
nginx, tuned for streams: all three in each round, their order rotated, and the rounds' medians.

- `paced`: a token every 20 ms, all streams' in the same step, as an engine with continuous
  batching writes them;
- `unpaced`: as fast as they are taken, which no engine is; it shows the cost of a chunk.

The goal is the p99 of the whole request through tidegauge over that through nginx, paced; `direct`
says what of it is neither's. A chunk's delay is from the engine's writing it to the client's
reading it, on one clock. Each stream ends with the SHA-256 of what was sent, which the client
compares; apart from that one stream is sent split at every byte, and compared framing and all.

The middleware is measured in its server's own process (benchmarks/tapping/middleware.py), its
socket at 500 requests a second (benchmarks/tapping/socket_loss.py).

nginx comes from `scripts/tools.sh .tools/bench nginx`, which runs if it is not there.
Exit status: 1 if a stream was changed.

    .venv/bin/python benchmarks/tap.py [--rounds 7]
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.scraping.exporter import cpu_ticks, family  # noqa: E402 - not installed
from benchmarks.tapping import load, middleware, socket_loss, splits  # noqa: E402
from benchmarks.tapping.ways import ways  # noqa: E402
from demo.program import Program  # noqa: E402

STREAMS = 64
LOADS = {
    "paced": load.Load(STREAMS, requests=4, tokens=50, step_ms=20),
    "unpaced": load.Load(STREAMS, requests=10, tokens=50, step_ms=0),
}
GOAL = 2.0


@dataclass(slots=True)
class Found:
    """A way's figures, one of each kind per round; times in milliseconds and microseconds."""

    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    chunk_p50_us: list[float] = field(default_factory=list)
    chunk_p99_us: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    changed: int = 0


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds: int = parser.parse_args().rounds
    tools = [str(ROOT / "scripts" / "tools.sh"), str(ROOT / ".tools" / "bench"), "nginx"]
    subprocess.run(tools, check=True, stdout=sys.stderr)
    proxied, changed = asyncio.run(through_proxies(rounds))
    goals = {"proxy_p99_ratio": goal(proxied, GOAL)}
    for line in (*middleware.lines(), *socket_loss.lines()):
        said = json.loads(line)
        changed += said.get("changed", 0)
        if "goals" in said:
            goals |= said["goals"]
        else:
            print(line, flush=True)
    print(json.dumps({"benchmark": "tap", "goals": goals}))
    return 1 if changed else 0


async def through_proxies(rounds: int) -> tuple[float, int]:
    """The goal's ratio, and how many streams were changed."""
    with tempfile.TemporaryDirectory() as folder:
        async with ways(Path(folder)) as (ports, programs):
            compared = await splits.compare(ports["tidegauge"])
            said = {"streams": compared.streams, "changed": compared.changed}
            print(json.dumps({"case": "split at every byte", **said}), flush=True)
            outcomes = {
                name: await measured(name, asked, ports, programs, rounds=rounds)
                for name, asked in LOADS.items()
            }
    changed = compared.changed + sum(each.changed for each in outcomes.values())
    return outcomes["paced"].ratio, changed


@dataclass(frozen=True, slots=True)
class Outcome:
    """The p99 through tidegauge over that through nginx, and how many streams were changed."""

    ratio: float
    changed: int


async def measured(
    name: str, asked: load.Load, ports: dict[str, int], programs: dict[str, Program], *, rounds: int
) -> Outcome:
    """Every way in every round; the first round, which warms up, is left out."""
    found = {way: Found() for way in ports}
    order = list(ports)
    for number in range(rounds + 1):
        for way in order:
            kept = found[way] if number else Found()
            await one(ports[way], asked, programs[way], kept)
            found[way].changed += 0 if number else kept.changed
        order.append(order.pop(0))
    for way, kept in found.items():
        line = {"case": name, "way": way, "streams": asked.streams, "changed": kept.changed}
        line |= {figure: median(getattr(kept, figure)) for figure in FIGURES}
        print(json.dumps(line), flush=True)
    ours, theirs, direct = (found[way] for way in ("tidegauge", "nginx", "direct"))
    pairs = [one / other for one, other in zip(ours.p99_ms, theirs.p99_ms, strict=True)]
    added = [
        {
            f"{way}_adds_{figure}": round(median(getattr(kept, figure)) - median(of), 3)
            for figure, of in (("p99_ms", direct.p99_ms), ("chunk_p50_us", direct.chunk_p50_us))
        }
        for way, kept in (("tidegauge", ours), ("nginx", theirs))
    ]
    ratio = round(statistics.median(pairs), 3)
    print(json.dumps({"case": name, "p99_ratio": ratio, **added[0], **added[1]}), flush=True)
    return Outcome(ratio, sum(kept.changed for kept in found.values()))


FIGURES = ("p50_ms", "p99_ms", "chunk_p50_us", "chunk_p99_us", "cpu_us")


async def one(port: int, asked: load.Load, program: Program, kept: Found) -> None:
    """One round of one way; `cpu_us` is what its program used per chunk."""
    pids = family(program.process.pid)
    before = sum(map(cpu_ticks, pids))
    timed = await load.run(port, asked)
    ticks = sum(map(cpu_ticks, pids)) - before
    kept.p50_ms.append(quantile(timed.seconds, 50) * 1000)
    kept.p99_ms.append(quantile(timed.seconds, 99) * 1000)
    kept.chunk_p50_us.append(quantile(timed.chunk_us, 50))
    kept.chunk_p99_us.append(quantile(timed.chunk_us, 99))
    kept.cpu_us.append(ticks * 1e4 / len(timed.chunk_us))  # a tick is 10 ms
    kept.changed += timed.changed


def quantile(values: list[float], percent: int) -> float:
    """The value that `percent` of the values do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def median(values: list[float]) -> float:
    """Rounded to what is worth reading."""
    return round(statistics.median(values), 3)


def goal(value: float, most: float) -> dict[str, float | str]:
    """A figure that is better when lower."""
    return {"value": value, "goal": most, "better": "lower"}


if __name__ == "__main__":
    sys.exit(main())
