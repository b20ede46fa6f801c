"""Run by a drift peer's own interpreter (`make bench-setup`), which does not have our code.

Reads one JSON object on stdin, and prints one. Arrays are .npy files named by path, since there
are many vectors. Both forms have `peer`, `reference` (a file of rows) and `pool` (another).

Streams: `runs`, a file of whole numbers (runs, samples) that are rows of `pool`, -1 where a run is
over; `settings` of the peer; `give_up`, the score at which a run may end early. Rows are vectors,
or a single number each. The answer has `scores`, a list of a score a sample for each run: 1 or more
is an alarm by the peer's own rule; `sample_us` and `setup_s`.

Windows: `windows`, a file of whole numbers (windows, rows) that are rows of `pool`; `names` of the
columns, and `classes`, those of them that are classes. The answer has `scores` and `alarms`, one a
window: more is more drift, and an alarm is what the peer says at its defaults; and `window_us`.

Both answers have `version`. Times are CPU time of the process: medians over runs, or over windows.
"""

import copy
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Protocol

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
os.environ.setdefault("DO_NOT_TRACK", "1")  # Evidently counts its uses over the network

import numpy as np  # noqa: E402 - after the number of threads
from numpy.typing import NDArray  # noqa: E402

MOST = 300.0  # -log10 of the least double
PRESET_SHARE = 0.5  # of columns: what Evidently's preset calls drift of the whole

Rows = NDArray[np.float64]
Settings = Mapping[str, float]
Answer = dict[str, object]


class StreamPeer(Protocol):
    def restart(self) -> None:
        """As it was after its reference."""

    def update(self, row: Rows) -> float:
        """The score with this row seen; 1 or more is an alarm."""


class MmdOnline:
    """alibi-detect's, on PyTorch: the squared MMD of a window, by its threshold of that time."""

    def __init__(self, reference: Rows, settings: Settings) -> None:
        import torch  # noqa: PLC0415 - seconds to import, and an option
        from alibi_detect.cd import MMDDriftOnline  # noqa: PLC0415 - seconds to import

        torch.set_num_threads(1)
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002 - the one that it draws from
        self._detector = MMDDriftOnline(
            reference.astype(np.float32), backend="pytorch", verbose=False, **settings
        )

    def restart(self) -> None:
        self._detector.reset_state()

    def update(self, row: Rows) -> float:
        said = self._detector.predict(row.astype(np.float32))["data"]
        return float(said["test_stat"]) / float(said["threshold"])


class Adwin:
    """river's, on one number a sample, after those of the reference."""

    def __init__(self, reference: Rows, settings: Settings) -> None:
        from river import drift  # noqa: PLC0415 - in another environment than alibi-detect

        self._after_reference = drift.ADWIN(**settings)
        for value in reference.ravel().tolist():
            self._after_reference.update(value)
        self.restart()

    def restart(self) -> None:
        self._detector = copy.deepcopy(self._after_reference)

    def update(self, row: Rows) -> float:
        self._detector.update(float(row))
        return float(self._detector.drift_detected)


class Kswin:
    """river's: the last values against a sample of those before them in its window."""

    def __init__(self, reference: Rows, settings: Settings) -> None:
        self._reference: list[float] = reference.ravel().tolist()
        self._settings = {name: _whole(value) for name, value in settings.items()}
        self.restart()

    def restart(self) -> None:
        from river import drift  # noqa: PLC0415 - in another environment than alibi-detect

        size = int(self._settings.get("window_size", 100))
        self._detector = drift.KSWIN(seed=0, window=self._reference[-size:], **self._settings)

    def update(self, row: Rows) -> float:
        self._detector.update(float(row))
        return float(self._detector.drift_detected)


STREAMS: Mapping[str, Callable[[Rows, Settings], StreamPeer]] = {
    "alibi-detect MMDDriftOnline": MmdOnline,
    "river ADWIN": Adwin,
    "river KSWIN": Kswin,
}


class WindowPeer(Protocol):
    def judge(self, rows: Rows) -> tuple[float, bool]:
        """How much drift, and whether the peer calls it so."""


