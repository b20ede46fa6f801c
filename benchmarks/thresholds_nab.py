"""Does our default detector find more of NAB's anomalies than the best that are published?

`--data` is a folder in NAB's form (data/, labels/combined_windows.json); files are read in the
order of their names, and the first line says which. Scores are the benchmark's own, exactly
(benchmarks/judging/nab_score.py), in its three profiles, with one threshold for all files:

- `optimised`: the threshold that is best on these very files, as scoreboards have it;
- `fixed`: with `--threshold T`, this one instead, and the goals are held against it;
- `cross-validated`: with `--cross-validate`, the threshold of a random half of the files, scored on
  the other; means of 20 such halves, both ways round.

Detectors' parameters are the product's, from arguments of nothing here: none knows a file. Each
file's values are judged in order at their stamps, by a new detector, and held so that an event
counts once.

As deployed, with one setting for all files (benchmarks/judging/episodes.py says what an episode
is; benchmarks/judging/ours.py how a file is followed):

- `score`: the detector's score against one threshold: T, or the one that the detector calls usual;
- `budget`: the product's tracker, which sets its threshold anew each day from the signal's past,
  incidents included, by the product's default budget.

The goals are of the first, as the published figures are of detectors with one threshold. The second
stands beside it: what a user sees who sets nothing. With a T it is the one setting of all five.

Beside it, in the same run: rules that others run in Prometheus, emulated; river and libspot, if
`make bench-setup` was run. Their score is the best of several holds and all thresholds on these
files, and so are their alarms where no rule says when they alarm: the most windows at no more
episodes than the goal. Published figures of others are printed as published
(benchmarks/judging/bars.py), and which of them are the goals.

    .venv/bin/python benchmarks/thresholds_nab.py --data DIR [--threshold T] [--detector NAME]
        [--cross-validate]

Without `--data`, shared/data/nab beside this repository, or nothing. Exit status: 2 if the folder
cannot be read; the message says where.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.judging import ours, peers, tuning  # noqa: E402 - not installed
from benchmarks.judging.bars import bars  # noqa: E402
from benchmarks.judging.corpus import CorpusError, Series, read  # noqa: E402
from benchmarks.judging.emulated import RULES  # noqa: E402
from benchmarks.judging.episodes import Episodes, Watch  # noqa: E402
from benchmarks.judging.nab_score import PROFILES, Scores, Scoring  # noqa: E402
from tidegauge.thresholds.registry import DEFAULT_DETECTOR, DETECTORS  # noqa: E402

RECALL_GOAL = 0.86
EPISODES_GOAL = 0.10
HALVES = 20
DATA = ROOT.parent / "shared" / "data" / "nab"

Line = dict[str, object]


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="DIR")
    parser.add_argument("--threshold", type=float, metavar="T")
    parser.add_argument("--detector", choices=list(DETECTORS), default=DEFAULT_DETECTOR)
    parser.add_argument("--cross-validate", action="store_true")
    asked = parser.parse_args()
    if asked.data is None and not DATA.is_dir():
        print(
            json.dumps({"benchmark": "thresholds_nab", "left_out": f"no {DATA.name}: say --data"})
        )
        return 0
    try:
        files = read(asked.data or DATA)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(_which(files)), flush=True)
    ourselves = Ourselves(files, asked.detector, asked.threshold)
    for line in ourselves.lines():
        print(json.dumps(line), flush=True)
    if asked.cross_validate:
        print(json.dumps(ourselves.cross_validated()), flush=True)
    for line in _others(files):
        print(json.dumps(line), flush=True)
    print(json.dumps({"benchmark": "thresholds_nab", "goals": ourselves.goals()}))
    return 0


class Ourselves:
    """Our detector on the files."""

    def __init__(self, files: Sequence[Series], detector: str, threshold: float | None) -> None:
        self._files = files
        self._detector = detector
        self._fixed = threshold
        said = [ours.scores(detector, series) for series in files]
        self._held = [ours.peaks(one, series) for one, series in zip(said, files, strict=True)]
        self._profiles = tuning.optimised(files, self._held)
        self._by_budget = Watch(files).episodes(
            [ours.alarms(detector, series, per_week=ours.BUDGET) for series in files]
        )
        usual = ours.usual_threshold(detector) or self._profiles["standard"].threshold
        self._threshold = usual if threshold is None else threshold
        self._by_score = Watch(files).episodes([scores >= self._threshold for scores in self._held])

    def lines(self) -> Iterator[Line]:
        """What was measured, a line for each case."""
        best = {name: swept.score for name, swept in self._profiles.items()}
        yield {"case": f"{self._detector}, optimised", **_rounded(best)} | {
            "thresholds": {name: swept.threshold for name, swept in self._profiles.items()}
        }
        if self._fixed is not None:
            yield {"case": f"{self._detector}, fixed at {self._fixed:g}", **_rounded(self._at())}
        yield {"case": f"{self._detector}, deployed by budget", **_seen(self._by_budget)}
        yield {
            "case": f"{self._detector}, deployed by score {self._threshold:g}",
            **_seen(self._by_score),
        }

    def cross_validated(self) -> Line:
        found = tuning.cross_validated(self._files, self._held, halves=HALVES)
        return {"case": f"{self._detector}, cross-validated", **_rounded(found)}

    def goals(self) -> Line:
        """Held against the best that is published, and the deployed ones against their own."""
        scores = {name: swept.score for name, swept in self._profiles.items()}
        if self._fixed is not None:
            scores = self._at()
        bar = bars(self._files)
        profiles: Line = {
            name: _goal(score, bar.best(name), "higher") for name, score in scores.items()
        }
        return profiles | {
            "recall_ratio": _goal(self._by_score.recall_ratio, RECALL_GOAL, "higher"),
            "episodes_per_series_day": _goal(self._by_score.per_series_day, EPISODES_GOAL, "lower"),
        }

    def _at(self) -> dict[str, float]:
        scoring = Scoring(self._files, self._held)
        return {name: scoring.at(profile, self._threshold) for name, profile in PROFILES.items()}


def _which(files: Sequence[Series]) -> Line:
    bar = bars(files)
    return {
        "case": "files",
        "read": [series.name for series in files],
        "rows": sum(map(len, files)),
        "windows": sum(len(series.windows) for series in files),
        "goals_of": bar.files,
        "published": bar.published,
    }


def _others(files: Sequence[Series]) -> Iterator[Line]:
    watch = Watch(files)
    for name, rule in RULES.items():
        ruled = [rule(series) for series in files]
        line = _tuned(name, files, [each.scores for each in ruled])
        yield line | {"as_published": _seen(watch.episodes([each.fires for each in ruled]))}
    if not peers.there():
        print(peers.ABSENT, file=sys.stderr)
        return
    values = [series.values.tolist() for series in files]
    for name in peers.NAMES:
        answer = peers.ask(name, values)
        yield _tuned(f"{name} {answer.version}", files, answer.scores)


def _tuned(name: str, files: Sequence[Series], said: Sequence[Scores]) -> Line:
    found = tuning.best(files, said, per_series_day=EPISODES_GOAL)
    alarms = None if found.alarms is None else _seen(found.alarms)
    return {"case": name, **_rounded(found.scores), "tuned_alarms": alarms}


def _seen(found: Episodes) -> Line:
    return {
        "found": found.found,
        "windows": found.windows,
        "recall_ratio": round(found.recall_ratio, 3),
        "episodes": found.episodes,
        "episodes_per_series_day": round(found.per_series_day, 3),
    }


def _rounded(figures: Mapping[str, float]) -> Line:
    return {name: round(figure, 1) for name, figure in figures.items()}


def _goal(value: float, goal: float, better: str) -> Line:
    return {"value": round(value, 3), "goal": goal, "better": better}


if __name__ == "__main__":
    sys.exit(main())
