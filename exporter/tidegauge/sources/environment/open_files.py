"""File descriptors of our own process, and of the engine's where its command line is known."""

import re
from collections.abc import Iterator
from pathlib import Path

from tidegauge.sources.environment.facts import Descriptors

_PROC = Path("/proc")
_LIMIT = re.compile(r"^Max open files +(\d+)", re.MULTILINE)


def own(proc: Path = _PROC) -> Descriptors:
    """Our own process's.

    Raises:
        OSError: there is no /proc here.
    """
    return _of(proc / "self", "tidegauge")


def engine(words: str, proc: Path = _PROC) -> Descriptors:
    """Of all processes whose command line contains `words`, the one nearest to its limit.

    Raises:
        OSError: there is none, or this user may not look at any of them.
    """
    found = [folder for folder in _processes(proc) if words in _command(folder)]
    if not found:
        raise FileNotFoundError(f"no process has {words!r} in its command line")
    return max((_of(folder, "engine") for folder in found), key=lambda one: one.open / one.limit)


def _processes(proc: Path) -> Iterator[Path]:
    ours = (proc / "self").resolve().name  # `words` are in our configuration, perhaps in our flags
    for folder in proc.iterdir():
        if folder.name.isdigit() and folder.name != ours:
            yield folder


def _command(folder: Path) -> str:
    try:
        return (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""


def _of(folder: Path, component: str) -> Descriptors:
    limit = _LIMIT.search((folder / "limits").read_text())
    if limit is None:
        raise OSError(f"{folder}/limits: open files are not limited")
    return Descriptors(component, sum(1 for _ in (folder / "fd").iterdir()), int(limit[1]))