class KsDrift:
    """alibi-detect's: a Kolmogorov-Smirnov test a column, p < .05 after Bonferroni."""

    def __init__(self, reference: Rows, names: Sequence[str], classes: Sequence[str]) -> None:
        from alibi_detect.cd import KSDrift  # noqa: PLC0415 - seconds to import

        del names, classes
        self._detector = KSDrift(reference.astype(np.float32), p_val=0.05)

    def judge(self, rows: Rows) -> tuple[float, bool]:
        said = self._detector.predict(rows.astype(np.float32))["data"]
        least = float(np.min(said["p_val"]))
        return (-math.log10(least) if least > 10**-MOST else MOST), bool(said["is_drift"])


class EvidentlyPreset:
    """Evidently's DataDriftPreset at its defaults: drift where half of the columns drift."""

    def __init__(self, reference: Rows, names: Sequence[str], classes: Sequence[str]) -> None:
        import pandas as pd  # noqa: PLC0415 - Evidently brings it
        from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - seconds to import
        from evidently.presets import DataDriftPreset  # noqa: PLC0415

        numbers = [name for name in names if name not in classes]
        definition = DataDefinition(numerical_columns=numbers, categorical_columns=list(classes))

        def judged(rows: Rows) -> Mapping[str, Sequence[Mapping[str, object]]]:
            ran: Mapping[str, Sequence[Mapping[str, object]]] = (
                Report([DataDriftPreset()]).run(dataset(rows), known).dict()
            )
            return ran

        def dataset(rows: Rows) -> object:
            frame = pd.DataFrame(rows, columns=list(names))
            for name in classes:
                frame[name] = frame[name].map("{:g}".format)
            return Dataset.from_pandas(frame, data_definition=definition)

        known = dataset(reference)
        self._judged = judged

    def judge(self, rows: Rows) -> tuple[float, bool]:
        for metric in self._judged(rows)["metrics"]:
            value = metric["value"]
            if "DriftedColumnsCount" in str(metric["metric_name"]) and isinstance(value, dict):
                share = float(value["share"])
                return share, share >= PRESET_SHARE
        raise LookupError("Evidently's report has no DriftedColumnsCount")


WINDOWS: Mapping[str, Callable[[Rows, Sequence[str], Sequence[str]], WindowPeer]] = {
    "alibi-detect KSDrift": KsDrift,
    "evidently DataDriftPreset": EvidentlyPreset,
}


def main() -> None:
    """Judge what stdin names."""
    asked = json.load(sys.stdin)
    name = asked["peer"]
    reference, pool = np.load(asked["reference"]), np.load(asked["pool"])
    if name in STREAMS:
        began = time.process_time()
        stream = STREAMS[name](reference, asked["settings"])
        setup = time.process_time() - began
        runs = np.load(asked["runs"])
        answer = streamed(stream, pool, runs, give_up=asked.get("give_up", math.inf))
        answer["setup_s"] = setup
    else:
        peer = WINDOWS[name](reference, asked["names"], asked["classes"])
        answer = windowed(peer, pool, np.load(asked["windows"]))
    print(json.dumps({**answer, "version": version(name.split()[0])}))


def streamed(peer: StreamPeer, pool: Rows, runs: NDArray[np.int64], *, give_up: float) -> Answer:
    """Its scores of each run, which starts after the reference."""
    times, scores = list[float](), list[list[float]]()
    for run in runs:
        peer.restart()
        said = list[float]()
        began = time.process_time()
        for row in pool[run[run >= 0]]:
            said.append(peer.update(row))
            if said[-1] >= give_up:
                break
        times.append((time.process_time() - began) / max(1, len(said)))
        scores.append(said)
    return {"scores": scores, "sample_us": 1e6 * statistics.median(times)}


def windowed(peer: WindowPeer, pool: Rows, windows: NDArray[np.int64]) -> Answer:
    """What it says of each window."""
    times, scores, alarms = list[float](), list[float](), list[bool]()
    for window in windows:
        began = time.process_time()
        score, alarm = peer.judge(pool[window])
        times.append(time.process_time() - began)
        scores.append(score)
        alarms.append(alarm)
    return {"scores": scores, "alarms": alarms, "window_us": 1e6 * statistics.median(times)}


def _whole(value: float) -> float:
    return int(value) if float(value).is_integer() else value


if __name__ == "__main__":
    main()
