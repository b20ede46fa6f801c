"""What does the whole of drift cost a request, and how much less than Evidently's preset?

`--prompts` (or `--data`) is a folder whose `base_*.jsonl` are the requests; what answers them is so
many of the base's own texts as make 1,000 characters. CPU time of this thread, medians of 7 rounds
over 500 requests, warm-up left out. In microseconds a request:

- `features`: what is made of the texts for drift, but not by it: other parts use it, too;
- `vectors`: the semantic vector of the prompt and the style vector of the answer;
- `drift`: everything else, from the exchange to series: its row of cells, learning, the share that
  is outside, the sequential detector and all series at a scrape, ticks every 10 seconds and scrapes
  every 15, at so many requests a second. The fewer there are, the more a tick costs each of them.

The goal is vectors and drift at 1.67 requests a second, the pace that just fills the default window
(1,000 requests in 10 minutes). A quicker model pays less a request, since ticks and scrapes are
shared by more; a slower one pays more, but less a second: at any pace, ticks and scrapes take about
0.2 to 0.3 ms a second of a model. `with_features` is the goal and the features.

Beside it Evidently's DataDriftPreset at its defaults, on windows of 500 requests against a
reference of 4,000, or half of the base: from a table of numbers and classes to its report. Ours on
the same windows and channels, from exchanges to scores: rows, a block, and the default drift test
of each channel with both sides' joint scores. Neither has vectors; making the reference and
imports are left out for both. `evidently_ratio` is its time by ours; `evidently_by_all` by vectors
and drift above.

Memory, by tracemalloc: one model that is watched and learns with vectors, its reference and what it
learns both at their most blocks, and a hundred, as one and 99 times what
a second takes beside it.

    .venv/bin/python benchmarks/drift_cost.py --prompts DIR

Without a folder, shared/data/prompts beside this repository, or nothing. `make bench-setup`
installs Evidently; without it its goal is left out. Exit status: 2 if the folder cannot be read, or
semantic vectors cannot be made; the message says why.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.judging import drift_peers  # noqa: E402 - not installed
from benchmarks.judging.prompts import exchange_of  # noqa: E402
from benchmarks.measuring.drift_memory import memory  # noqa: E402
from benchmarks.measuring.drift_parts import PACE, Costs, Pair, costs, vectors_of  # noqa: E402
from benchmarks.measuring.drift_window import table, window_us  # noqa: E402
from benchmarks.mixing import texts as folders  # noqa: E402
from benchmarks.mixing.texts import NoTextsError  # noqa: E402
from tidegauge.drift.cells import CHANNELS  # noqa: E402
from tidegauge.traffic.exchange import Exchange  # noqa: E402
from tidegauge.traffic.texts.vectors import Embed  # noqa: E402
from tidegauge.traffic.texts.vectors_semantic import SemanticMissingError, load  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "prompts"
NAME = "drift_cost"
ANSWER_CHARACTERS = 1000
REFERENCE, WINDOW, WINDOWS = 4000, 500, 3
REQUEST_GOAL, EVIDENTLY_GOAL = 300, 100

Line = dict[str, object]


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", "--data", type=Path, metavar="DIR")
    asked = parser.parse_args()
    if asked.prompts is None and not DATA.is_dir():
        _say({"benchmark": NAME, "left_out": f"no {DATA.name}: say --prompts"})
        return 0
    try:
        prompts, embed = folders.prompts(asked.prompts or DATA), load()
    except (NoTextsError, SemanticMissingError) as error:
        print(error, file=sys.stderr)
        return 2
    _say({"files": prompts.files[:1], "base": len(prompts.base)})
    _say({"benchmark": NAME, "goals": _goals(_pairs(prompts.base), embed)})
    return 0


def _pairs(base: Sequence[str]) -> list[Pair]:
    """Requests in a random order, so that a window is like any other."""
    texts = [base[i] for i in np.random.default_rng(0).permutation(len(base)).tolist()]
    long = "\n".join(texts) + "\n"
    long *= ANSWER_CHARACTERS // len(long) + 2
    return [
        Pair(text, long[start : start + ANSWER_CHARACTERS])
        for text, start in zip(texts, _starts(len(long)), strict=False)
    ]


def _starts(length: int) -> Iterator[int]:
    """Where answers begin in a text: one after the other, and round again."""
    start = 0
    while True:
        yield start
        start = (start + ANSWER_CHARACTERS) % (length - ANSWER_CHARACTERS)


def _goals(pairs: Sequence[Pair], embed: Embed) -> Line:
    reference = min(REFERENCE, len(pairs) // 2)
    exchanges = [exchange_of(pair.prompt, pair.answer) for pair in pairs[: reference + 2 * WINDOW]]
    whole = [
        vectors_of(exchange, pair, embed) for exchange, pair in zip(exchanges, pairs, strict=False)
    ]
    found = costs(pairs[:WINDOW], whole[:reference], whole[reference : reference + WINDOW], embed)
    for line in found.lines():
        _say(line)
    for line in memory(whole[:reference]):
        _say(line)
    goals: Line = {
        "request_us": {"value": round(found.request_us, 1), "goal": REQUEST_GOAL, "better": "lower"}
    }
    by = _by_evidently(exchanges, reference, found)
    if by is not None:
        goals["evidently_ratio"] = {"value": by, "goal": EVIDENTLY_GOAL, "better": "higher"}
    return goals


def _by_evidently(exchanges: Sequence[Exchange], reference: int, found: Costs) -> float | None:
    because = drift_peers.why_not(drift_peers.EVIDENTLY)
    if because:
        _say({"left_out": drift_peers.EVIDENTLY, "because": because})
        return None
    rows = table(exchanges)
    random = np.random.default_rng(1)
    windows = np.array(
        [random.permutation(np.arange(reference, len(rows)))[:WINDOW] for _ in range(WINDOWS)]
    )
    theirs = drift_peers.windows(
        drift_peers.EVIDENTLY,
        rows[:reference],
        rows,
        windows,
        names=[channel.name for channel in CHANNELS],
        classes=[channel.name for channel in CHANNELS if channel.grid.names],
    )
    asked = [[exchanges[place] for place in window] for window in windows.tolist()]
    ours = window_us(exchanges[:reference], asked)
    everything = found.request_us * WINDOW
    _say(
        {
            "case": f"{drift_peers.EVIDENTLY} {theirs.version}, windows of {WINDOW}",
            "channels": len(CHANNELS),
            "reference": reference,
            "evidently_us": round(theirs.window_us),
            "window_us": round(ours),
            "evidently_ratio": round(theirs.window_us / ours, 1),
            "evidently_by_all": round(theirs.window_us / everything, 1),
            "pace": PACE,
        }
    )
    return round(theirs.window_us / ours, 1)


def _say(line: Line) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
