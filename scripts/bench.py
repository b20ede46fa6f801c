"""Run benchmarks one after the other, and write what they found to docs/benchmarks.md.

`.venv/bin/python scripts/bench.py [NAME …]` runs benchmarks/NAME.py, all of them by default. Only
a run of all writes the page: figures of one machine and one moment belong together. One that closes
with {"benchmark": NAME, "left_out": why} in place of goals has no row there.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
PACKAGES = ("aiohttp", "numpy", "nvidia-ml-py", "prometheus-client", "pydantic")


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure of a benchmark's closing line."""

    benchmark: str
    name: str
    value: float
    goal: float
    better: str

    @property
    def met(self) -> bool:
        return self.value >= self.goal if self.better == "higher" else self.value <= self.goal


def main() -> int:
    """Exit status: 0, or 1 if a benchmark failed. A goal that is missed is a figure, no failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    wanted: list[str] = parser.parse_args().names
    known = {path.stem: path for path in sorted((ROOT / "benchmarks").glob("*.py"))}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(known)}")
    goals: list[Goal] = []
    for name in wanted or known:
        print(f"bench: {name}", flush=True)
        lines = list(_run(known[name]))
        found = [goal for line in lines for goal in _goals(line)]
        if not found and any("left_out" in line for line in lines[-1:]):
            continue
        if not found:
            print(f"bench: {name} did not close with its goals", file=sys.stderr)
            return 1
        goals += found
    if not wanted:
        PAGE.write_text(page(goals), encoding="utf-8")
        print(f"bench: wrote {PAGE.relative_to(ROOT)}")
    return 0


_HEAD = """\
# Benchmarks

Written by `make bench`. Each figure is a ratio against a named peer in the same run, or a share
of what it stands beside; each script's first lines say how it is measured. Figures move with the
machine: run them on yours.

Measured {day} on {cores} cores ({machine}), Python {python}, {packages}.

| benchmark | figure | value | goal | |
|---|---|---|---|---|
"""


def page(goals: Sequence[Goal]) -> str:
    """docs/benchmarks.md: where and when, then a row for each goal."""
    head = _HEAD.format(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        cores=os.cpu_count(),
        machine=platform.machine(),
        python=platform.python_version(),
        packages=", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
    )
    return head + "".join(map(_row, goals))


def _row(goal: Goal) -> str:
    bound = "at least" if goal.better == "higher" else "at most"
    return (
        f"| [{goal.benchmark}](../benchmarks/{goal.benchmark}.py) | `{goal.name}` "
        f"| {goal.value:g} | {bound} {goal.goal:g} | {'met' if goal.met else 'missed'} |\n"
    )


def _run(path: Path) -> Iterator[Mapping[str, object]]:
    with subprocess.Popen(
        [sys.executable, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("{"):
                yield json.loads(line)
    if process.returncode:
        raise SystemExit(f"bench: {path.name} ended with {process.returncode}")


def _goals(line: Mapping[str, object]) -> Iterator[Goal]:
    goals = line.get("goals")
    if isinstance(goals, dict):
        for name, figure in goals.items():
            yield Goal(str(line["benchmark"]), str(name), **figure)


if __name__ == "__main__":
    sys.exit(main())
