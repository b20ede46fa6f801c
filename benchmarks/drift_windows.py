"""Do windows of mixed prompts, and of swapped models, score above ordinary ones?

`--prompts DIR` has ordinary prompts, `base_*.jsonl`, and domains, every other `*.jsonl`: a JSON
object with `text` a line. Of ordinary prompts a random half is the reference, and windows of 200,
500 and 1,000 are drawn of the other half, with 5, 10 and 30 % of a domain mixed in (with
replacement where it has too few). `--outputs DIR` has each model's answers to the same prompts:
the reference is of one model and half of the prompts, windows of 200 are of another model and the
other half. `--data DIR` is the first, and the second if it has a folder `outputs`.

Tokens are estimated from bytes, prompts get the default semantic vector, if it is installed, and
answers the style vector. Ours is the product's joint score of a window, a fixed rule: nothing is
learned from any domain.

- detection: the share of windows with a higher score than 99 % of the ordinary windows had, which
  is detection at realised 1 % of false alarms, for everyone alike; means over 2 random halves;
- `false_alarms`: the share of ordinary windows whose score says that 1 % have such, over 20 halves.

Beside it on the same windows: Arize's distance of centroids and Fiddler's Jensen-Shannon distance
of clusters, as documented, on our vectors; and, if `make bench-setup` was run, alibi-detect's
KSDrift on all our numbers and 32 principal components of the vectors, and Evidently's default
preset on all our numbers. These two take the first half alone, and fewer windows of 500: their
lines say how many, and how often they alarm by their own rules.

    .venv/bin/python benchmarks/drift_windows.py [--prompts DIR] [--outputs DIR] [--data DIR]

Without any, shared/data/prompts beside this repository, or nothing. Exit status: 2 if a folder
cannot be read; the message says where.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.mixing import others, texts  # noqa: E402 - not installed
from benchmarks.mixing.detected import Case, Detected, Scoring  # noqa: E402
from benchmarks.mixing.ours import Ours  # noqa: E402
from benchmarks.mixing.pool import Embed, Places, pool  # noqa: E402
from benchmarks.mixing.swaps import STATED, swaps  # noqa: E402
from benchmarks.mixing.vendors import Arize, Fiddler  # noqa: E402
from benchmarks.mixing.windows import SHARES, SIZES, Split  # noqa: E402
from tidegauge.traffic.texts import vectors_semantic  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "prompts"
SEED = 20261201
SIZE = 500  # of the goals
GOALS = {0.05: ("detect_05", 0.55), 0.1: ("detect_10", 0.88), 0.3: ("detect_30", 0.98)}
OUTPUTS_GOAL = 0.8
FALSE_ALARMS_LEAST, FALSE_ALARMS_MOST = 0.005, 0.02
FALSE_ALARM_SPLITS = 20
FALSE_ALARM_WINDOWS = 60
SPLITS = 2
ORDINARY_WINDOWS = 150
MIXED_WINDOWS = 20
OURS, ARIZE, FIDDLER = "tidegauge", "Arize centroid", "Fiddler clusters"

Line = dict[str, object]
Goals = dict[str, Line]


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for option in ("--prompts", "--outputs", "--data"):
        parser.add_argument(option, type=Path, metavar="DIR")
    asked = parser.parse_args()
    prompts, outputs = _folders(asked.prompts, asked.outputs, asked.data)
    if prompts is None and outputs is None:
        print(json.dumps({"benchmark": "drift_windows", "left_out": f"no {DATA.name}: say --data"}))
        return 0
    goals: Goals = {}
    try:
        if prompts is not None:
            goals |= OfPrompts(texts.prompts(prompts)).measure()
        if outputs is not None:
            goals |= _of_outputs(texts.answers(outputs))
    except texts.NoTextsError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({"benchmark": "drift_windows", "goals": goals}))
    return 0


class OfPrompts:
    """Everything that is measured on a folder of prompts."""

    def __init__(self, found: texts.Prompts) -> None:
        every = [*found.base, *(text for domain in found.domains.values() for text in domain)]
        embed = _embed()
        self._base = len(found.base)
        self._pool = pool("inputs", every, embed)
        self._domains = dict[str, Places]()
        first = self._base
        for name, domain in found.domains.items():
            self._domains[name] = np.arange(first, first + len(domain))
            first += len(domain)
        self._rng = np.random.default_rng(SEED)
        self._sizes = [size for size in SIZES if size <= self._base // 2]
        _print({
            "case": "files",
            "read": list(found.files),
            "texts": {"base": self._base} | {name: len(d) for name, d in self._domains.items()},
            "vectors": "WordLlama" if embed else "none: pip install 'tidegauge[semantic]'",
        })  # fmt: skip

    def measure(self) -> Goals:
        splits = [Split.of(self._base, self._rng) for _ in range(SPLITS)]
        with ThreadPoolExecutor(1) as beside:
            asked = beside.submit(
                others.judged, self._pool, splits[0], self._domains, np.random.default_rng(SEED)
            )
            goals = self._detection(splits) | self._false_alarms()
            for line in asked.result():
                _print(line)
        return goals

    def _detection(self, splits: Sequence[Split]) -> Goals:
        found = {name: Detected() for name in (OURS, ARIZE, FIDDLER)}
        for split in splits:
            scorings = self._scorings(split.reference)
            for size in self._sizes:
                self._one(split, size, scorings, found)
        for name, detected in found.items():
            for case in detected.found:
                _print(_line(name, case, detected))
        ours = found[OURS]
        return {
            name: _goal(ours.mean(Case(SIZE, share)), goal, "higher")
            for share, (name, goal) in GOALS.items()
        }

    def _one(
        self,
        split: Split,
        size: int,
        scorings: Mapping[str, Scoring],
        found: Mapping[str, Detected],
    ) -> None:
        ordinary = split.ordinary(self._rng, size=size, windows=ORDINARY_WINDOWS)
        mixed = [
            each
            for share in SHARES
            for each in split.mixed(
                self._rng, self._domains, size=size, share=share, windows=MIXED_WINDOWS
            )
        ]
        for name, scoring in scorings.items():
            own = scoring.scores(self._pool, ordinary)
            found[name].add(own, [(m, scoring.scores(self._pool, m.windows)) for m in mixed])

    def _scorings(self, reference: Places) -> Mapping[str, Scoring]:
        ours: dict[str, Scoring] = {OURS: Ours(self._pool.sketch(reference))}
        if not self._pool.has[reference].any():
            return ours
        return ours | {
            ARIZE: Arize(self._pool, reference),
            FIDDLER: Fiddler(self._pool, reference),
        }

    def _false_alarms(self) -> Goals:
        rates = {size: list[float]() for size in self._sizes}
        for _ in range(FALSE_ALARM_SPLITS):
            split = Split.of(self._base, self._rng)
            ours = Ours(self._pool.sketch(split.reference))
            for size in self._sizes:
                windows = split.ordinary(self._rng, size=size, windows=FALSE_ALARM_WINDOWS)
                rates[size].append(float((ours.scores(self._pool, windows) > STATED).mean()))
        for size, of_splits in rates.items():
            _print({
                "case": f"{OURS}, false alarms, windows of {size}",
                "stated": 0.01,
                "realised": round(float(np.mean(of_splits)), 4),
                "standard_error": round(float(np.std(of_splits)) / len(of_splits) ** 0.5, 4),
                "splits": len(of_splits),
                "windows": FALSE_ALARM_WINDOWS * len(of_splits),
            })  # fmt: skip
        mean = float(np.mean([rate for of_splits in rates.values() for rate in of_splits]))
        return {
            "false_alarm": _goal(mean, FALSE_ALARMS_MOST, "lower"),
            "false_alarm_least": _goal(mean, FALSE_ALARMS_LEAST, "higher"),
        }


def _of_outputs(models: Mapping[str, Sequence[str]]) -> Goals:
    pools = {model: pool("outputs", answers, None) for model, answers in models.items()}
    found = swaps(pools, np.random.default_rng(SEED))
    detected = found.detected()
    mean = float(np.mean(list(detected.values())))
    _print({
        "case": f"{OURS}, swapped models",
        "read": list(models),
        "splits": found.splits,
        "detection": round(mean, 3),
        "pairs": {pair: round(share, 3) for pair, share in detected.items()},
        "false_alarms": round(found.false_alarms(), 4),
    })  # fmt: skip
    return {"outputs_detect": _goal(mean, OUTPUTS_GOAL, "higher")}


def _folders(
    prompts: Path | None, outputs: Path | None, both: Path | None
) -> tuple[Path | None, Path | None]:
    if both is None and prompts is None and outputs is None and DATA.is_dir():
        both = DATA
    if both is not None:
        prompts = prompts or both
        within = both / "outputs"
        outputs = outputs or (within if within.is_dir() else None)
    return prompts, outputs


def _embed() -> Embed | None:
    try:
        return vectors_semantic.load()
    except vectors_semantic.SemanticMissingError:
        return None


def _line(name: str, case: Case, detected: Detected) -> Line:
    return {
        "case": f"{name}, windows of {case.size}, {case.share:.0%} mixed in",
        "detection": round(detected.mean(case), 3),
        "domains": {domain: round(d, 3) for domain, d in detected.domains(case).items()},
    }


def _goal(value: float, goal: float, better: str) -> Line:
    return {"value": round(value, 4), "goal": goal, "better": better}


def _print(line: Mapping[str, object]) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
