"""How soon is a change of the prompts seen, at equal run length without one, and at what cost?

`--prompts` (or `--data`) is a folder: `base_*.jsonl` is ordinary traffic, every other file a domain
to mix in. From three random splits of the base (benchmarks/judging/streams.py): 1,000 requests as
the reference, 12 runs of 1,200 without a change, and for each domain 2 runs that change after 200
requests, to a share of .1 of that domain and 2 to .3, followed for 500. All detectors have the same
references and runs, and see the same of them: the semantic vector.

- ours: the product's sequential detector, 10 requests a second as of a busy engine, ticks of 10
  seconds, its budget the run length that is asked for. Delays and run lengths are in samples: it
  can alarm at every 100th. Its cost is that of adding rows to blocks, and of all ticks.
  `every channel` is the same with the lengths and shares of the prompts too, as it is in use.
- alibi-detect's MMDDriftOnline on PyTorch, with windows of 50, 100 and 200 tried on the first split
  and the one with the least delay taken for all.
- river's ADWIN and KSWIN, which take one number a sample: the distance from the reference's mean.
  They say yes or no, so their run length cannot be set afterwards: each setting is shown with the
  one it has, on the first split, which is not equal to the others'.

Every threshold is scaled so that the 36 runs without a change have `--run-length` samples to an
alarm (all samples until alarms or ends, by alarms). `stated` against `realised` is what a detector
promises and keeps at its own threshold. A delay is the median over runs of a domain, of which those
that never alarm count as the cap of 500 (`censored`) and those that alarm before the change are
left out (`early`), and the mean of that over domains. Costs are CPU time a sample, in the median
run; what comes before the first sample is `setup_s`.

Goals: our delay at a share of .1 by alibi-detect's, and our cost by its; without it there are none.

    .venv/bin/python benchmarks/drift_stream.py --prompts DIR [--run-length SAMPLES]

Without a folder, shared/data/prompts beside this repository, or nothing. `make bench-setup`
installs the peers, all but PyTorch, whose wheels for Linux are gigabytes: with one for CPUs at
hand, `.peers-drift/bin/pip install torch==2.13.0+cpu`. Exit status: 2 if the folder cannot be
read, or semantic vectors cannot be made; the message says why.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.judging import drift_peers, run_length, streams  # noqa: E402 - not installed
from benchmarks.judging.prompts import rows_of  # noqa: E402
from benchmarks.judging.streams import Said, Split  # noqa: E402
from benchmarks.mixing import texts as folders  # noqa: E402
from benchmarks.mixing.texts import NoTextsError, Prompts  # noqa: E402
from tidegauge.drift.row import Row  # noqa: E402
from tidegauge.traffic.texts.vectors_semantic import SemanticMissingError, load  # noqa: E402

DATA = ROOT.parent / "shared" / "data" / "prompts"
NAME = "drift_stream"
SPLITS = 3
SHARES = (0.1, 0.3)
RUN_LENGTH = 1000.0
COST_GOAL, DELAY_GOAL = 0.01, 1.0

MMD_STATED = 100  # `ert`; scaled afterwards, like every threshold
MMD_WINDOWS = (50, 100, 200)
MMD_BOOTSTRAPS = 2000
"""It wants 100 left after a window of 200, each sample of which takes 1 % and one or two more."""
GIVE_UP = 10.0  # times its threshold: above any scale that it may need
ADWIN_DELTAS = (0.002, 0.05, 0.8)  # the first is its default
KSWIN_ALPHAS = (0.005, 0.001)  # the first is its default

Line = dict[str, object]


@dataclass(frozen=True, slots=True)
class Judged:
    """A detector on some of the splits, in their order."""

    name: str
    splits: Sequence[Split]
    said: Sequence[Said]
    stated: float | None

    @property
    def nulls(self) -> list[run_length.Scores]:
        """Of all splits."""
        return [
            run
            for of, said in zip(self.splits, self.said, strict=True)
            for run in said.scores[: len(of.nulls)]
        ]

    def changed(self, domain: str, share: float) -> list[run_length.Scores]:
        """Of all splits, the runs of one domain."""
        return [
            run
            for of, said in zip(self.splits, self.said, strict=True)
            for change, run in zip(of.changes, said.scores[len(of.nulls) :], strict=True)
            if (change.domain, change.share) == (domain, share)
        ]

    @property
    def sample_us(self) -> float:
        return float(np.median([said.sample_us for said in self.said]))


def main() -> int:
    """Print a JSON line per case, and the goals' line last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", "--data", type=Path, metavar="DIR")
    parser.add_argument("--run-length", type=float, default=RUN_LENGTH, metavar="SAMPLES")
    asked = parser.parse_args()
    if asked.prompts is None and not DATA.is_dir():
        print(json.dumps({"benchmark": NAME, "left_out": f"no {DATA.name}: say --prompts"}))
        return 0
    try:
        prompts = folders.prompts(asked.prompts or DATA)
        splits = _splits(prompts)
    except (NoTextsError, SemanticMissingError) as error:
        print(error, file=sys.stderr)
        return 2
    _say({"files": prompts.files, "base": len(prompts.base), "splits": SPLITS})
    goals = _goals(splits, asked.run_length)
    last: Line = {"goals": goals} if goals else {"left_out": "no MMDDriftOnline to compare with"}
    _say({"benchmark": NAME, **last})
    return 0


