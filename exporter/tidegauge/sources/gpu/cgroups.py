"""Which container and pod a process is in, read from the text of /proc/PID/cgroup.

No clock, no network, no logging: same arguments, same answer.

Version 1 has a line for each hierarchy, version 2 one line in all. The container's id is in the
path in one of these forms, and so is the pod's uid, with dashes or (systemd) underscores:

    /docker/ID                                       docker, cgroupfs
    /system.slice/docker-ID.scope                    docker, systemd
    /kubepods/burstable/podUID/ID                    any runtime, cgroupfs
    /kubepods.slice/…-podUID.slice/cri-containerd-ID.scope   containerd, systemd
    /kubepods.slice/…-podUID.slice/crio-ID.scope     cri-o, systemd
    /…-podUID.slice:cri-containerd:ID                containerd, where the two drivers differ
    /machine.slice/libpod-ID.scope/container         podman
"""

import re
from dataclasses import dataclass

_SIXTY_FOUR = r"[0-9a-f]{64}"
_RUNTIMES = r"docker|cri-containerd|nerdctl|crio|libpod|podman"
_CONTAINER = re.compile(
    # What keeps a container going has a scope of its own (crio-conmon-ID.scope): not in it.
    rf"(?:/|:|(?:^|/)(?:{_RUNTIMES})-)({_SIXTY_FOUR})(?:\.scope)?(?=/|$)"
)
_POD = re.compile(
    # 32 digits without dashes are the uid of a static pod, which the kubelet makes up itself.
    r"pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=\.slice|[/:]|$)"
)
_PODMAN_POD = re.compile(rf"libpod_pod_({_SIXTY_FOUR})(?=\.slice|/|$)")


@dataclass(frozen=True, slots=True)
class Owner:
    """The container's id and the pod's uid; empty where there is none, or it can't be known."""

    container: str = ""
    pod: str = ""


def owner_of(text: str) -> Owner:
    """Whose process it is. Of containers in containers the innermost counts.

    >>> owner_of("0::/system.slice/docker-" + "ab" * 32 + ".scope").container[:8]
    'abababab'
    >>> owner_of("0::/user.slice/user-1000.slice/session-2.scope")
    Owner(container='', pod='')
    """
    paths = [line.split(":", 2)[2] for line in text.splitlines() if line.count(":") >= _COLONS]
    container = _innermost(_CONTAINER, paths)
    pod = _innermost(_POD, paths).replace("_", "-") or _innermost(_PODMAN_POD, paths)
    return Owner(container, pod)


_COLONS = 2  # hierarchy, controllers, path; the path may have more


def _innermost(pattern: re.Pattern[str], paths: list[str]) -> str:
    found = (pattern.findall(path) for path in paths)
    return next((matches[-1] for matches in found if matches), "")
