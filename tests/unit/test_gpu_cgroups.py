"""Container and pod of a process, by the forms that /proc/PID/cgroup has in the field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegauge.sources.gpu.cgroups import Owner, owner_of

ID = "4f1c5be0d9a3427e8b6f0a1d2c3e4f5061728394a5b6c7d8e9f00112233445ab"
OUTER = "a" * 64
UID = "0d6c1f3e-8a0b-4c56-9d1e-5f2a7b3c4d5e"
SYSTEMD_UID = UID.replace("-", "_")
STATIC = "3f8e2a9d5b7c41608e2f9a0b1c2d3e4f"

V1_DOCKER = f"""12:pids:/docker/{ID}
11:memory:/docker/{ID}
3:cpu,cpuacct:/docker/{ID}
1:name=systemd:/docker/{ID}
0::/system.slice/containerd.service
"""
V1_KUBERNETES = f"""11:devices:/kubepods/burstable/pod{UID}/{ID}
4:memory:/kubepods/burstable/pod{UID}/{ID}
1:name=systemd:/kubepods/burstable/pod{UID}/{ID}
"""
SLICE = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{SYSTEMD_UID}.slice"
GUARANTEED = f"/kubepods.slice/kubepods-pod{SYSTEMD_UID}.slice"


@pytest.mark.parametrize(
    "text, owner",
    [
        (V1_DOCKER, Owner(ID)),
        (f"0::/system.slice/docker-{ID}.scope\n", Owner(ID)),
        (f"0::/docker/{ID}\n", Owner(ID)),
        (f"0::/system.slice/docker-{ID}.scope/init.scope\n", Owner(ID)),
        (V1_KUBERNETES, Owner(ID, UID)),
        (f"0::/kubepods/besteffort/pod{UID}/{ID}\n", Owner(ID, UID)),
        (f"0::/kubepods/pod{UID}/{ID}\n", Owner(ID, UID)),
        (f"0::{SLICE}/cri-containerd-{ID}.scope\n", Owner(ID, UID)),
        (f"0::{GUARANTEED}/cri-containerd-{ID}.scope\n", Owner(ID, UID)),
        (f"0::{SLICE}/crio-{ID}.scope\n", Owner(ID, UID)),
        (f"0::{SLICE}/crio-{ID}.scope/container\n", Owner(ID, UID)),
        (f"0::{SLICE}/docker-{ID}.scope\n", Owner(ID, UID)),
        (f"5:memory:{SLICE}/cri-containerd-{ID}.scope\n0::/\n", Owner(ID, UID)),
        (
            (
                "11:memory:/system.slice/containerd.service/"
                f"kubepods-burstable-pod{SYSTEMD_UID}.slice:cri-containerd:{ID}\n"
            ),
            Owner(ID, UID),
        ),
        (
            (
                f"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{STATIC}.slice/"
                f"cri-containerd-{ID}.scope\n"
            ),
            Owner(ID, STATIC),
        ),
        (
            (
                f"0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{SYSTEMD_UID}.slice/"
                f"cri-containerd-{ID}.scope\n"
            ),
            Owner(ID, UID),
        ),
        (
            (
                f"0::/system.slice/docker-{OUTER}.scope/kubelet.slice/kubelet-kubepods.slice/"
                f"kubelet-kubepods-pod{SYSTEMD_UID}.slice/cri-containerd-{ID}.scope\n"
            ),
            Owner(ID, UID),
        ),
        (f"0::/machine.slice/libpod-{ID}.scope/container\n", Owner(ID)),
        (f"0::/machine.slice/libpod-{ID}.scope\n", Owner(ID)),
        (
            (
                "0::/user.slice/user-1000.slice/user@1000.service/user.slice/"
                f"libpod-{ID}.scope/container\n"
            ),
            Owner(ID),
        ),
        (
            f"0::/machine.slice/machine-libpod_pod_{OUTER}.slice/libpod-{ID}.scope/container\n",
            Owner(ID, OUTER),
        ),
        (f"4:memory:/libpod_parent/libpod-{ID}\n", Owner(ID)),
        (f"0::/../../kubepods-pod{SYSTEMD_UID}.slice/cri-containerd-{ID}.scope\n", Owner(ID, UID)),
        (f"0::{SLICE}/crio-conmon-{ID}.scope\n", Owner("", UID)),
        (f"0::{SLICE}\n", Owner("", UID)),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", Owner()),
        ("0::/system.slice/ssh.service\n", Owner()),
        ("0::/\n", Owner()),
        ("", Owner()),
        (f"0::/system.slice/backup-{ID}.service\n", Owner()),
        (f"0::/docker/{ID[:-1]}\n", Owner()),
        (f"0::/docker/{ID}0\n", Owner()),
    ],
    ids=[
        "docker, version 1",
        "docker, version 2, systemd",
        "docker, version 2, cgroupfs",
        "docker with systemd inside",
        "kubernetes, version 1, cgroupfs",
        "kubernetes, version 2, cgroupfs",
        "a guaranteed pod, cgroupfs",
        "containerd, systemd",
        "a guaranteed pod, systemd",
        "cri-o, systemd",
        "cri-o with a cgroup inside",
        "docker under kubernetes, systemd",
        "versions 1 and 2 side by side",
        "containerd where the two drivers differ",
        "a static pod",
        "kind",
        "kind, seen from its host: the innermost counts",
        "podman as root",
        "podman without a cgroup inside",
        "podman without root",
        "a podman pod",
        "podman, version 1, cgroupfs",
        "seen from a cgroup namespace beside it",
        "cri-o's monitor is not in the container",
        "a pod's own cgroup",
        "a user's session",
        "a service",
        "the root, as in a cgroup namespace of its own",
        "nothing",
        "64 digits that are no container",
        "a digit too few",
        "a digit too many",
    ],
)
def test_the_owner_is_read_from_the_path(text: str, owner: Owner) -> None:
    assert owner_of(text) == owner


@given(st.text())
def test_any_text_has_an_owner_or_none(text: str) -> None:
    owner = owner_of(text)
    assert len(owner.container) in {0, 64}


@given(
    st.lists(
        st.sampled_from(["/", "0::", "docker-", "pod", ID, UID, ".scope", ":", "\n", ".slice"])
    )
)
def test_pieces_in_any_order_are_no_error(pieces: list[str]) -> None:
    assert owner_of("".join(pieces)).container in {"", ID}