def _splits(prompts: Prompts) -> list[Split]:
    embed = load()
    base = rows_of(prompts.base, embed)
    domains = {name: rows_of(texts, embed) for name, texts in prompts.domains.items()}
    known = {name: rows for name, rows in domains.items() if rows}
    return [streams.split(base, known, SHARES, seed=seed) for seed in range(SPLITS)]


def _goals(splits: Sequence[Split], wanted: float) -> Line:
    """What is measured on the way is printed; empty if there is nothing to compare with."""
    bare = [_without_cells(of) for of in splits]
    said = [streams.ours(of, run_length=wanted) for of in bare]
    ours = Judged("tidegauge", bare, said, wanted)
    _say(_line(ours, wanted))
    every = [streams.ours(of, run_length=wanted) for of in splits]
    _say(_line(Judged("tidegauge, every channel", splits, every, wanted), wanted))
    for line in _river(splits):
        _say(line)
    alibi = _alibi(splits, wanted)
    if alibi is None:
        return {}
    _say(_line(alibi, wanted))
    delay = _delay(ours, _scale(ours, wanted), SHARES[0]) / _delay(
        alibi, _scale(alibi, wanted), SHARES[0]
    )
    return {
        "delay_ratio": {"value": round(delay, 3), "goal": DELAY_GOAL, "better": "lower"},
        "cost_ratio": {
            "value": round(ours.sample_us / alibi.sample_us, 5),
            "goal": COST_GOAL,
            "better": "lower",
        },
    }


def _alibi(splits: Sequence[Split], wanted: float) -> Judged | None:
    """With the best of its windows; None, and a line that says why, if it cannot run."""
    because = drift_peers.why_not(drift_peers.MMD)
    if because:
        _say({"left_out": drift_peers.MMD, "because": because})
        return None
    first, *others = splits
    with ThreadPoolExecutor(2) as at_once:
        tried = list(at_once.map(_mmd, [first] * len(MMD_WINDOWS), MMD_WINDOWS))
        tuned = [
            Judged(f"{drift_peers.MMD}, window {window}, first split", [first], [said], MMD_STATED)
            for window, said in zip(MMD_WINDOWS, tried, strict=True)
        ]
        for one in tuned:
            _say(_line(one, wanted))
        delays = [_delay(one, _scale(one, wanted), SHARES[0]) for one in tuned]
        best = int(np.argmin(delays))
        more = list(at_once.map(_mmd, others, [MMD_WINDOWS[best]] * len(others)))
    name = f"{drift_peers.MMD}, window {MMD_WINDOWS[best]}"
    return Judged(name, splits, [tried[best], *more], MMD_STATED)


