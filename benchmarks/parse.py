"""Is an engine's exposition parsed five times as fast as by prometheus_client, to the same result?

Per capture, ours and prometheus_client's parser on the same text:

- `first`: in an interpreter of its own, imports done, the first thing that is parsed;
- `cold`: interpreter warm, but nothing remembered of an earlier exposition;
- `warm`: as at every read but the first, labels remembered (prometheus_client remembers nothing).

Rounds alternate and their order too; medians. Before anything is timed, both results are compared.
Each capture is read again as OpenMetrics, written by prometheus_client. The goal is the median over
captures of `cold`, as they are; the worst capture is printed beside it. Files that hold no
exposition are named and left out. Exit status: 1 if a result differs, 2 if there is no capture.

    .venv/bin/python benchmarks/parse.py [--data FILE_OR_FOLDER]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.openmetrics.exposition import ALLOWUTF8
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_text

from tidegauge.sources.engine_text import ExpositionParser, parse
from tidegauge.sources.source import SourceError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.scraping.files import (  # noqa: E402 - not installed
    NoCaptureError,
    exposition,
    families,
    files,
)

GOAL = 5
ROUNDS = 25
PROCESSES = 7
ENDINGS = ("", "_total", "_created", "_sum", "_count", "_bucket")

# Timed by the interpreter that runs it; argv: file, whose parser, format.
FIRST = """
import sys, time
from pathlib import Path
body = Path(sys.argv[1]).read_bytes()
if sys.argv[2] == "ours":
    from tidegauge.sources.engine_text import ExpositionParser
    run = lambda: ExpositionParser().parse(body)
else:
    if sys.argv[3] == "openmetrics":
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    else:
        from prometheus_client.parser import text_string_to_metric_families
    text = body.decode()
    run = lambda: list(text_string_to_metric_families(text))
began = time.perf_counter()
run()
print(time.perf_counter() - began)
"""


class DifferError(Exception):
    """Our result is not the peer's; the message says where."""


@dataclass(frozen=True, slots=True)
class Case:
    """An exposition; `alone` is it timed in interpreters of its own as well."""

    name: str
    text: str
    alone: bool


def main() -> int:
    """Print a JSON line per capture, and the goals' line last."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "tests" / "fixtures" / "engines")
    data: Path = parser.parse_args().data
    ratios: list[float] = []
    differing = 0
    for path in files(data):
        name = str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
        try:
            text = exposition(path)
            ratios.append(measured(Case(name, text, alone=True)))
            if said := Families(families(text)).openmetrics():
                measured(Case(f"{name} as OpenMetrics", said, alone=False))
        except NoCaptureError as error:
            print(json.dumps({"case": name, "left_out": str(error)}), flush=True)
        except DifferError as error:
            differing += 1
            print(json.dumps({"case": name, "differs": str(error)}), flush=True)
    if not ratios:
        print(f"{data}: no capture there", file=sys.stderr)
        return 1 if differing else 2
    median, worst = round(statistics.median(ratios), 2), round(min(ratios), 2)
    print(json.dumps({"case": "all, cold", "median": median, "min": worst, "differ": differing}))
    goal = {"value": median, "goal": GOAL, "better": "higher"}
    print(json.dumps({"benchmark": "parse", "goals": {"speedup": goal}}))
    return 1 if differing else 0


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
        """Their text; "" where prometheus_client writes what it does not read itself."""
        registry = CollectorRegistry()
        registry.register(self)
        # Its default replaces colons in rows, but not in their TYPE.
        written: bytes = openmetrics_text(registry, ALLOWUTF8)  # type: ignore[no-untyped-call]
        text = written.decode()
        try:
            list(families(text))
        except (ValueError, KeyError, IndexError):
            return ""
        return text


def measured(case: Case) -> float:
    """Compare results, time both, print the line; the ratio when cold.

    Raises:
        DifferError: the results are not the same.
    """
    encoded, warm = case.text.encode(), ExpositionParser()
    rows = compared(case.text)
    warm.parse(encoded)
    times = alternated(
        {
            "peer": lambda: list(families(case.text)),
            "cold": lambda: ExpositionParser().parse(encoded),
            "warm": lambda: warm.parse(encoded),
        }
    )
    line = {
        "case": case.name,
        "rows": rows,
        "kib": round(len(encoded) / 1024, 1),
        "peer_ms": round(times["peer"] * 1000, 3),
        "cold_ms": round(times["cold"] * 1000, 3),
        "warm_ms": round(times["warm"] * 1000, 3),
        "cold_ratio": round(times["peer"] / times["cold"], 2),
        "warm_ratio": round(times["peer"] / times["warm"], 2),
    }
    if case.alone:
        peer, first = first_times(case.text)
        line |= {"first_ms": round(first * 1000, 3), "first_ratio": round(peer / first, 2)}
    print(json.dumps(line), flush=True)
    return times["peer"] / times["cold"]


def compared(text: str) -> int:
    """How many rows both find.

    Raises:
        DifferError: they don't find the same.
    """
    theirs = [
        (metric.name, [(s.name, float(s.value), tuple(s.labels.items())) for s in metric.samples])
        for metric in families(text)
    ]
    try:
        ours = [
            (family.name, [(row.name, row.value, row.labels) for row in family.series])
            for family in parse(text.encode())
        ]
    except SourceError as error:
        raise DifferError(f"prometheus_client reads it, and we don't: {error}") from error
    # By their texts, in which NaN equals NaN.
    pairs = zip(map(repr, ours), map(repr, theirs), strict=False)
    differing = next((f"ours {one}, theirs {other}" for one, other in pairs if one != other), None)
    if differing or len(ours) != len(theirs):
        families_of = f"{len(ours)} families, and {len(theirs)} of theirs"
        raise DifferError((differing or families_of)[:500])
    return sum(len(rows) for _, rows in theirs)


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


def first_times(text: str) -> tuple[float, float]:
    """Median seconds of the peer's and of our first parse, each in fresh interpreters."""
    form = "openmetrics" if text.endswith("# EOF\n") else "plain"
    times: dict[str, list[float]] = {"peer": [], "ours": []}
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        for turn in range(PROCESSES):
            for whose in sorted(times, reverse=turn % 2 == 1):
                command = [sys.executable, "-c", FIRST, file.name, whose, form]
                said = subprocess.run(command, capture_output=True, text=True, check=True)
                times[whose].append(float(said.stdout))
    return statistics.median(times["peer"]), statistics.median(times["ours"])


if __name__ == "__main__":
    sys.exit(main())
