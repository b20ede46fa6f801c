"""Peers' detectors, in the environment that `make bench-setup` makes; without it there are none."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.judging.nab_score import Scores

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".peers" / "bin" / "python"
PROCESS = Path(__file__).with_name("peer_process.py")
NAMES = ("river HalfSpaceTrees", "river GaussianScorer", "libspot SPOT", "libspot DSPOT")
ABSENT = "no peers: `make bench-setup` installs river and libspot in an environment of their own"


@dataclass(frozen=True, slots=True)
class Answer:
    """Scores of each file's rows, and CPU time a row: the median over rounds in the later half."""

    scores: Sequence[Scores]
    point_us: float
    version: str


def there() -> bool:
    return PYTHON.is_file()


def ask(peer: str, files: Sequence[Sequence[float]], *, rows: int = 1000) -> Answer:
    """One peer, in a process of its own.

    Raises:
        subprocess.CalledProcessError: it failed; it said why on stderr.
    """
    asked = {"peer": peer, "files": [list(values) for values in files], "rows": rows}
    ran = subprocess.run(
        [str(PYTHON), str(PROCESS)],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = json.loads(ran.stdout)
    return Answer([np.array(each) for each in said["scores"]], said["point_us"], said["version"])