def _mmd(of: Split, window: int) -> Said:
    said = drift_peers.streams(
        drift_peers.MMD,
        streams.vectors(of.reference),
        streams.vectors(of.rows),
        of.runs,
        settings={"ert": MMD_STATED, "window_size": window, "n_bootstraps": MMD_BOOTSTRAPS},
        give_up=GIVE_UP,
    )
    return Said(said.scores, said.sample_us, said.setup_s)


def _river(splits: Sequence[Split]) -> Iterator[Line]:
    """At several settings, each as it is."""
    asked = [(drift_peers.ADWIN, {"delta": delta}) for delta in ADWIN_DELTAS]
    asked += [(drift_peers.KSWIN, {"alpha": alpha}) for alpha in KSWIN_ALPHAS]
    for peer, settings in asked:
        because = drift_peers.why_not(peer)
        if because:
            yield {"left_out": peer, "because": because}
            continue
        yield _line(_of_distances(peer, settings, splits[0]), None)


def _of_distances(peer: str, settings: Mapping[str, float], of: Split) -> Judged:
    reference, pool = streams.vectors(of.reference), streams.vectors(of.rows)
    mean = reference.mean(axis=0)
    said = drift_peers.streams(
        peer,
        np.linalg.norm(reference - mean, axis=1),
        np.linalg.norm(pool - mean, axis=1),
        of.runs,
        settings=settings,
        give_up=1.0,
    )
    ((name, value),) = settings.items()
    answered = Said(said.scores, said.sample_us, said.setup_s)
    return Judged(f"{peer}, {name} {value:g}, first split", [of], [answered], None)


def _line(judged: Judged, wanted: float | None) -> Line:
    """Scaled to the run length that is wanted, if one is."""
    scale = 1.0 if wanted is None else _scale(judged, wanted)
    own = run_length.mean_run_length(judged.nulls, 1.0)
    line: Line = {
        "case": judged.name,
        "stated": judged.stated,
        "realised": _whole(own),
        "null_runs": len(judged.nulls),
        "threshold_by_own": round(scale, 3),
        "run_length": _whole(run_length.mean_run_length(judged.nulls, scale)),
    }
    for share in SHARES:
        line[f"delay_{share:g}"] = round(_delay(judged, scale, share), 1)
        found = _delays(judged, scale, share)
        line[f"delays_{share:g}"] = {name: _known(delay.median) for name, delay in found.items()}
        line[f"early_{share:g}"] = sum(delay.early for delay in found.values())
        line[f"censored_{share:g}"] = sum(delay.censored for delay in found.values())
    line["sample_us"] = round(judged.sample_us, 2)
    line["setup_s"] = round(max(said.setup_s for said in judged.said), 2)
    return line


def _scale(judged: Judged, wanted: float) -> float:
    return run_length.threshold_at(judged.nulls, wanted)


def _delay(judged: Judged, scale: float, share: float) -> float:
    return float(np.nanmean([one.median for one in _delays(judged, scale, share).values()]))


def _delays(judged: Judged, scale: float, share: float) -> dict[str, run_length.Delay]:
    domains = dict.fromkeys(change.domain for change in judged.splits[0].changes)
    return {
        domain: run_length.delay(
            judged.changed(domain, share), scale, change=streams.CHANGE, cap=streams.CAP
        )
        for domain in domains
    }


def _without_cells(of: Split) -> Split:
    def bare(rows: Sequence[Row]) -> list[Row]:
        return [Row((), row.vectors) for row in rows]

    return Split(bare(of.reference), bare(of.rows), of.nulls, of.changes)


def _known(samples: float) -> float | None:
    """None where every run alarmed before the change."""
    return samples if np.isfinite(samples) else None


def _whole(samples: float) -> int | None:
    """As JSON has no infinity, None is: never."""
    return round(samples) if np.isfinite(samples) else None


def _say(line: Line) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
