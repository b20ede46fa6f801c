"""The demo's signals: what its configuration makes of them within its story."""

import math
import random
from pathlib import Path

import yaml

from demo.files import Files, write
from demo.ports import free_ports
from tidegauge.cli.watching import signals
from tidegauge.config import load
from tidegauge.thresholds.tracker import Tracker


def test_bands_are_there_in_about_two_minutes(tmp_path: Path) -> None:
    """Wherever its refreshes lie; a series that is there from the beginning."""
    files = Files(tmp_path)
    write(files, free_ports(), model_file=tmp_path / "model.gguf", cores=1)
    tree = yaml.safe_load(files.tidegauge.read_text())
    files.tidegauge.write_text(yaml.safe_dump({"control": tree["control"]}))
    control = load(files.tidegauge).control
    assert control
    assert control.signals
    settings = next(signals(control.signals)).settings
    rng, seconds = random.Random(4), []
    values = [rng.gauss(10, 1) for _ in range(200)]
    for name in "abcdefghij":
        tracker = Tracker(settings, name=name)
        judged = (tracker.take(n * settings.step_seconds, v) for n, v in enumerate(values))
        seconds.append(next(each.at for each in judged if math.isfinite(each.upper)))
    assert min(seconds) >= 120
    assert max(seconds) <= 145
