"""Does drift keep to its budget of false alarms in real time order, and still see a shift?

The product's Sequence watches a trace, a tick of 10 seconds at a time, by lengths alone: traces
hold no text. A budget is of a model; inputs and outputs have a half each, and alarms of both count.

- `as it is`: the trace from ROTATIONS starts, its end joined to its beginning. The reference is the
  first 25 minutes from there (3/7 of a shorter trace), the rest is judged; budgets of 1, 3 and 10
  an hour. The starts share one trace: they are not independent, and tell less than as many hours.
- `stitched days`: minutes of the trace in a random order, as many as the minutes of a day of
  `--days` were busy (benchmarks/replaying/days.py). One day is the reference; the next ones are
  judged at a budget of one a day, in as many runs as make 21 expected alarms for each file.
- swaps: 20, 50 or 100 % of the requests are those of `--swap`, for 20 minutes (10 and 30 are
  printed beside it). One is detected if an alarm begins in it, of those stretches in which none is
  on without the swap; `net_of_chance` is how many more alarms begin with swaps than without.
- fixed cut-offs: the share of windows of 500 requests in which others' rules alarm on the same
  stretches, in order and shuffled.

Which figures the goals are held against is fixed here, for any trace:

- `budget_factor` is the worst of all cases in which ten or more alarms are expected: each budget as
  it is, and the stitched days of each file. A case with fewer says nothing of a factor of two.
  A trace that is too short for a reference of 20 minutes is printed as it is, too, but is held
  against no goal where there are stitched days.
- `swap_*` is the worse of two: as it is, at 1 an hour, and on stitched days at 1 a day. These are
  the least budgets, so the hardest ones to detect at, whose realised rate is measured here, too:
  what is detected counts only where the false alarms beside it are known. Where fewer than ten
  stretches are quiet without a swap, nothing is shown, and 0 is the figure.

    .venv/bin/python benchmarks/drift_traffic.py [--trace FILE --swap FILE [--days FILE …]]
        [--data DIR] [--seed N]

`--trace` and `--swap` are Azure's CSV or Mooncake's JSON lines, either way round; `--days` are
ServeGen's rates, by default every servegen-*.csv beside the trace. In a DIR the first *.csv that
is no servegen-*.csv is the trace and the first *.jsonl the swap. Without both, shared/data/traces
beside this repository, or nothing. Exit status: 2 if a file cannot be read; the message says where.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # processes share the cores, not threads

import numpy as np  # noqa: E402 - after what it reads
from numpy.typing import NDArray  # noqa: E402

from benchmarks.replaying import cutoffs, traces  # noqa: E402
from benchmarks.replaying.counted import TICK_SECONDS, Counted, Requests, requests  # noqa: E402
from benchmarks.replaying.days import DAY_TICKS, Days  # noqa: E402
from benchmarks.replaying.runs import Follower, Run, Swaps  # noqa: E402
from benchmarks.replaying.tally import Case, Line  # noqa: E402
from benchmarks.replaying.traces import Trace, TraceError  # noqa: E402
from benchmarks.replaying.watch import Watch  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "traces"
ROTATIONS = 24
REFERENCE_SECONDS = 1500.0
LEAST_TICKS = 120  # of a reference that is held against a goal
SHORTEST_SECONDS = 3500.0  # of a trace that has so long a reference
BUDGETS = (1.0, 3.0, 10.0)  # an hour
A_DAY = 1 / 24
RUNS, JUDGED_DAYS = 3, 7  # of each file of rates
SWAP_MINUTES = 20.0
MINUTES = (10.0, 20.0)
DAY_MINUTES = (10.0, 20.0, 30.0)
SWAPS_A_START = 4
STITCHED = "stitched days"
SWAPS_A_DAY = 3
GOALS = {1.0: 0.95, 0.5: 0.8, 0.2: 0.4}


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is read."""

    trace: Trace
    swap: Trace
    days: dict[str, NDArray[np.float64]]
    seed: int

    def line(self) -> Line:
        return {
            "case": "files",
            "trace": self.trace.name,
            "requests": len(self.trace),
            "minutes": round(self.trace.seconds / 60, 1),
            "swap": self.swap.name,
            "swap_requests": len(self.swap),
            "days": list(self.days),
            "seed": self.seed,
        }

    @property
    def reference_ticks(self) -> int:
        """Of the trace as it is."""
        seconds = self.trace.seconds
        share = REFERENCE_SECONDS if seconds >= SHORTEST_SECONDS else seconds * 3 / 7
        return int(share // TICK_SECONDS)


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trace", type=Path, metavar="FILE")
    parser.add_argument("--swap", type=Path, metavar="FILE")
    parser.add_argument("--days", type=Path, metavar="FILE", nargs="+")
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    asked = parser.parse_args()
    try:
        read = _read(asked.trace, asked.swap, asked.days, asked.data, asked.seed)
    except TraceError as error:
        print(error, file=sys.stderr)
        return 2
    if read is None:
        why = f"no {DATA.name}: say --trace and --swap"
        print(json.dumps({"benchmark": "drift_traffic", "left_out": why}))
        return 0
    print(json.dumps(read.line()), flush=True)
    print(json.dumps(fixed_cutoffs(read)), flush=True)
    cases: list[Case] = []
    for case in _measured(read):
        cases.append(case)
        _say(case, MINUTES if case.per_hour == min(BUDGETS) else ())
    days = [case for case in cases if case.name.startswith(STITCHED)]
    if days:
        _say(together(days), DAY_MINUTES)
    print(json.dumps({"benchmark": "drift_traffic", "goals": _goals(cases)}))
    return 0


def as_is(read: Inputs, budget: float, start: int) -> Run:
    """The trace from one of its starts on, and swaps where the budget is the least."""
    rng = np.random.default_rng((read.seed, start, int(budget)))
    ordinary = _rotated(read, start)
    ticks, first = int(read.trace.seconds // TICK_SECONDS), read.reference_ticks
    of = _counted(read.swap)
    length = min(int(SWAP_MINUTES * 60 / TICK_SECONDS), ticks - first)
    swaps = Swaps(of, length, SWAPS_A_START if budget == min(BUDGETS) else 0)
    counted = Counted(ordinary.between(0, ticks), ticks)
    follower = Follower(Watch(counted, first, budget_seconds=3600 / budget))
    follower.follow(ordinary, first, ticks, swaps, rng)
    return follower.run()


def stitched(read: Inputs, rates: str, number: int) -> Run:
    """A day of reference and JUDGED_DAYS after it; each run begins on another day of the week."""
    rng = np.random.default_rng((read.seed, number, len(rates)))
    days = Days(_counted(read.trace), read.days[rates])
    swaps = Swaps(_counted(read.swap), int(max(DAY_MINUTES) * 60 / TICK_SECONDS), SWAPS_A_DAY)
    reference = Counted(days.day(number, rng), DAY_TICKS)
    follower = Follower(Watch(reference, DAY_TICKS, budget_seconds=3600 / A_DAY))
    for day in range(JUDGED_DAYS):
        follower.follow(days.day(number + 1 + day, rng), 0, DAY_TICKS, swaps, rng)
    return follower.run()


def _say(case: Case, minutes: Sequence[float] = ()) -> None:
    for line in (case.line(), *case.swaps(minutes)):
        print(json.dumps(line), flush=True)


def fixed_cutoffs(read: Inputs) -> Line:
    """The same starts, reference and rest."""
    rng = np.random.default_rng(read.seed)
    tokens = np.stack([read.trace.prompts, read.trace.answers], axis=1)
    found: dict[str, list[cutoffs.Windows]] = {"in_order": [], "shuffled": []}
    for start in range(ROTATIONS):
        place = int(np.searchsorted(read.trace.times, start * read.trace.seconds / ROTATIONS))
        rolled, times = np.roll(tokens, -place, axis=0), np.roll(read.trace.times, -place)
        since = (times - times[0]) % read.trace.seconds
        first = int(np.searchsorted(since, read.reference_ticks * TICK_SECONDS))
        mixed = rng.permutation(rolled)
        for name, of in (("in_order", rolled), ("shuffled", mixed)):
            found[name].append(cutoffs.windows(of[:first], of[first:]))
    line: Line = {"case": f"fixed cut-offs, windows of {cutoffs.WINDOW}"}
    for name, of_starts in found.items():
        count = max(1, sum(each.windows for each in of_starts))
        line |= {
            f"ks_{name}": round(sum(each.ks for each in of_starts) / count, 3),
            f"psi_{name}": round(sum(each.psi for each in of_starts) / count, 3),
        }
    return line


def _read(
    trace: Path | None,
    swap: Path | None,
    days: Sequence[Path] | None,
    folder: Path | None,
    seed: int,
) -> Inputs | None:
    if trace is None or swap is None:
        if folder is None and not DATA.is_dir():
            return None
        within = folder or DATA
        trace = trace or _one_of(within, ".csv")
        swap = swap or _one_of(within, ".jsonl")
    beside = sorted(trace.parent.glob("servegen-*.csv")) if days is None else days
    rates = {path.name: traces.rates(path) for path in beside}
    return Inputs(traces.read(trace), traces.read(swap), rates, seed)


def _one_of(folder: Path, ending: str) -> Path:
    found = [
        path for path in sorted(folder.glob(f"*{ending}")) if not path.name.startswith("servegen-")
    ]
    if not found:
        raise TraceError(f"{folder}: no *{ending} there; say --trace and --swap")
    return found[0]


def _measured(read: Inputs) -> Iterator[Case]:
    """Every case when it is done; as many runs at once as there are cores."""
    with ProcessPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        running = [
            *(
                (
                    f"as it is, {budget:g} an hour",
                    budget,
                    [pool.submit(as_is, read, budget, start) for start in range(ROTATIONS)],
                )
                for budget in BUDGETS
            ),
            *(
                (
                    f"{STITCHED}, {name}, 1 a day",
                    A_DAY,
                    [pool.submit(stitched, read, name, number) for number in range(RUNS)],
                )
                for name in read.days
            ),
        ]
        for name, per_hour, runs in running:
            held = name.startswith(STITCHED) or read.reference_ticks >= LEAST_TICKS
            yield Case(name, per_hour, [run.result() for run in runs], held)


def _goals(cases: Sequence[Case]) -> Line:
    """See the head of this file for which figures they are."""
    factors = [case.factor for case in cases if case.says] or [case.factor for case in cases]
    days = [case for case in cases if case.name.startswith(STITCHED)]
    least = [case for case in cases if case.per_hour == min(BUDGETS)]
    least += [together(days)] if days else []
    hardest = [case for case in least if case.says] or least
    seen = {share: min(case.swap(share, SWAP_MINUTES).shown for case in hardest) for share in GOALS}
    return {
        "budget_factor": _goal(max(factors), 2.0, "lower"),
        **{
            f"swap_{share:.0%}".rstrip("%"): _goal(seen[share], GOALS[share], "higher")
            for share in GOALS
        },
    }


def together(days: Sequence[Case]) -> Case:
    """Stitched days of all files."""
    return Case(f"{STITCHED}, all, 1 a day", A_DAY, [run for case in days for run in case.runs])


def _goal(value: float, goal: float, better: str) -> Line:
    return {"value": round(value, 3), "goal": goal, "better": better}


def _rotated(read: Inputs, start: int) -> Requests:
    """The trace from the so-manieth start on, its end joined to its beginning."""
    trace = read.trace
    since = (trace.times - start * trace.seconds / ROTATIONS) % trace.seconds
    order = np.argsort(since, kind="stable")
    return requests(since[order], trace.prompts[order], trace.answers[order])


def _counted(trace: Trace) -> Requests:
    return requests(trace.times, trace.prompts, trace.answers)


if __name__ == "__main__":
    sys.exit(main())
