"""Drift's peers, in the environments that `make bench-setup` makes; without them there are none."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
Places = NDArray[np.int64]

ROOT = Path(__file__).resolve().parents[2]
RIVER = ROOT / ".peers" / "bin" / "python"
DRIFT = ROOT / ".peers-drift" / "bin" / "python"
PROCESS = Path(__file__).with_name("drift_peer_process.py")
MMD = "alibi-detect MMDDriftOnline"
KS = "alibi-detect KSDrift"
EVIDENTLY = "evidently DataDriftPreset"
ADWIN = "river ADWIN"
KSWIN = "river KSWIN"
ABSENT = (
    "`make bench-setup` installs alibi-detect, evidently and river in environments of their own"
)
NO_TORCH = (
    "alibi-detect's MMDDriftOnline needs PyTorch, which `make bench-setup` leaves out for its "
    "size: .peers-drift/bin/pip install torch==2.13.0+cpu"
)


class _Answer(TypedDict):
    """What the process prints: of these, those of the form that was asked."""

    scores: list[list[float]]
    alarms: list[bool]
    sample_us: float
    window_us: float
    setup_s: float
    version: str


class PeerError(Exception):
    """A peer failed; the message has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Streamed:
    """A score a sample for each run, 1 or more its own alarm; CPU time a sample and to set up."""

    scores: Sequence[NDArray[np.float64]]
    sample_us: float
    setup_s: float
    version: str


@dataclass(frozen=True, slots=True)
class Windowed:
    """A score and the peer's own alarm for each window; CPU time a window."""

    scores: NDArray[np.float64]
    alarms: NDArray[np.bool_]
    window_us: float
    version: str


def why_not(peer: str) -> str | None:
    """Why this peer cannot be asked here; None if it can."""
    python = _python(peer)
    if not python.is_file():
        return ABSENT
    if peer == MMD and _fails(python, "import torch"):
        return NO_TORCH
    return None


def streams(
    peer: str,
    reference: Rows,
    pool: Rows,
    runs: Sequence[Places],
    *,
    settings: Mapping[str, float],
    give_up: float | None = None,
) -> Streamed:
    """What a peer says of each run, whose samples are rows of `pool`.

    A run ends early at a score of `give_up`.

    Raises:
        PeerError: it failed.
    """
    padded = np.full((len(runs), max(map(len, runs))), -1)
    for row, run in zip(padded, runs, strict=True):
        row[: len(run)] = run
    asked: dict[str, object] = {"peer": peer, "settings": dict(settings)}
    if give_up is not None:
        asked["give_up"] = give_up
    said = _ask(asked, {"reference": reference, "pool": pool, "runs": padded})
    return Streamed(
        [np.array(run) for run in said["scores"]],
        said["sample_us"],
        said["setup_s"],
        said["version"],
    )


def windows(
    peer: str,
    reference: Rows,
    pool: Rows,
    windows: Places,
    *,
    names: Sequence[str],
    classes: Sequence[str],
) -> Windowed:
    """What a peer says of each window, (windows, rows) of `pool`; columns are named.

    Raises:
        PeerError: it failed.
    """
    asked: dict[str, object] = {"peer": peer, "names": list(names), "classes": list(classes)}
    said = _ask(asked, {"reference": reference, "pool": pool, "windows": windows})
    return Windowed(
        np.array(said["scores"]), np.array(said["alarms"]), said["window_us"], said["version"]
    )


def _python(peer: str) -> Path:
    return RIVER if peer.startswith("river") else DRIFT


def _fails(python: Path, code: str) -> bool:
    return bool(subprocess.run([python, "-c", code], capture_output=True, check=False).returncode)


def _ask(asked: Mapping[str, object], arrays: Mapping[str, Rows | Places]) -> _Answer:
    with tempfile.TemporaryDirectory(prefix="tidegauge-bench-") as folder:
        paths = {name: str(Path(folder, f"{name}.npy")) for name in arrays}
        for name, array in arrays.items():
            np.save(paths[name], array)
        ran = subprocess.run(
            [_python(str(asked["peer"])), PROCESS],
            input=json.dumps({**asked, **paths}),
            capture_output=True,
            text=True,
            check=False,
        )
    if ran.returncode:
        raise PeerError(f"{asked['peer']}: {ran.stderr[-1500:]}")
    said: _Answer = json.loads(ran.stdout.splitlines()[-1])  # libraries print, too
    return said
