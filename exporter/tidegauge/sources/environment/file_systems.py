"""How much room file systems have."""

import os
from pathlib import Path

from tidegauge.sources.environment.facts import Space


def space_at(path: Path) -> Space:
    """The file system that holds `path`.

    Raises:
        OSError: it is not there, or may not be looked at.
    """
    seen = os.statvfs(path)
    return Space(str(path), seen.f_blocks * seen.f_frsize, seen.f_bavail * seen.f_frsize)
