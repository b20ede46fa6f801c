"""A CPU allowance by a cgroup quota, version 1 or 2, where the caller may write one.

Only what is there is used: no controller is switched on, no mount is made.
"""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# The kernel's default of 100 ms would stop a stream for 60 ms at a time with 0.4 core.
_PERIOD_MICROSECONDS = 20_000
_NAME = "tidegauge-demo-"
_REMOVE_TRIES = 50


class CgroupError(Exception):
    """No cgroup with a quota could be made, or the process could not be put into it."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A mounted cgroup tree with the CPU controller, and where this process stands in it."""

    version: int
    mount: Path
    own: Path

    def parents(self) -> Iterator[Path]:
        """Where a group may be made: nearest first."""
        for place in (self.own, *self.own.parents):
            if place.is_relative_to(self.mount) and self._gives_cpu(place):
                yield place

    def _gives_cpu(self, place: Path) -> bool:
        if self.version == 1:
            return (place / "cpu.cfs_quota_us").exists()
        return "cpu" in _text(place / "cgroup.subtree_control").split()


def confine(pid: int, cores: float) -> Path:
    """Put the process under a quota of `cores` and return its new group; raises CgroupError."""
    refusals = []
    for hierarchy in hierarchies(_text(Path("/proc/self/mountinfo")), _text(_own_groups())):
        for parent in hierarchy.parents():
            sweep(parent)
            group = parent / f"{_NAME}{pid}"
            try:
                _make(group, hierarchy.version, pid=pid, cores=cores)
            except OSError as error:
                refusals.append(f"{parent}: {error.strerror}")
                remove(group, tries=1)
            else:
                return group
    raise CgroupError("; ".join(refusals) or "no CPU controller is mounted here")


def hierarchies(mountinfo: str, groups: str) -> Iterator[Hierarchy]:
    """The trees with a CPU controller, read from the text of mountinfo and of /proc/self/cgroup."""
    own: dict[str, str] = {}
    for line in groups.splitlines():
        _, controllers, path = line.split(":", 2)
        own |= dict.fromkeys(controllers.split(","), path)  # version 2 is the one without a name
    for line in mountinfo.splitlines():
        mounted, _, described = line.partition(" - ")
        root, mount = (_unescaped(field) for field in mounted.split()[3:5])
        kind, _, options = described.split(" ", 2)
        if kind == "cgroup2" and "" in own:
            yield Hierarchy(2, Path(mount), _inside(Path(mount), root, own[""]))
        elif kind == "cgroup" and "cpu" in options.split(",") and "cpu" in own:
            yield Hierarchy(1, Path(mount), _inside(Path(mount), root, own["cpu"]))


def remove(group: Path, *, tries: int = _REMOVE_TRIES) -> None:
    """Remove the group; a process that just ended may keep it for a moment."""
    for attempt in range(tries):
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if attempt + 1 < tries:
                time.sleep(0.02)
        else:
            return


def sweep(parent: Path) -> None:
    """Remove what killed wardens left behind; a group with a process in it refuses to go."""
    for group in parent.glob(f"{_NAME}*"):
        owner = group.name.removeprefix(_NAME)
        if owner.isdecimal() and not Path("/proc", owner).exists():
            remove(group, tries=1)


def _make(group: Path, version: int, *, pid: int, cores: float) -> None:
    group.mkdir(exist_ok=True)
    quota = max(1_000, round(cores * _PERIOD_MICROSECONDS))
    if version == 1:
        (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
        (group / "cpu.cfs_quota_us").write_text(str(quota))
    else:
        (group / "cpu.max").write_text(f"{quota} {_PERIOD_MICROSECONDS}")
    (group / "cgroup.procs").write_text(str(pid))


def _own_groups() -> Path:
    return Path("/proc/self/cgroup")


def _inside(mount: Path, root: str, path: str) -> Path:
    """The group's directory; a container may see only the part of the tree below `root`."""
    if path == root or path.startswith(root.rstrip("/") + "/"):
        return mount / path.removeprefix(root).lstrip("/")
    return mount


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
