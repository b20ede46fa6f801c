"""Is an engine's exposition parsed five times as fast as by prometheus_client, to the same result?

Per capture, ours and prometheus_client's parser on the same text:

- `first`: in an interpreter of its own, imports done, the first thing that is parsed;
- `cold`: interpreter warm, but nothing remembered of an earlier exposition;
- `warm`: as at every read but the first, labels remembered (prometheus_client remembers nothing).

Rounds alternate and their order too; medians. Before anything is timed, both results are compared.
Each capture is read again as OpenMetrics, written by prometheus_client. The goal is the median over
captures of `cold`, as Prometheus text; the worst capture is printed beside it.

    .venv/bin/python benchmarks/parse.py [--data DIR]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.exposition import ALLOWUTF8
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_text
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from tidegauge.sources.engine_text import ExpositionParser, parse

ROOT = Path(__file__).resolve().parent.parent
GOAL = 5
ROUNDS = 25
PROCESSES = 7
ENDINGS = ("", "_total", "_created", "_sum", "_count", "_bucket")

Parse = Callable[[str], Iterable[Metric]]

# Timed by the interpreter that runs it; argv: file, whose parser, format.
FIRST = """
import sys, time
from pathlib import Path
body = Path(sys.argv[1]).read_bytes()
if sys.argv[2] == "ours":
    from tidegauge.sources.engine_text import ExpositionParser
    run = lambda: ExpositionParser().parse(body)
else:
    from prometheus_client.parser import text_string_to_metric_families
    text = body.decode()
    run = lambda: list(text_string_to_metric_families(text))
began = time.perf_counter()
run()
print(time.perf_counter() - began)
"""


@dataclass(frozen=True, slots=True)
class Case:
    """An exposition, and prometheus_client's parser for its format."""

    name: str
    text: str
    peer: Parse
    path: Path | None


def main() -> int:
    """Print a JSON line per capture, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "tests" / "fixtures" / "engines")
    paths = sorted(parser.parse_args().data.rglob("*.prom"))
    if not paths:
        print("no *.prom there", file=sys.stderr)
        return 2
    ratios: list[float] = []
    for path in paths:
        text = body(path)
        name = str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
        ratios.append(measured(Case(name, text, plain, path)))
        said = Families(plain(text)).openmetrics()
        measured(Case(f"{name} as OpenMetrics", said, openmetrics, None))
    median, worst = round(statistics.median(ratios), 2), round(min(ratios), 2)
    print(json.dumps({"case": "all, cold, as Prometheus text", "median": median, "min": worst}))
    goal = {"value": median, "goal": GOAL, "better": "higher"}
    print(json.dumps({"benchmark": "parse", "goals": {"speedup": goal}}))
    return 0


class Families:
    """A collector of families, without those whose names OpenMetrics has no room for.

    vLLM shows when a counter x was made as a gauge x_created, SGLang a histogram x beside x_sum.
    """

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics: list[Metric] = []
        taken: set[str] = set()
        for metric in metrics:
            names = {metric.name + ending for ending in ENDINGS}
            if names.isdisjoint(taken):
                self._metrics.append(metric)
            taken |= names

    def collect(self) -> Iterable[Metric]:
        return self._metrics

    def openmetrics(self) -> str:
        registry = CollectorRegistry()
        registry.register(self)
        # Its default replaces colons in rows, but not in their TYPE.
        text: bytes = openmetrics_text(registry, ALLOWUTF8)  # type: ignore[no-untyped-call]
        return text.decode()


def body(path: Path) -> str:
    """The exposition in a file; some captures kept the head of the HTTP answer."""
    text = path.read_text()
    return text.partition("\n\n")[2] if text.startswith("HTTP/") else text


def measured(case: Case) -> float:
    """Compare results, time both, print the line; the ratio when cold."""
    encoded, warm = case.text.encode(), ExpositionParser()
    if repr(ours(encoded)) != repr(theirs(case)):
        raise SystemExit(f"{case.name}: results differ")
    warm.parse(encoded)
    times = alternated(
        {
            "peer": lambda: list(case.peer(case.text)),
            "cold": lambda: ExpositionParser().parse(encoded),
            "warm": lambda: warm.parse(encoded),
        }
    )
    line = {
        "case": case.name,
        "rows": sum(len(rows) for _, rows in theirs(case)),
        "kib": round(len(encoded) / 1024, 1),
        "peer_ms": round(times["peer"] * 1000, 3),
        "cold_ms": round(times["cold"] * 1000, 3),
        "warm_ms": round(times["warm"] * 1000, 3),
        "cold_ratio": round(times["peer"] / times["cold"], 2),
        "warm_ratio": round(times["peer"] / times["warm"], 2),
    }
    if case.path and not case.path.read_text().startswith("HTTP/"):
        peer, first = first_times(case.path)
        line |= {"first_ms": round(first * 1000, 3), "first_ratio": round(peer / first, 2)}
    print(json.dumps(line), flush=True)
    return times["peer"] / times["cold"]


def ours(encoded: bytes) -> list[object]:
    return [
        (family.name, [(row.name, row.value, row.labels) for row in family.series])
        for family in parse(encoded)
    ]


def theirs(case: Case) -> list[tuple[str, list[object]]]:
    return [
        (metric.name, [(s.name, float(s.value), tuple(s.labels.items())) for s in metric.samples])
        for metric in case.peer(case.text)
    ]


def alternated(runs: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median seconds of each; the order turns round in every round, the first is warm-up."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(ROUNDS + 1):
        for name in sorted(runs, reverse=turn % 2 == 1):
            began = time.perf_counter()
            runs[name]()
            if turn:
                times[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in times.items()}


def first_times(path: Path) -> tuple[float, float]:
    """Median seconds of the peer's and of our first parse, each in fresh interpreters."""
    times: dict[str, list[float]] = {"peer": [], "ours": []}
    for turn in range(PROCESSES):
        for whose in sorted(times, reverse=turn % 2 == 1):
            command = [sys.executable, "-c", FIRST, str(path), whose]
            said = subprocess.run(command, capture_output=True, text=True, check=True)
            times[whose].append(float(said.stdout))
    return statistics.median(times["peer"]), statistics.median(times["ours"])


if __name__ == "__main__":
    sys.exit(main())
