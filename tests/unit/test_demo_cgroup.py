import os
from pathlib import Path

import pytest

from demo.cgroup import Hierarchy, hierarchies, sweep

MOUNT = Path("/sys/fs/cgroup")
V1 = "33 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct"
V2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
MEMORY = "34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"
INNER = r"33 31 0:29 /docker/ab /a\040place rw - cgroup cgroup rw,cpu"


@pytest.mark.parametrize(
    "mountinfo, groups, expected",
    [
        pytest.param(
            V1,
            "4:cpu,cpuacct:/user.slice\n1:name=systemd:/",
            [Hierarchy(1, MOUNT / "cpu,cpuacct", MOUNT / "cpu,cpuacct/user.slice")],
            id="version 1",
        ),
        pytest.param(
            V2,
            "0::/user.slice/session-1.scope",
            [Hierarchy(2, MOUNT, MOUNT / "user.slice/session-1.scope")],
            id="version 2",
        ),
        pytest.param(
            INNER,
            "4:cpu:/docker/ab/c",
            [Hierarchy(1, Path("/a place"), Path("/a place/c"))],
            id="a container that sees a part of the tree, mounted at an odd place",
        ),
        pytest.param(
            INNER,
            "4:cpu:/elsewhere",
            [Hierarchy(1, Path("/a place"), Path("/a place"))],
            id="a group outside of what is mounted",
        ),
        pytest.param(MEMORY, "4:memory:/", [], id="another controller's tree"),
        pytest.param("", "0::/", [], id="nothing mounted"),
    ],
)
def test_hierarchies(mountinfo: str, groups: str, expected: list[Hierarchy]) -> None:
    assert list(hierarchies(mountinfo, groups)) == expected


def test_only_parents_that_hand_out_the_cpu_controller_count(tmp_path: Path) -> None:
    inner = tmp_path / "slice" / "scope"
    inner.mkdir(parents=True)
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory\n")
    (tmp_path / "slice" / "cgroup.subtree_control").write_text("memory cpuset\n")
    assert list(Hierarchy(2, tmp_path, inner).parents()) == [tmp_path]


def test_sweep_removes_the_groups_of_the_dead_only(tmp_path: Path) -> None:
    dead, living = tmp_path / "tidegauge-demo-999999999", tmp_path / f"tidegauge-demo-{os.getpid()}"
    other = tmp_path / "tidegauge-demo-notes"
    for group in (dead, living, other):
        group.mkdir()
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([living, other])
